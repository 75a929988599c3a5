select
    d.document_uri, s.document_id, s.state, s.state_reason, l.error_type, l.error_message,
    l.attempts, l.last_batch_id
from nightshift.document_states as s
join nightshift.documents as d on d.spec = s.spec and d.document_id = s.document_id
left join nightshift.dead_letters as l
    on l.spec = s.spec and l.document_id = s.document_id and l.run_key = s.run_key
where s.spec = $spec and s.run_key = $run_key and s.state not in ('enriched', 'reused')
order by s.state, s.state_reason, s.document_id
limit cast($limit as bigint)
