select document_uri, count(*) as version_count, count(*) filter (where is_current) as current_count
from nightshift.documents
where spec = $spec and document_uri in (select document_uri from stage_listed_uris)
group by document_uri
having count(*) filter (where is_current) <> 1
