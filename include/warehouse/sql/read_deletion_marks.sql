select document_id, deleted_at
from nightshift.documents
where spec = $spec and updated_at = $now
