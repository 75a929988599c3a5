select v.enrichment_id, v.column_name, v.value
from spec_enums as v
join stage_new_enrichments as n on n.enrichment_id = v.enrichment_id
left join stage_allowed_values as a on a.column_name = v.column_name and a.value = v.value
where v.value is not null and a.value is null
order by v.enrichment_id, v.column_name
