select
    night,
    count(*) as run_count,
    cast(sum(enriched_count) as bigint) as enriched_count,
    cast(sum(reused_count) as bigint) as reused_count,
    cast(sum(skipped_count) as bigint) as skipped_count,
    cast(sum(dead_letter_count) as bigint) as dead_letter_count,
    cast(sum(pending_count) as bigint) as pending_count,
    cast(sum(actual_usd) as decimal(18, 9)) as actual_usd,
    max(finished_at) as finished_at
from nightshift.runs
where spec = $spec
group by night
order by night
