update nightshift.documents
set erased_at = $erased_at, updated_at = $now
where
    spec = $spec
    and erased_at is null
    and document_id in (select document_id from stage_erased)
