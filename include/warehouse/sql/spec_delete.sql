delete from nightshift."<table>"
where enrichment_id in (select enrichment_id from stage_unused_enrichments)
