update nightshift.documents as d
set deleted_at = m.deleted_at, updated_at = $now
from stage_marks as m
where
    d.spec = $spec
    and d.document_id = m.document_id
    and d.deleted_at is distinct from m.deleted_at
