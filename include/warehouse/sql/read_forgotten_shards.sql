select distinct b.shard_id
from nightshift.results as r
join nightshift.batches as b on b.batch_id = r.batch_id
where r.spec = $spec and r.request_id in (select request_id from stage_asked)
order by b.shard_id
