update nightshift.documents
set state = 'pending', state_reason = 'in_flight', updated_at = $now
where
    spec = $spec
    and state in ('dead_letter', 'skipped')
    and document_id in (select document_id from stage_requeued)
