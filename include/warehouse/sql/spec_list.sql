select
    e.enrichment_id, -- The answer that the item belongs to.
    i.ordinal, -- Place of the item in its list, from 1.
    i.value -- The item.
from nightshift."<spec>_enrichments" as e
cross join lateral unnest(e."<field>") with ordinality as i (value, ordinal)
