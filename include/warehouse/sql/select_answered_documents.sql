select
    p.enrichment_id,
    p.part_count,
    row_number() over (order by p.enrichment_id) as place
from stage_parts as p
join nightshift.part_answers as a on a.spec = $spec and a.request_id = p.request_id
where not exists (select 1 from spec_enrichments as e where e.enrichment_id = p.enrichment_id)
group by p.enrichment_id, p.part_count
having count(*) = p.part_count
