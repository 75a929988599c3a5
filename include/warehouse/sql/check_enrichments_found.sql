select x.document_id, x.enrichment_id
from nightshift.document_enrichments as x
join stage_documents as s on s.document_id = x.document_id
left join spec_enrichments as e on e.enrichment_id = x.enrichment_id
where x.spec = $spec and e.enrichment_id is null
