insert into nightshift.results (
    batch_id, request_id, spec, enrichment_id, part_number, part_count, document_id, run_key,
    attempt, outcome, stop_reason, error_type, error_message, model, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, thinking_tokens, prompt_characters, cost_usd,
    list_cost_usd, loaded_at
)
select
    batch_id, request_id, $spec, enrichment_id, part_number, part_count, document_id, run_key,
    attempt, outcome, stop_reason, error_type, error_message, model, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, thinking_tokens, prompt_characters, cost_usd,
    list_cost_usd, cast($now as timestamptz)
from stage_results
on conflict (batch_id, request_id) do nothing
