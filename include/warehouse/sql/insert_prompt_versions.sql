insert into nightshift.prompt_versions (
    spec, prompt_version, model, prompt_text, output_schema, first_used_at, activated_at
)
values (
    $spec, $prompt_version, $model, $prompt_text, $output_schema,
    cast($asked_at as timestamptz), cast($asked_at as timestamptz)
)
on conflict (spec, prompt_version) do nothing
