insert into nightshift.documents (
    spec, document_id, document_uri, bucket, object_key, object_version, size_bytes,
    last_modified_at, state, state_reason, is_current, first_run_key, last_run_key,
    first_seen_at, updated_at
)
select distinct
    $spec, document_id, document_uri, bucket, object_key, object_version, size_bytes,
    last_modified_at, 'pending', 'in_flight', false, $run_key, $run_key,
    cast($now as timestamptz), cast($now as timestamptz)
from stage_listed
on conflict (spec, document_id) do nothing
