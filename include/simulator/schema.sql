-- Times are seconds since 1970 on the virtual clock.
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value REAL NOT NULL);

CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id TEXT NOT NULL UNIQUE,
    workspace TEXT NOT NULL,
    request_count INTEGER NOT NULL,
    created_at REAL NOT NULL,
    visible_at REAL NOT NULL,    -- a listing shows it from here on
    done_at REAL NOT NULL,       -- its last request is answered, if nothing ends it earlier
    due_at REAL NOT NULL,        -- it ends, as things stand
    cancel_initiated_at REAL,
    ended_at REAL,
    cutoff_at REAL,              -- requests that finish later get cutoff_result
    cutoff_result TEXT,
    succeeded INTEGER NOT NULL DEFAULT 0,
    errored INTEGER NOT NULL DEFAULT 0,
    canceled INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0,
    deleted_at REAL,
    body_bytes INTEGER NOT NULL,
    body_sha256 TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS unfinished ON batches (due_at) WHERE ended_at IS NULL;

CREATE TABLE IF NOT EXISTS items (
    batch_number INTEGER NOT NULL,
    position INTEGER NOT NULL,
    custom_id TEXT NOT NULL,
    prompt_digest BLOB NOT NULL,
    model TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER,       -- known once the answer was written
    finish_seconds REAL NOT NULL, -- after the creation of its batch
    result_type TEXT NOT NULL,   -- if it finishes
    fate TEXT NOT NULL,          -- JSON: why, and what the answer looks like
    is_charged INTEGER NOT NULL,
    PRIMARY KEY (batch_number, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS purchases ON items (custom_id, prompt_digest);

CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    workspace TEXT NOT NULL,
    model TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_usd TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at REAL NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    workspace TEXT NOT NULL,
    body_bytes INTEGER NOT NULL,
    body_sha256 TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS faults (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    fault TEXT NOT NULL,         -- JSON, as it was set
    skip INTEGER NOT NULL,
    remaining INTEGER            -- NULL: for ever
);
CREATE TABLE IF NOT EXISTS fault_hits (
    fault_number INTEGER NOT NULL,
    custom_id TEXT NOT NULL,
    hits INTEGER NOT NULL,
    PRIMARY KEY (fault_number, custom_id)
) WITHOUT ROWID;

CREATE VIEW IF NOT EXISTS outcomes AS
SELECT
    items.*,
    batches.batch_id,
    batches.workspace,
    batches.created_at,
    batches.ended_at,
    CASE
        WHEN batches.ended_at IS NULL THEN NULL
        WHEN batches.cutoff_at IS NULL OR items.finish_seconds <= batches.cutoff_at - batches.created_at THEN items.result_type
        ELSE batches.cutoff_result
    END AS outcome
FROM items
INNER JOIN batches ON items.batch_number = batches.number;
