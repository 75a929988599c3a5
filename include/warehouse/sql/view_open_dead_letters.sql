-- Dead letters that nothing has resolved, of objects that still exist and were not erased: one row per document, the latest.
select
    l.spec, -- Name of the spec.
    d.document_uri, -- Address of the object.
    l.document_id, -- The document: one version of the object.
    d.object_version, -- Version of the object.
    d.is_current, -- Whether this is the newest version of the object; false where a newer one has come since.
    l.prompt_version, -- Prompt version under which it was asked last.
    l.reason, -- Why there will be no enrichment.
    l.error_type, -- Type of the last error.
    l.error_message, -- Message of the last error.
    l.attempts, -- How often it was asked.
    l.last_batch_id, -- Batch of the last attempt; empty if none was sent.
    l.run_key, -- Run that gave up.
    l.created_at, -- When the document first became a dead letter.
    l.updated_at -- When that last changed.
from nightshift.dead_letters as l
join nightshift.documents as d on d.spec = l.spec and d.document_id = l.document_id
where
    l.resolved_at is null
    and d.deleted_at is null
    and d.erased_at is null
    and not exists (
        select 1
        from nightshift.dead_letters as n
        where
            n.spec = l.spec
            and n.document_id = l.document_id
            and n.resolved_at is null
            and (n.updated_at, n.prompt_version) > (l.updated_at, l.prompt_version)
    )
