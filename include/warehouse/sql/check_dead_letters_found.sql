select d.document_id, d.state_reason
from nightshift.documents as d
join stage_documents as s on s.document_id = d.document_id
where
    d.spec = $spec
    and d.state = 'dead_letter'
    and not exists (
        select 1
        from nightshift.dead_letters as l
        where l.spec = d.spec and l.document_id = d.document_id and l.resolved_at is null
    )
