delete from nightshift.document_enrichments
where spec = $spec and document_id in (select document_id from stage_erased)
