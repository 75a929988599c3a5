create or replace temporary view spec_enrichments as
select enrichment_id, prompt_version from nightshift."<spec>_enrichments"
