insert into nightshift.past_usage (
    batch_id, token_class, spec, model, prompt_version, round, created_at, request_count,
    usual_tokens, usual_squared, token_product, prompt_tokens, prompt_squared, output_tokens,
    output_squared, thinking_tokens, cache_read_tokens, cache_write_tokens, cost_usd
)
select
    r.batch_id, r.token_class, $spec, min(r.model), $prompt_version, min(r.attempt) - 1,
    min(b.created_at), count(*),
    cast(sum(r.usual_tokens) as decimal(38, 6)),
    cast(sum(r.usual_tokens * r.usual_tokens) as decimal(38, 6)),
    cast(sum(r.usual_tokens * r.prompt_tokens) as decimal(38, 6)),
    cast(sum(r.prompt_tokens) as bigint),
    cast(sum(cast(r.prompt_tokens as double precision) * r.prompt_tokens) as decimal(38, 6)),
    cast(sum(r.output_tokens) as bigint),
    cast(sum(cast(r.output_tokens as double precision) * r.output_tokens) as decimal(38, 6)),
    cast(sum(r.thinking_tokens) as bigint),
    cast(sum(r.cache_read_tokens) as bigint),
    cast(sum(r.cache_write_tokens) as bigint),
    cast(sum(r.cost_usd) as decimal(18, 9))
from (
    select
        batch_id, token_class, model, attempt, output_tokens, cache_read_tokens,
        cache_write_tokens, cost_usd,
        coalesce(thinking_tokens, 0) as thinking_tokens,
        prompt_characters / cast(2.5 as double precision) + coalesce(picture_tokens, 0) as usual_tokens,
        input_tokens + cache_read_tokens + cache_write_tokens as prompt_tokens
    from stage_results
    where cost_usd > 0 and token_class is not null and prompt_characters is not null
) as r
left join stage_batches as b on b.batch_id = r.batch_id
group by r.batch_id, r.token_class
on conflict (batch_id, token_class) do nothing
