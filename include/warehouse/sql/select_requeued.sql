select l.document_id
from nightshift.dead_letters as l
join nightshift.documents as d on d.spec = l.spec and d.document_id = l.document_id
where
    l.spec = $spec
    and l.resolved_at is null
    and l.run_key <> $run_key
    and l.reason in (select reason from stage_requeue_reasons)
    and d.deleted_at is null
    and d.erased_at is null
union
select s.document_id
from nightshift.documents as s
where
    s.spec = $spec
    and s.state = 'skipped'
    and s.last_run_key <> $run_key
    and s.state_reason in (select reason from stage_requeue_reasons)
    and s.deleted_at is null
    and s.erased_at is null
union
-- What had vanished and is listed again is there after all.
select v.document_id
from nightshift.documents as v
join stage_listed as l on l.document_id = v.document_id
where
    v.spec = $spec
    and v.state = 'skipped'
    and v.state_reason = 'vanished'
    and v.last_run_key <> $run_key
    and v.erased_at is null
