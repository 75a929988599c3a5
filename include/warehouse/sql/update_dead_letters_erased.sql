update nightshift.dead_letters
set error_message = null, updated_at = $now
where
    spec = $spec
    and error_message is not null
    and document_id in (select document_id from stage_erased)
