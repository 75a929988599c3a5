select
    count(*) filter (where l.document_id is not null) as listed_count,
    count(*) filter (where s.document_id is not null) as taken_count,
    count(*) filter (where s.document_id is null) as unchanged_count,
    count(*) filter (where l.document_id is null) as carried_over_count
from (select distinct document_id from stage_listed) as l
full join (
    select document_id
    from nightshift.document_states
    where spec = $spec and run_key = $run_key
) as s on s.document_id = l.document_id
