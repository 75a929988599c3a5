insert into nightshift.enrichment_parts (spec, enrichment_id, part_number, request_id)
select $spec, enrichment_id, part_number, request_id
from stage_parts
on conflict (spec, enrichment_id, part_number) do nothing
