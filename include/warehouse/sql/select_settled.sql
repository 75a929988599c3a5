select o.*
from stage_outcomes as o
join nightshift.documents as d on d.spec = $spec and d.document_id = o.document_id
left join nightshift.document_states as s
    on s.spec = $spec and s.run_key = $run_key and s.document_id = o.document_id
where
    s.document_id is null
    or (
        s.state = 'pending'
        and (o.state <> 'pending' or s.state_reason is distinct from o.state_reason)
    )
