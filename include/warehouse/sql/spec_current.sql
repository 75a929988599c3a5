select
    d.document_uri,
    d.document_id,
    d.bucket,
    d.object_key,
    d.object_version,
    d.last_modified_at,
    not d.is_current as is_stale,
    d.part_count,
    d.left_out_characters,
    e.enrichment_id,
    e.loaded_at,
    e."<field>"
from (
    select
        x.*,
        a.enrichment_id,
        a.part_count,
        a.left_out_characters,
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
