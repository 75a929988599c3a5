select d.document_id, d.document_uri, d.content_sha256
from nightshift.documents as d
where
    d.spec = $spec
    and d.erased_at is null
    and d.document_id not in (select document_id from stage_erased)
    and (
        d.content_sha256 in (select content_sha256 from stage_asked where content_sha256 is not null)
        or d.document_id in (
            select a.document_id
            from nightshift.document_enrichments as a
            where
                a.spec = $spec
                and a.enrichment_id in (
                    select request_id from stage_asked
                    union
                    select enrichment_id from stage_asked where enrichment_id is not null
                    union
                    select p.enrichment_id
                    from nightshift.enrichment_parts as p
                    where p.spec = $spec and p.request_id in (select request_id from stage_asked)
                )
        )
    )
