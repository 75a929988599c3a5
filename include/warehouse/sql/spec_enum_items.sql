select e.enrichment_id, '<table>.<field>' as column_name, i.value
from nightshift."<table>" as e
cross join lateral unnest(e."<field>") as i (value)
