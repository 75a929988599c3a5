-- Dead letters that nothing has resolved, of objects that still exist and were not erased.
select
    l.spec,
    d.document_uri,
    l.document_id,
    d.object_version,
    d.is_current,
    l.prompt_version,
    l.reason,
    l.error_type,
    l.error_message,
    l.attempts,
    l.last_batch_id,
    l.run_key,
    l.created_at,
    l.updated_at
from nightshift.dead_letters as l
join nightshift.documents as d on d.spec = l.spec and d.document_id = l.document_id
where l.resolved_at is null and d.deleted_at is null and d.erased_at is null
