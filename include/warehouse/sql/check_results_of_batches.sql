select r.batch_id, count(*) as result_count
from stage_results as r
where
    r.outcome <> 'preflight'
    and not exists (select 1 from stage_batches as b where b.batch_id = r.batch_id)
group by r.batch_id
