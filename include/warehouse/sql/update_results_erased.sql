update nightshift.results
set error_message = null
where
    spec = $spec
    and error_message is not null
    and request_id in (select request_id from stage_forgotten)
