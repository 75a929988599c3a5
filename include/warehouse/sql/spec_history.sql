select
    d.document_uri, -- Address of the object.
    d.document_id, -- The version of the object that was answered.
    d.bucket, -- Bucket of the object.
    d.object_key, -- Key of the object in its bucket.
    d.object_version, -- S3 version id, or ETag, size and time where the bucket has no versions.
    d.last_modified_at, -- When S3 says that this version was written.
    d.is_current, -- Whether this is the newest version of the object.
    d.deleted_at, -- When a complete listing found the object gone; empty while it exists.
    a.part_count, -- Parts that the document was asked about in; empty when it was asked about at once.
    a.left_out_characters, -- Characters at the end that were not sent; empty when all were.
    a.is_reused, -- Whether the answer was bought for another document or an earlier run.
    a.run_key, -- Run in which the document got this answer.
    e.enrichment_id, -- Identity of the answer; documents of equal content share one.
    a.loaded_at, -- When this document got this answer.
    e."<field>"
from nightshift.documents as d
join nightshift.document_enrichments as a on a.spec = d.spec and a.document_id = d.document_id
join nightshift."<spec>_enrichments" as e on e.enrichment_id = a.enrichment_id
left join nightshift."<spec>_keys" as k on k.document_uri = d.document_uri
where d.spec = '<spec>'
