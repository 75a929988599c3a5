select
    model,
    count(*) as result_count,
    count(*) filter (where outcome = 'succeeded') as succeeded_count,
    count(*) filter (where cache_read_tokens + cache_write_tokens > 0) as cached_count,
    cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
    cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
    cast(sum(cost_usd) as decimal(18, 9)) as cost_usd
from nightshift.results
where spec = $spec and run_key = $run_key and outcome <> 'preflight'
group by model
order by model
