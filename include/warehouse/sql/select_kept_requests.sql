select q.request_id, min(o.document_uri) as document_uri
from stage_asked as q
join stage_other_documents as o on o.content_sha256 = q.content_sha256
group by q.request_id
union all
select q.request_id, min(o.document_uri) as document_uri
from stage_asked as q
left join nightshift.enrichment_parts as p on p.spec = $spec and p.request_id = q.request_id
join nightshift.document_enrichments as a
    on a.spec = $spec and (a.enrichment_id = q.request_id or a.enrichment_id = p.enrichment_id)
join stage_other_documents as o on o.document_id = a.document_id
group by q.request_id
