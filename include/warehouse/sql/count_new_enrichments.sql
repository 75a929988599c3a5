select count(*) as row_count from stage_new_enrichments
