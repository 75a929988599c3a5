-- Retry rounds are left out: they are few requests, long after the cache was filled.
select
    count(*) as request_count,
    cast(coalesce(sum(cache_read_tokens), 0) as bigint) as read_tokens,
    cast(coalesce(sum(cache_write_tokens), 0) as bigint) as write_tokens
from nightshift.results
where
    spec = $spec
    and model = $model
    and attempt = 1
    and cache_read_tokens + cache_write_tokens > 0
    and loaded_at >= cast($since as timestamptz)
