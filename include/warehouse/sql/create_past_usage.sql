-- What the answered requests of a batch were, by class and in sums: forecasts learn from it.
create table nightshift.past_usage (
    batch_id text not null, -- The batch.
    token_class text not null, -- Requests with about as many characters to a token.
    spec text not null, -- Name of the spec.
    model text not null, -- Model that answered.
    prompt_version text not null, -- Prompt version that was asked.
    round bigint not null, -- 0 for the night's own submission, 1 to 3 for retries.
    created_at timestamptz, -- When the API created the batch.
    request_count bigint not null, -- Requests that were answered, and billed.
    usual_tokens decimal(38, 6) not null, -- Sum of what their characters usually are in tokens.
    usual_squared decimal(38, 6) not null, -- Sum of the squares of that.
    token_product decimal(38, 6) not null, -- Sum of usual times counted tokens.
    prompt_tokens bigint not null, -- Sum of the tokens that were read, the cache included.
    prompt_squared decimal(38, 6) not null, -- Sum of their squares.
    output_tokens bigint not null, -- Sum of the tokens of the answers, thinking included.
    output_squared decimal(38, 6) not null, -- Sum of their squares.
    thinking_tokens bigint not null, -- Of them, those that were thought.
    cache_read_tokens bigint not null, -- Sum of the tokens that were read from the cache.
    cache_write_tokens bigint not null, -- Sum of the tokens that were written to the cache.
    cost_usd decimal(18, 9) not null, -- Sum of the cost at batch price.
    primary key (batch_id, token_class)
)
