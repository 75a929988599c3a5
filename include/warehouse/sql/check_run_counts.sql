select
    run_key, listed_count, enriched_count, reused_count, unchanged_count, skipped_count,
    dead_letter_count, pending_count
from nightshift.runs
where
    spec = $spec
    and run_key = $run_key
    and listed_count <> enriched_count + reused_count + unchanged_count + skipped_count
        + dead_letter_count + pending_count
