-- What was bought, by batch, model and price step.
SELECT
    batch_number,
    batch_id,
    workspace,
    model,
    input_tokens > :long_prompt_tokens AS is_long,
    count(*) AS requests,
    count(*) FILTER (WHERE outcome = 'succeeded') AS succeeded,
    coalesce(sum(input_tokens) FILTER (WHERE outcome = 'succeeded' AND is_charged), 0) AS input_tokens,
    coalesce(sum(output_tokens) FILTER (WHERE outcome = 'succeeded' AND is_charged), 0) AS output_tokens,
    coalesce(sum(json_extract(fate, '$.cache.read_tokens')) FILTER (WHERE outcome = 'succeeded' AND is_charged), 0) AS read_tokens,
    coalesce(sum(json_extract(fate, '$.cache.write_5m_tokens')) FILTER (WHERE outcome = 'succeeded' AND is_charged), 0) AS write_5m_tokens,
    coalesce(sum(json_extract(fate, '$.cache.write_1h_tokens')) FILTER (WHERE outcome = 'succeeded' AND is_charged), 0) AS write_1h_tokens
FROM outcomes
GROUP BY batch_number, batch_id, workspace, model, is_long
ORDER BY batch_number;
