-- Every batch that the API accepted.
create table nightshift.batches (
    batch_id text primary key, -- The API's id.
    shard_id text not null, -- Shard of requests that became this batch.
    spec text not null, -- Name of the spec.
    run_key text not null, -- Run that submitted it.
    round bigint not null, -- 0 for the night's own submission, 1 to 3 for retries.
    state text not null, -- As of the last load: submitted, ended or abandoned without results, loaded, or surplus (a second batch of one shard).
    request_count bigint not null, -- Requests in it.
    body_bytes bigint not null, -- Size of its body on the wire.
    is_adopted boolean not null, -- Whether it was found by looking, its answer having been lost.
    created_at timestamptz, -- When the API created it.
    expires_at timestamptz, -- When the API gives up on it.
    ended_at timestamptz, -- When the API had finished it.
    collected_at timestamptz, -- When its results were downloaded.
    loaded_at timestamptz -- When its results were loaded; never changes then.
)
