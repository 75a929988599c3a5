insert into nightshift.document_enrichments (
    spec, document_id, prompt_version, enrichment_id, part_count, left_out_characters, run_key,
    is_reused, loaded_at
)
select
    $spec,
    s.document_id,
    e.prompt_version,
    e.enrichment_id,
    s.part_count,
    s.left_out_characters,
    $run_key,
    n.enrichment_id is null
    or not exists (
        select 1
        from nightshift.results as r
        where
            r.spec = $spec
            and r.enrichment_id = s.enrichment_id
            and r.document_id = s.document_id
            and r.outcome = 'succeeded'
    ),
    cast($now as timestamptz)
from stage_documents as s
join spec_enrichments as e on e.enrichment_id = s.enrichment_id
left join stage_new_enrichments as n on n.enrichment_id = s.enrichment_id
where coalesce(s.fixed_state, 'pending') = 'pending'
on conflict (spec, document_id, prompt_version, enrichment_id) do nothing
