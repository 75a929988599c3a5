insert into nightshift.document_states (
    spec, run_key, document_id, state, state_reason, updated_at
)
select $spec, $run_key, document_id, 'pending', 'in_flight', cast($now as timestamptz)
from stage_taken
on conflict (spec, run_key, document_id) do nothing
