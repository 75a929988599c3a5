select spec, document_id
from nightshift.documents
where document_uri = $document_uri
order by spec, document_id
