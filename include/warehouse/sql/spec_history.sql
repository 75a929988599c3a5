select
    d.document_uri,
    d.document_id,
    d.bucket,
    d.object_key,
    d.object_version,
    d.last_modified_at,
    d.is_current,
    d.deleted_at,
    a.part_count,
    a.left_out_characters,
    a.is_reused,
    a.run_key,
    e.enrichment_id,
    a.loaded_at,
    e."<field>"
from nightshift.documents as d
join nightshift.document_enrichments as a on a.spec = d.spec and a.document_id = d.document_id
join nightshift."<spec>_enrichments" as e on e.enrichment_id = a.enrichment_id
left join nightshift."<spec>_keys" as k on k.document_uri = d.document_uri
where d.spec = '<spec>'
