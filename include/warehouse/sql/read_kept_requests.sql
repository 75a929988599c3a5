select request_id, min(document_uri) as document_uri
from stage_kept_requests
group by request_id
order by request_id
