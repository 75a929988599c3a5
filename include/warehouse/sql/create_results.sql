-- Every answer of the API, good and bad, with its tokens and cost; every cost figure is a sum over it.
create table nightshift.results (
    batch_id text not null, -- Batch that brought the answer, or the message that was tried before the first batch.
    request_id text not null, -- Request that it answers, the custom_id of the API.
    spec text not null, -- Name of the spec.
    enrichment_id text, -- Enrichment that a good answer becomes, or is part of; bad answers have it, too.
    part_number bigint, -- Which part of a split document was asked about.
    part_count bigint, -- How many parts the document was split into.
    document_id text, -- Document for which it was bought.
    run_key text not null, -- Run that bought it.
    attempt bigint not null, -- 1 for the first time of asking, 2 to 4 for the retry rounds, 0 for a message tried before the first batch.
    outcome text not null, -- What came back; preflight for a message tried before the first batch, which is paid at list price.
    stop_reason text, -- Why the model stopped, as the API says it.
    error_type text, -- Type of the error.
    error_message text, -- Message of the error.
    model text, -- Model that answered.
    input_tokens bigint not null, -- Input tokens billed in full.
    output_tokens bigint not null, -- Output tokens billed.
    cache_read_tokens bigint not null, -- Input tokens read from the cache.
    cache_write_tokens bigint not null, -- Input tokens written to the cache.
    thinking_tokens bigint, -- Of the output tokens, those that were thought.
    prompt_characters bigint, -- Characters of the request as it was sent, pictures left out.
    cost_usd decimal(18, 9) not null, -- What was paid: batch price, and list price for a message tried before the first batch.
    list_cost_usd decimal(18, 9) not null, -- What the same tokens cost outside a batch.
    loaded_at timestamptz not null, -- When this row was loaded.
    primary key (batch_id, request_id)
)
