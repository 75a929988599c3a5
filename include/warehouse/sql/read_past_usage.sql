select
    u.batch_id, u.prompt_version, u.round, u.created_at, u.token_class, u.request_count,
    cast(u.usual_tokens as double precision) as usual_tokens,
    cast(u.usual_squared as double precision) as usual_squared,
    cast(u.token_product as double precision) as token_product,
    u.prompt_tokens,
    cast(u.prompt_squared as double precision) as prompt_squared,
    u.output_tokens,
    cast(u.output_squared as double precision) as output_squared,
    u.cost_usd
from nightshift.past_usage as u
join (
    select batch_id, max(created_at) as created_at
    from nightshift.past_usage
    where
        spec = $spec
        and (model = $model or model = $escalation_model and round > 0)
        and created_at >= cast($since as timestamptz)
    group by batch_id
    order by created_at desc, batch_id
    limit 300
) as latest on latest.batch_id = u.batch_id
order by u.created_at, u.batch_id, u.token_class
