select document_id, count(*) as row_count
from stage_documents
group by document_id
having count(*) > 1
