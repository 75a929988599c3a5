select 'dead_letter' as state, reason as state_reason, count(*) as document_count
from nightshift.open_dead_letters
where spec = $spec
group by reason
order by count(*) desc, reason
