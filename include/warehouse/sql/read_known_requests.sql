select n.request_id, 'answer' as known, cast(null as text) as reason
from (select distinct request_id from stage_needed) as n
join spec_enrichments as e on e.enrichment_id = n.request_id
union all
select n.request_id, 'dead_letter' as known, min(l.reason) as reason
from stage_needed as n
join nightshift.documents as d on d.spec = $spec and d.content_sha256 = n.content_sha256
join nightshift.dead_letters as l on l.spec = d.spec and l.document_id = d.document_id
where
    l.prompt_version = $prompt_version
    and l.resolved_at is null
    and not exists (select 1 from spec_enrichments as e where e.enrichment_id = n.request_id)
group by n.request_id
order by request_id
