with needed as (
    select distinct request_id, enrichment_id
    from stage_needed
),

answers as (
    select n.request_id
    from needed as n
    join spec_enrichments as e on e.enrichment_id = n.request_id
    union
    select n.request_id
    from needed as n
    join nightshift.part_answers as a on a.spec = $spec and a.request_id = n.request_id
),

open_letters as (
    select request_id, min(reason) as reason
    from nightshift.dead_letters
    where
        spec = $spec
        and prompt_version = $prompt_version
        and resolved_at is null
        and request_id is not null
    group by request_id
),

-- One request given up is the end of every document that it is about, whole or in parts.
given_up as (
    select n.enrichment_id, min(l.reason) as reason
    from needed as n
    join open_letters as l on l.request_id = n.request_id
    group by n.enrichment_id
    union
    select n.enrichment_id, min(l.reason) as reason
    from needed as n
    join open_letters as l on l.request_id = n.enrichment_id
    group by n.enrichment_id
),

letters as (
    select n.request_id, min(g.reason) as reason
    from needed as n
    left join given_up as g on g.enrichment_id = n.enrichment_id
    where not exists (select 1 from answers as a where a.request_id = n.request_id)
    group by n.request_id
    having count(distinct n.enrichment_id) = count(distinct g.enrichment_id)
),

paid as (
    select
        n.request_id, r.outcome, r.error_message, r.attempt,
        row_number() over (
            partition by n.request_id order by r.attempt desc, r.loaded_at desc, r.batch_id
        ) as choice
    from (select distinct request_id from needed) as n
    join nightshift.results as r on r.spec = $spec and r.request_id = n.request_id
    where
        r.outcome in ('truncated', 'invalid_output')
        and not exists (select 1 from answers as a where a.request_id = n.request_id)
        and not exists (select 1 from letters as l where l.request_id = n.request_id)
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
