select request_id
from stage_forgotten
order by request_id
