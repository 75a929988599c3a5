select l.document_id
from nightshift.dead_letters as l
join nightshift.documents as d on d.spec = l.spec and d.document_id = l.document_id
where
    l.spec = $spec
    and l.resolved_at is null
    and l.run_key <> $run_key
    and l.reason in (select reason from stage_requeue_reasons)
    and d.erased_at is null
union
select s.document_id
from nightshift.documents as s
where
    s.spec = $spec
    and s.state = 'skipped'
    and s.last_run_key <> $run_key
    and s.state_reason in (select reason from stage_requeue_reasons)
    and s.erased_at is null
