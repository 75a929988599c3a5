-- An older version of an object, listed by a backfill, brings nothing back.
update nightshift.documents as d
set deleted_at = null, updated_at = $now
from (
    select document_uri, max(last_modified_at) as last_modified_at
    from stage_listed
    group by document_uri
) as l
where
    d.spec = $spec
    and d.deleted_at is not null
    and d.document_uri = l.document_uri
    and l.last_modified_at > d.deleted_at
