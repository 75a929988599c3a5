update nightshift.documents
set deleted_at = null, updated_at = $now
where
    spec = $spec
    and deleted_at is not null
    and document_uri in (select document_uri from stage_listed_uris)
