update nightshift.dead_letters as l
set resolved_at = $now, resolution = m.state, updated_at = $now
from stage_settled as m
where
    l.spec = $spec
    and l.document_id = m.document_id
    and m.state in ('enriched', 'reused')
    and (l.resolved_at is null or l.resolution = 'requeued')
