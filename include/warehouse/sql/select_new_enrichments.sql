select s.enrichment_id, min(s.row_number) as row_number
from stage_enrichments as s
where not exists (select 1 from spec_enrichments as e where e.enrichment_id = s.enrichment_id)
group by s.enrichment_id
