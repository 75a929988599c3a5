select enrichment_id
from (
    select a.enrichment_id
    from nightshift.document_enrichments as a
    where a.spec = $spec and a.document_id in (select document_id from stage_erased)
    union
    select enrichment_id from stage_asked where enrichment_id is not null
) as e
where
    enrichment_id not in (
        select a.enrichment_id
        from nightshift.document_enrichments as a
        join stage_other_documents as o on o.document_id = a.document_id
        where a.spec = $spec
    )
    and enrichment_id not in (
        select q.enrichment_id
        from stage_asked as q
        join stage_other_documents as o on o.content_sha256 = q.content_sha256
        where q.enrichment_id is not null
    )
