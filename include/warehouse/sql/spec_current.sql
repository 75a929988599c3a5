select
    d.document_uri, -- Address of the object; one row each.
    d.document_id, -- The version of the object that was answered.
    d.bucket, -- Bucket of the object.
    d.object_key, -- Key of the object in its bucket.
    d.object_version, -- S3 version id, or ETag, size and time where the bucket has no versions.
    d.last_modified_at, -- When S3 says that this version was written.
    not d.is_current as is_stale, -- Whether a newer version of the object has no answer yet.
    d.part_count, -- Parts that the document was asked about in; empty when it was asked about at once.
    d.left_out_characters, -- Characters at the end that were not sent; empty when all were.
    e.enrichment_id, -- Identity of the answer; documents of equal content share one.
    d.loaded_at, -- When this document got this answer.
    e."<field>"
from (
    select
        x.*,
        a.enrichment_id,
        a.part_count,
        a.left_out_characters,
        a.loaded_at,
        row_number() over (
            partition by x.document_uri
            order by
                x.last_modified_at desc, x.object_version desc, p.activated_at desc nulls last,
                a.loaded_at desc, a.enrichment_id
        ) as choice
    from nightshift.documents as x
    join nightshift.document_enrichments as a on a.spec = x.spec and a.document_id = x.document_id
    left join nightshift.prompt_versions as p
        on p.spec = a.spec and p.prompt_version = a.prompt_version
    where x.spec = '<spec>' and x.deleted_at is null and x.erased_at is null
) as d
join nightshift."<spec>_enrichments" as e on e.enrichment_id = d.enrichment_id
left join nightshift."<spec>_keys" as k on k.document_uri = d.document_uri
where d.choice = 1
