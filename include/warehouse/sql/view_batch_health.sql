-- Every batch with what came back in it, and what it cost.
select
    b.batch_id,
    b.shard_id,
    b.spec,
    b.run_key,
    b.round,
    b.state,
    b.is_adopted,
    b.request_count,
    count(r.request_id) as result_count,
    count(r.request_id) filter (where r.outcome = 'succeeded') as succeeded_count,
    count(r.request_id) filter (where r.outcome in ('expired', 'canceled', 'missing')) as unanswered_count,
    cast(coalesce(sum(r.cost_usd), 0) as decimal(18, 9)) as cost_usd,
    b.created_at,
    b.expires_at,
    b.ended_at,
    b.collected_at,
    b.loaded_at
from nightshift.batches as b
left join nightshift.results as r on r.batch_id = b.batch_id
group by
    b.batch_id, b.shard_id, b.spec, b.run_key, b.round, b.state, b.is_adopted, b.request_count,
    b.created_at, b.expires_at, b.ended_at, b.collected_at, b.loaded_at
