update nightshift.documents
set
    last_run_key = $run_key,
    state_reason = case when state = 'pending' then 'in_flight' else state_reason end,
    updated_at = $now
where
    spec = $spec
    and document_id in (select document_id from stage_taken)
    and (last_run_key <> $run_key or (state = 'pending' and state_reason <> 'in_flight'))
