-- Which ledger the tables of a spec were loaded from.
create table nightshift.ledgers (
    spec text primary key, -- Name of the spec.
    ledger_id text not null, -- Identity of the ledger.
    created_at timestamptz not null -- When it was first seen.
)
