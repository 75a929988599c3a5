select distinct d.document_uri
from nightshift.documents as d
where
    d.spec = $spec
    and d.erased_at is not null
    and d.document_id not in (select document_id from stage_erased)
    and (
        d.content_sha256 in (select content_sha256 from stage_asked where content_sha256 is not null)
        or d.document_id in (
            select r.document_id
            from nightshift.results as r
            where
                r.spec = $spec
                and (
                    r.request_id in (select request_id from stage_asked)
                    or r.enrichment_id in (
                        select p.enrichment_id
                        from nightshift.enrichment_parts as p
                        where p.spec = $spec and p.request_id in (select request_id from stage_asked)
                    )
                )
        )
    )
order by d.document_uri
