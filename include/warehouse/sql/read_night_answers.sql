select a.*
from spec_answers as a
where
    a.run_key in (
        select r.run_key
        from nightshift.runs as r
        where r.spec = $spec and r.night = cast($night as date)
    )
order by a.document_uri, a.document_id, a.enrichment_id
