select
    d.enrichment_id, a.prompt_version, a.answer, a.answer_model, a.is_simulated
from stage_answered_documents as d
join stage_parts as p on p.enrichment_id = d.enrichment_id
join nightshift.part_answers as a on a.spec = $spec and a.request_id = p.request_id
where d.place > cast($after as bigint) and d.place <= cast($until as bigint)
order by d.place, p.part_number
