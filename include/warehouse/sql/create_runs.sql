-- Every night: what was listed, what became of it and what it cost.
create table nightshift.runs (
    spec text not null, -- Name of the spec.
    run_key text not null, -- The run.
    dag_id text not null, -- Its DAG.
    run_id text not null, -- Its id in Airflow.
    run_type text not null, -- Scheduled, manual or backfill.
    night date, -- UTC date on which the interval of the run begins.
    window_start_at timestamptz, -- Start of the window that was listed, inclusive.
    window_end_at timestamptz, -- End of the window that was listed, exclusive.
    prompt_version text not null, -- Prompt version under which it asked.
    listed_count bigint not null, -- Documents of the run: the sum of the six counts.
    enriched_count bigint not null, -- Documents with an answer bought for them.
    reused_count bigint not null, -- Documents with an answer that was there already.
    unchanged_count bigint not null, -- Versions that an earlier run had settled.
    skipped_count bigint not null, -- Documents without text to ask about.
    dead_letter_count bigint not null, -- Documents given up.
    pending_count bigint not null, -- Documents left to a later run.
    forecast_usd decimal(18, 9), -- Cost foretold before anything was submitted, retries included.
    forecast_lower_usd decimal(18, 9), -- The lower end of its interval.
    forecast_upper_usd decimal(18, 9), -- The upper end of its interval.
    actual_usd decimal(18, 9) not null, -- Cost of what the run bought.
    is_complete boolean not null, -- Whether the whole window was listed and nothing broke.
    verdict text not null, -- Why the run is green or red.
    started_at timestamptz not null, -- When the run started.
    finished_at timestamptz, -- When the run was reconciled.
    primary key (spec, run_key)
)
