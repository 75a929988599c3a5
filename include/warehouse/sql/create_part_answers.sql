-- Answers about parts of long documents; of those of all parts one enrichment is made.
create table nightshift.part_answers (
    spec text not null, -- Name of the spec.
    request_id text not null, -- Request about the part.
    prompt_version text not null, -- Prompt version under which it was asked.
    answer text not null, -- The validated answer, as JSON.
    answer_model text not null, -- Model that answered.
    is_simulated boolean not null, -- Whether a simulator answered instead of the API.
    loaded_at timestamptz not null, -- When the answer was loaded.
    primary key (spec, request_id)
)
