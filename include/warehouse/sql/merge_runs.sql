insert into nightshift.runs as r (
    spec, run_key, dag_id, run_id, run_type, night, window_start_at, window_end_at,
    prompt_version, listed_count, enriched_count, reused_count, unchanged_count, skipped_count,
    dead_letter_count, pending_count, forecast_usd, forecast_lower_usd, forecast_upper_usd, actual_usd,
    is_complete, verdict, started_at, finished_at
)
select
    $spec, $run_key, $dag_id, $run_id, $run_type, cast($night as date),
    cast($window_start_at as timestamptz), cast($window_end_at as timestamptz), $prompt_version,
    cast($listed_count as bigint),
    count(*) filter (where state = 'enriched'),
    count(*) filter (where state = 'reused'),
    cast($unchanged_count as bigint),
    count(*) filter (where state = 'skipped'),
    count(*) filter (where state = 'dead_letter'),
    count(*) filter (where state = 'pending'),
    cast($forecast_usd as decimal(18, 9)),
    cast($forecast_lower_usd as decimal(18, 9)),
    cast($forecast_upper_usd as decimal(18, 9)),
    (
        select cast(coalesce(sum(cost_usd), 0) as decimal(18, 9))
        from nightshift.results
        where spec = $spec and run_key = $run_key
    ),
    cast($is_complete as boolean), $verdict,
    cast($started_at as timestamptz), cast($finished_at as timestamptz)
from nightshift.document_states
where spec = $spec and run_key = $run_key
on conflict (spec, run_key) do update set
    dag_id = excluded.dag_id,
    run_id = excluded.run_id,
    run_type = excluded.run_type,
    night = excluded.night,
    window_start_at = excluded.window_start_at,
    window_end_at = excluded.window_end_at,
    prompt_version = excluded.prompt_version,
    listed_count = excluded.listed_count,
    enriched_count = excluded.enriched_count,
    reused_count = excluded.reused_count,
    unchanged_count = excluded.unchanged_count,
    skipped_count = excluded.skipped_count,
    dead_letter_count = excluded.dead_letter_count,
    pending_count = excluded.pending_count,
    forecast_usd = excluded.forecast_usd,
    forecast_lower_usd = excluded.forecast_lower_usd,
    forecast_upper_usd = excluded.forecast_upper_usd,
    actual_usd = excluded.actual_usd,
    is_complete = excluded.is_complete,
    verdict = excluded.verdict,
    finished_at = excluded.finished_at
where
    (
        r.dag_id, r.run_id, r.run_type, r.night, r.window_start_at, r.window_end_at,
        r.prompt_version, r.listed_count, r.enriched_count, r.reused_count, r.unchanged_count, r.skipped_count,
        r.dead_letter_count, r.pending_count, r.forecast_usd, r.forecast_lower_usd,
        r.forecast_upper_usd, r.actual_usd, r.is_complete,
        r.verdict, r.finished_at is null
    ) is distinct from (
        excluded.dag_id, excluded.run_id, excluded.run_type, excluded.night,
        excluded.window_start_at, excluded.window_end_at, excluded.prompt_version, excluded.listed_count,
        excluded.enriched_count, excluded.reused_count, excluded.unchanged_count,
        excluded.skipped_count, excluded.dead_letter_count, excluded.pending_count,
        excluded.forecast_usd, excluded.forecast_lower_usd, excluded.forecast_upper_usd,
        excluded.actual_usd, excluded.is_complete, excluded.verdict,
        excluded.finished_at is null
    )
