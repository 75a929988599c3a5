with final_failures as (
    select
        coalesce(p.enrichment_id, f.request_id) as enrichment_id,
        f.request_id,
        f.reason,
        f.error_type,
        case
            when p.part_number is null then f.error_message
            else concat(
                'part ', p.part_number, ' of ', p.part_count, coalesce(': ' || f.error_message, '')
            )
        end as error_message,
        f.attempts,
        f.last_batch_id,
        row_number() over (
            partition by coalesce(p.enrichment_id, f.request_id)
            order by p.part_number, f.attempts desc, f.reason
        ) as choice
    from stage_failures as f
    left join stage_parts as p on p.request_id = f.request_id
    where f.is_final
),

known_letters as (
    select
        coalesce(p.enrichment_id, l.request_id) as enrichment_id,
        l.request_id, l.reason, l.error_type, l.error_message, l.attempts, l.last_batch_id,
        row_number() over (
            partition by coalesce(p.enrichment_id, l.request_id)
            order by p.part_number, l.created_at, l.document_id
        ) as choice
    from nightshift.dead_letters as l
    left join stage_parts as p on p.request_id = l.request_id
    where
        l.spec = $spec
        and l.prompt_version = $prompt_version
        and l.resolved_at is null
        and coalesce(p.enrichment_id, l.request_id) in (
            select enrichment_id from stage_documents
        )
)

select
    s.document_id,
    case
        when s.fixed_state <> 'pending' then s.fixed_state
        when e.is_reused then 'reused'
        when not e.is_reused then 'enriched'
        when f.reason is not null or k.reason is not null then 'dead_letter'
        else 'pending'
    end as state,
    case
        when s.fixed_state <> 'pending' then s.fixed_reason
        when e.is_reused is not null then null
        else coalesce(f.reason, k.reason, s.fixed_reason, $pending_reason)
    end as state_reason,
    coalesce(f.request_id, k.request_id) as request_id,
    coalesce(f.error_type, k.error_type) as error_type,
    coalesce(f.error_message, k.error_message) as error_message,
    coalesce(f.attempts, k.attempts, 0) as attempts,
    coalesce(f.last_batch_id, k.last_batch_id) as last_batch_id
from stage_documents as s
left join nightshift.document_enrichments as e
    on e.spec = $spec and e.document_id = s.document_id and e.enrichment_id = s.enrichment_id
left join final_failures as f on f.enrichment_id = s.enrichment_id and f.choice = 1
left join known_letters as k on k.enrichment_id = s.enrichment_id and k.choice = 1
