-- What was paid, by spec, UTC day on which the batch was created, and model.
select
    r.spec,
    cast(coalesce(b.created_at, r.loaded_at) at time zone 'UTC' as date) as spend_day,
    r.model,
    count(*) as result_count,
    cast(sum(r.input_tokens) as bigint) as input_tokens,
    cast(sum(r.output_tokens) as bigint) as output_tokens,
    cast(sum(r.cost_usd) as decimal(18, 9)) as cost_usd,
    cast(sum(r.list_cost_usd) as decimal(18, 9)) as list_cost_usd
from nightshift.results as r
left join nightshift.batches as b on b.batch_id = r.batch_id
group by r.spec, cast(coalesce(b.created_at, r.loaded_at) at time zone 'UTC' as date), r.model
