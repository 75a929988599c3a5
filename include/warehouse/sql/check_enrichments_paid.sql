select n.enrichment_id
from stage_new_enrichments as n
where
    not exists (
        select 1
        from stage_results as r
        where r.request_id = n.enrichment_id and r.outcome = 'succeeded'
    )
    and not exists (
        select 1
        from stage_parts as p
        join nightshift.part_answers as a on a.spec = $spec and a.request_id = p.request_id
        where p.enrichment_id = n.enrichment_id
    )
