select cast(coalesce(sum(r.cost_usd), 0) as decimal(18, 9)) as cost_usd
from nightshift.results as r
left join nightshift.batches as b on b.batch_id = r.batch_id
where
    coalesce(b.created_at, r.loaded_at) >= cast($day_start as timestamptz)
    and coalesce(b.created_at, r.loaded_at) < cast($day_end as timestamptz)
