update nightshift.documents as d
set deleted_at = o.last_modified_at, updated_at = $now
from stage_whole_objects as o
where
    d.spec = $spec
    and d.bucket = o.bucket
    and d.object_key = o.object_key
    and d.deleted_at is null
    and d.last_modified_at < o.last_modified_at
    and not exists (
        select 1 from stage_listed_uris as u where u.document_uri = d.document_uri
    )
