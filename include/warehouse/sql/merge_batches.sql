insert into nightshift.batches as b (
    batch_id, shard_id, spec, run_key, round, state, request_count, body_bytes, is_adopted,
    created_at, expires_at, ended_at, collected_at, loaded_at
)
select
    batch_id, shard_id, $spec, run_key, round, state, request_count, body_bytes, is_adopted,
    created_at, expires_at, ended_at, collected_at,
    case when collected_at is not null then cast($now as timestamptz) end
from stage_batches
on conflict (batch_id) do update set
    state = excluded.state,
    is_adopted = excluded.is_adopted,
    created_at = coalesce(excluded.created_at, b.created_at),
    expires_at = coalesce(excluded.expires_at, b.expires_at),
    ended_at = coalesce(excluded.ended_at, b.ended_at),
    collected_at = excluded.collected_at,
    loaded_at = excluded.loaded_at
where
    b.loaded_at is null
    and (
        b.state is distinct from excluded.state
        or b.is_adopted is distinct from excluded.is_adopted
        or b.collected_at is distinct from excluded.collected_at
        or (excluded.created_at is not null and b.created_at is distinct from excluded.created_at)
        or (excluded.expires_at is not null and b.expires_at is distinct from excluded.expires_at)
        or (excluded.ended_at is not null and b.ended_at is distinct from excluded.ended_at)
    )
