-- What was paid, by spec, UTC day on which the batch was created, and model; days without results have no row.
select
    r.spec, -- Name of the spec.
    cast(coalesce(b.created_at, r.loaded_at) at time zone 'UTC' as date) as spend_day, -- UTC day on which the API created the batch; without that time, and of messages tried before the first batch, the day of loading.
    r.model, -- Model that answered; empty for requests that no model answered, which cost nothing.
    count(*) as result_count, -- Results of any outcome; a request that was asked again counts again.
    cast(sum(r.input_tokens) as bigint) as input_tokens, -- Input tokens billed in full.
    cast(sum(r.output_tokens) as bigint) as output_tokens, -- Output tokens billed.
    cast(sum(r.cost_usd) as decimal(18, 9)) as cost_usd, -- What was paid, good and bad answers alike: batch price, and list price for messages tried before the first batch.
    cast(sum(r.list_cost_usd) as decimal(18, 9)) as list_cost_usd, -- What the same tokens would have cost outside a batch.
    cast(sum(r.list_cost_usd) - sum(r.cost_usd) as decimal(18, 9)) as saved_usd, -- What the batch price saved: list_cost_usd less cost_usd.
    cast(sum(r.cache_read_tokens) as bigint) as cache_read_tokens, -- Input tokens read from the cache.
    cast(sum(r.cache_write_tokens) as bigint) as cache_write_tokens, -- Input tokens written to the cache.
    count(*) filter (where r.outcome not in ('succeeded', 'preflight')) as failed_count, -- Results among them that should have been a valid answer and are none.
    cast(coalesce(sum(r.cost_usd) filter (where r.outcome not in ('succeeded', 'preflight')), 0) as decimal(18, 9)) as failed_cost_usd -- What was paid for those: the part of cost_usd that bought nothing.
from nightshift.results as r
left join nightshift.batches as b on b.batch_id = r.batch_id
group by r.spec, cast(coalesce(b.created_at, r.loaded_at) at time zone 'UTC' as date), r.model
