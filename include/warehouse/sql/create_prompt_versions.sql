-- What was asked under each prompt version.
create table nightshift.prompt_versions (
    spec text not null, -- Name of the spec.
    prompt_version text not null, -- Digest of prompt, output schema, model and parameters.
    model text not null, -- Model that was asked.
    prompt_text text not null, -- The prompt.
    output_schema text not null, -- JSON schema of the answer.
    first_used_at timestamptz not null, -- When a run first asked under it.
    activated_at timestamptz not null, -- When it last took over from another; the view prefers the latest.
    primary key (spec, prompt_version)
)
