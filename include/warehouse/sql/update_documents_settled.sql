update nightshift.documents as d
set state = m.state, state_reason = m.state_reason, updated_at = $now
from stage_settled as m
where
    d.spec = $spec
    and d.document_id = m.document_id
    and (
        (d.state = 'pending' and (m.state <> 'pending' or d.last_run_key = $run_key))
        or (d.state = 'skipped' and m.state in ('dead_letter', 'enriched', 'reused'))
        or (d.state = 'dead_letter' and m.state in ('enriched', 'reused'))
    )
    and (d.state <> m.state or d.state_reason is distinct from m.state_reason)
