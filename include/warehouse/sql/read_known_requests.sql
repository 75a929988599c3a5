with needed as (
    select request_id, min(content_sha256) as content_sha256
    from stage_needed
    group by request_id
),

answers as (
    select n.request_id
    from needed as n
    join spec_enrichments as e on e.enrichment_id = n.request_id
),

letters as (
    select n.request_id, min(l.reason) as reason
    from needed as n
    join nightshift.documents as d on d.spec = $spec and d.content_sha256 = n.content_sha256
    join nightshift.dead_letters as l on l.spec = d.spec and l.document_id = d.document_id
    where
        l.prompt_version = $prompt_version
        and l.resolved_at is null
        and n.request_id not in (select request_id from answers)
    group by n.request_id
),

paid as (
    select
        n.request_id, r.outcome, r.error_message, r.attempt,
        row_number() over (
            partition by n.request_id order by r.attempt desc, r.loaded_at desc, r.batch_id
        ) as choice
    from needed as n
    join nightshift.results as r on r.spec = $spec and r.request_id = n.request_id
    where
        r.outcome in ('truncated', 'invalid_output')
        and n.request_id not in (select request_id from answers)
        and n.request_id not in (select request_id from letters)
)

select
    request_id, 'answer' as known, cast(null as text) as reason,
    cast(null as text) as error_message, cast(null as bigint) as attempts
from answers
union all
select request_id, 'dead_letter', reason, null, null
from letters
union all
select request_id, 'failed', outcome, error_message, attempt
from paid
where choice = 1
order by request_id
