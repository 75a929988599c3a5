update nightshift.dead_letters
set resolved_at = $now, resolution = 'requeued', updated_at = $now
where
    spec = $spec
    and resolved_at is null
    and reason in (select reason from stage_requeue_reasons)
    and document_id in (select document_id from stage_requeued)
