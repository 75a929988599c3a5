select e.enrichment_id, i.ordinal, i.value
from nightshift."<spec>_enrichments" as e
cross join lateral unnest(e."<field>") with ordinality as i (value, ordinal)
