select distinct request_id
from stage_asked
where request_id not in (select request_id from stage_kept_requests)
