-- Documents that get no enrichment, and why.
create table nightshift.dead_letters (
    spec text not null, -- Name of the spec.
    document_id text not null, -- The document.
    prompt_version text not null, -- Prompt version under which it was asked.
    request_id text, -- Request that was given up, of a split document the one about the part; empty if none was sent.
    reason text not null, -- Why there will be no enrichment.
    error_type text, -- Type of the last error.
    error_message text, -- Message of the last error.
    attempts bigint not null, -- How often it was asked.
    last_batch_id text, -- Batch of the last attempt.
    run_key text not null, -- Run that gave up.
    created_at timestamptz not null, -- When the document first became a dead letter.
    updated_at timestamptz not null, -- When this row last changed.
    resolved_at timestamptz, -- When it ceased to be one.
    resolution text, -- What became of it: requeued, enriched or reused.
    primary key (spec, document_id, prompt_version)
)
