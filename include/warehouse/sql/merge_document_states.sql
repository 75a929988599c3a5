insert into nightshift.document_states as s (
    spec, run_key, document_id, state, state_reason, updated_at
)
select $spec, $run_key, document_id, state, state_reason, cast($now as timestamptz)
from stage_settled
on conflict (spec, run_key, document_id) do update set
    state = excluded.state, state_reason = excluded.state_reason, updated_at = excluded.updated_at
where s.state = 'pending'
