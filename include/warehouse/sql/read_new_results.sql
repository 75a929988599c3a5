select
    outcome,
    model,
    count(*) as result_count,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
    cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
    cast(sum(cost_usd) as decimal(18, 9)) as cost_usd
from stage_results as staged
where not exists (
    select 1
    from nightshift.results as known
    where known.batch_id = staged.batch_id and known.request_id = staged.request_id
)
group by outcome, model
order by outcome, model
