select d.document_uri, d.object_key
from nightshift.documents as d
left join spec_keys as k on k.document_uri = d.document_uri
where d.spec = $spec and d.is_current and k.key_pattern is distinct from $key_pattern
limit $row_limit
