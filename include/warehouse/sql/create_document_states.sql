-- What each run ended with, for every document that it worked on.
create table nightshift.document_states (
    spec text not null, -- Name of the spec.
    run_key text not null, -- The run.
    document_id text not null, -- The document.
    state text not null, -- State in which the run left the document; changes only from pending.
    state_reason text, -- Why the document is in that state.
    updated_at timestamptz not null, -- When this row last changed.
    primary key (spec, run_key, document_id),
    check (state in ('enriched', 'reused', 'skipped', 'dead_letter', 'pending'))
)
