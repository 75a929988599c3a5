select
    s.run_key, s.document_id, s.state, s.state_reason,
    r.finished_at is null
    and s.updated_at > cast($abandoned_before as timestamptz) as is_busy
from nightshift.document_states as s
join stage_erased as e on e.document_id = s.document_id
left join nightshift.runs as r on r.spec = s.spec and r.run_key = s.run_key
where s.spec = $spec
order by s.run_key, s.document_id
