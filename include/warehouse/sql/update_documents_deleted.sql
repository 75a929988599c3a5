update nightshift.documents as d
set deleted_at = $now, updated_at = $now
where
    d.spec = $spec
    and d.deleted_at is null
    and d.last_modified_at < cast($now as timestamptz)
    and d.document_uri not in (select document_uri from stage_listed_uris)
    and exists (
        select 1
        from stage_listed_prefixes as p
        where d.bucket = p.bucket and starts_with(d.object_key, p.prefix)
    )
