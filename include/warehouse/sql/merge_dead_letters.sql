insert into nightshift.dead_letters as l (
    spec, document_id, prompt_version, request_id, reason, error_type, error_message, attempts,
    last_batch_id, run_key, created_at, updated_at
)
select
    $spec, document_id, $prompt_version, request_id, state_reason, error_type, error_message,
    attempts, last_batch_id, $run_key, cast($now as timestamptz), cast($now as timestamptz)
from stage_settled
where state = 'dead_letter'
on conflict (spec, document_id, prompt_version) do update set
    request_id = excluded.request_id,
    reason = excluded.reason,
    error_type = excluded.error_type,
    error_message = excluded.error_message,
    attempts = excluded.attempts,
    last_batch_id = excluded.last_batch_id,
    run_key = excluded.run_key,
    updated_at = excluded.updated_at,
    resolved_at = null,
    resolution = null
