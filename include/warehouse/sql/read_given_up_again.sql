select count(*) as document_count
from nightshift.document_states as s
where
    s.spec = $spec
    and s.run_key = $run_key
    and s.state = 'dead_letter'
    and exists (
        select 1
        from nightshift.dead_letters as l
        where
            l.spec = s.spec
            and l.document_id = s.document_id
            and l.created_at < cast($started_at as timestamptz)
    )
