-- Every batch with what came back in it, and what it cost.
select
    b.batch_id, -- The API's id.
    b.shard_id, -- Shard of requests that became this batch.
    b.spec, -- Name of the spec.
    b.run_key, -- Run that submitted it.
    b.round, -- 0 for the night's own submission, 1 to 3 for retries.
    b.state, -- As of the last load: submitted, ended or abandoned without results, loaded, or surplus (a second batch of one shard).
    b.is_adopted, -- Whether it was found by looking, its answer having been lost.
    b.request_count, -- Requests in it.
    count(r.request_id) as result_count, -- Results loaded; 0 until it was collected, then request_count.
    count(r.request_id) filter (where r.outcome = 'succeeded') as succeeded_count, -- Valid answers.
    count(r.request_id) filter (where r.outcome in ('expired', 'canceled', 'missing')) as unanswered_count, -- Requests that expired, were cancelled or have no result; not billed.
    cast(coalesce(sum(r.cost_usd), 0) as decimal(18, 9)) as cost_usd, -- Cost of its results at batch price; 0 until it was collected.
    b.created_at, -- When the API created it.
    b.expires_at, -- When the API gives up on it.
    b.ended_at, -- When the API had finished it.
    b.collected_at, -- When its results were downloaded.
    b.loaded_at, -- When its results were loaded.
    count(r.request_id) filter (where r.outcome in ('truncated', 'context_exceeded', 'refused', 'invalid_output', 'errored')) as failed_count, -- Answers that are of no use; with succeeded_count and unanswered_count they make result_count.
    cast(coalesce(sum(r.list_cost_usd), 0) as decimal(18, 9)) as list_cost_usd -- What the same tokens would have cost outside a batch.
from nightshift.batches as b
left join nightshift.results as r on r.batch_id = b.batch_id
group by
    b.batch_id, b.shard_id, b.spec, b.run_key, b.round, b.state, b.is_adopted, b.request_count,
    b.created_at, b.expires_at, b.ended_at, b.collected_at, b.loaded_at
