select i.table_name, i.enrichment_id, count(*) as item_count
from spec_items as i
join stage_new_enrichments as n on n.enrichment_id = i.enrichment_id
group by i.table_name, i.enrichment_id
order by i.table_name, i.enrichment_id
