select max(window_end_at) as window_end_at
from nightshift.runs
where spec = $spec and is_complete and run_type = 'scheduled'
