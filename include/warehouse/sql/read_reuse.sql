-- What the answers that documents of a run took over cost when they were bought.
select
    count(*) as request_count,
    cast(coalesce(sum(cost_usd), 0) as decimal(18, 9)) as saved_usd
from (
    select e.document_id, r.request_id, min(r.cost_usd) as cost_usd
    from nightshift.document_enrichments as e
    join nightshift.results as r
        on r.spec = e.spec and r.enrichment_id = e.enrichment_id and r.outcome = 'succeeded'
    where e.spec = $spec and e.run_key = $run_key and e.is_reused
    group by e.document_id, r.request_id
) as reused
