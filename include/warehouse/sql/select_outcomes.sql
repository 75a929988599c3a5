with final_failures as (
    select
        request_id, reason, error_type, error_message, attempts, last_batch_id,
        row_number() over (partition by request_id order by attempts desc, reason) as choice
    from stage_failures
    where is_final
),

known_letters as (
    select
        d.content_sha256, l.reason, l.error_type, l.error_message, l.attempts, l.last_batch_id,
        row_number() over (partition by d.content_sha256 order by l.created_at, l.document_id) as choice
    from nightshift.dead_letters as l
    join nightshift.documents as d on d.spec = l.spec and d.document_id = l.document_id
    where
        l.spec = $spec
        and l.prompt_version = $prompt_version
        and l.resolved_at is null
        and d.content_sha256 in (select content_sha256 from stage_documents)
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
    coalesce(f.error_type, k.error_type) as error_type,
    coalesce(f.error_message, k.error_message) as error_message,
    coalesce(f.attempts, k.attempts, 0) as attempts,
    coalesce(f.last_batch_id, k.last_batch_id) as last_batch_id
from stage_documents as s
left join nightshift.document_enrichments as e
    on e.spec = $spec and e.document_id = s.document_id and e.enrichment_id = s.enrichment_id
left join final_failures as f on f.request_id = s.request_id and f.choice = 1
left join known_letters as k on k.content_sha256 = s.content_sha256 and k.choice = 1
