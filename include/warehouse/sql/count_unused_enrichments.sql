select count(*) as row_count
from stage_unused_enrichments as u
join spec_enrichments as e on e.enrichment_id = u.enrichment_id
