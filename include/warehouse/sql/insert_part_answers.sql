insert into nightshift.part_answers (
    spec, request_id, prompt_version, answer, answer_model, is_simulated, loaded_at
)
select
    $spec, request_id, prompt_version, answer, answer_model, is_simulated, cast($now as timestamptz)
from (
    select
        s.*, row_number() over (partition by s.request_id order by s.answer, s.answer_model) as choice
    from stage_part_answers as s
) as s
where choice = 1
on conflict (spec, request_id) do nothing
