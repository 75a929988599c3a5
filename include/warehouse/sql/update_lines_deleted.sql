update nightshift.documents as d
set deleted_at = $now, updated_at = $now
where
    d.spec = $spec
    and d.deleted_at is null
    and d.first_seen_at < cast($now as timestamptz)
    and not exists (
        select 1
        from stage_existing_objects as e
        where e.document_uri = concat('s3://', d.bucket, '/', d.object_key)
    )
    and exists (
        select 1
        from stage_listed_prefixes as p
        where d.bucket = p.bucket and starts_with(d.object_key, p.prefix)
    )
