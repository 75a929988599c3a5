update nightshift.documents as d
set is_current = v.is_newest, updated_at = $now
from (
    select
        document_id,
        row_number() over (
            partition by document_uri order by last_modified_at desc, object_version desc
        ) = 1 as is_newest
    from nightshift.documents
    where spec = $spec and document_uri in (select document_uri from stage_listed_uris)
) as v
where d.spec = $spec and d.document_id = v.document_id and d.is_current <> v.is_newest
