-- A line that was changed and changed back is current again.
update nightshift.documents as d
set last_modified_at = l.last_modified_at, updated_at = $now
from (
    select document_id, max(last_modified_at) as last_modified_at
    from stage_listed
    group by document_id
) as l
where
    d.spec = $spec
    and d.document_id = l.document_id
    and not d.is_current
    and d.last_modified_at < l.last_modified_at
