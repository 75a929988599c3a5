select state, state_reason, count(*) as document_count
from nightshift.document_states
where spec = $spec and run_key = $run_key
group by state, state_reason
order by state, state_reason
