select s.document_id
from stage_documents as s
left join nightshift.documents as d on d.spec = $spec and d.document_id = s.document_id
where d.document_id is null
