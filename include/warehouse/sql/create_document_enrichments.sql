-- Which enrichment answers for which document; documents of equal content share one.
create table nightshift.document_enrichments (
    spec text not null, -- Name of the spec.
    document_id text not null, -- The document.
    prompt_version text not null, -- Prompt version under which it was asked.
    enrichment_id text not null, -- The enrichment.
    part_count bigint, -- Parts that the document was asked about in; empty when it was asked about at once.
    left_out_characters bigint, -- Characters at the end that were not sent; empty when all were.
    run_key text not null, -- Run that joined the two.
    is_reused boolean not null, -- Whether the answer was bought for another document or an earlier run.
    loaded_at timestamptz not null, -- When this row was loaded.
    primary key (spec, document_id, prompt_version, enrichment_id)
)
