select
    outcome,
    count(*) as result_count,
    cast(sum(input_tokens) as bigint) as input_tokens,
    cast(sum(output_tokens) as bigint) as output_tokens,
    cast(coalesce(sum(thinking_tokens), 0) as bigint) as thinking_tokens,
    cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
    cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
    cast(sum(cost_usd) as decimal(18, 9)) as cost_usd,
    cast(sum(list_cost_usd) as decimal(18, 9)) as list_cost_usd
from nightshift.results
where spec = $spec and run_key = $run_key
group by outcome
order by outcome
