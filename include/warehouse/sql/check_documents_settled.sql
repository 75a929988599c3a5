select s.document_id
from stage_documents as s
left join nightshift.document_states as x
    on x.spec = $spec and x.run_key = $run_key and x.document_id = s.document_id
where x.document_id is null
