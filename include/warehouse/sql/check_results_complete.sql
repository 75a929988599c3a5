select
    b.batch_id,
    b.answer_count,
    b.failure_count,
    count(r.request_id) filter (where r.outcome = 'succeeded') as loaded_answer_count,
    count(r.request_id) filter (where r.outcome <> 'succeeded') as loaded_failure_count
from stage_batches as b
left join nightshift.results as r on r.batch_id = b.batch_id
where b.answer_count is not null
group by b.batch_id, b.answer_count, b.failure_count
having
    count(r.request_id) filter (where r.outcome = 'succeeded') <> b.answer_count
    or count(r.request_id) filter (where r.outcome <> 'succeeded') <> b.failure_count
order by b.batch_id
