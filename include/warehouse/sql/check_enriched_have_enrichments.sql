select d.document_id, d.state
from nightshift.documents as d
join stage_documents as s on s.document_id = d.document_id
where
    d.spec = $spec
    and d.state in ('enriched', 'reused')
    and d.erased_at is null
    and coalesce(s.fixed_state, 'pending') not in ('enriched', 'reused')
    and not exists (
        select 1
        from nightshift.document_enrichments as e
        where e.spec = d.spec and e.document_id = d.document_id
    )
