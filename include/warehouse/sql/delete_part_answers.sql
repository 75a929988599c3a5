delete from nightshift.part_answers
where spec = $spec and request_id in (select request_id from stage_forgotten)
