select distinct l.document_id
from nightshift.dead_letters as l
join nightshift.documents as d on d.spec = l.spec and d.document_id = l.document_id
where
    l.spec = $spec
    and l.resolved_at is null
    and l.run_key <> $run_key
    and l.reason in (select reason from stage_requeue_reasons)
    and d.erased_at is null
