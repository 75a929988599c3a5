-- How fresh each spec is: one row per spec. Look here before relying on last night.
select
    s.spec, -- Name of the spec.
    r.last_night, -- Newest night whose scheduled run is complete: the UTC date on which its interval begins.
    r.complete_until_at, -- Until when nothing was left out: every object written before is in documents, with its state. Empty before the first complete scheduled run.
    r.last_window_end_at, -- End of the newest window of any run, complete or not.
    r.last_finished_at, -- When a run was last reconciled.
    e.last_loaded_at, -- When a document last got an answer.
    coalesce(d.live_count, 0) as live_count, -- Objects that exist: newest versions, neither deleted nor erased.
    coalesce(d.pending_count, 0) as pending_count, -- Versions of those objects that wait for a later run.
    d.pending_since_at, -- When the longest waiting of them was first seen.
    coalesce(l.open_dead_letter_count, 0) as open_dead_letter_count -- Rows of open_dead_letters.
from (
    select spec from nightshift.documents
    union
    select spec from nightshift.runs
) as s
left join (
    select
        spec,
        max(night) filter (where is_complete and run_type = 'scheduled') as last_night,
        max(window_end_at) filter (where is_complete and run_type = 'scheduled') as complete_until_at,
        max(window_end_at) as last_window_end_at,
        max(finished_at) as last_finished_at
    from nightshift.runs
    group by spec
) as r on r.spec = s.spec
left join (
    select spec, max(loaded_at) as last_loaded_at
    from nightshift.document_enrichments
    group by spec
) as e on e.spec = s.spec
left join (
    select
        spec,
        count(*) filter (where is_current) as live_count,
        count(*) filter (where state = 'pending') as pending_count,
        min(first_seen_at) filter (where state = 'pending') as pending_since_at
    from nightshift.documents
    where deleted_at is null and erased_at is null
    group by spec
) as d on d.spec = s.spec
left join (
    select spec, count(*) as open_dead_letter_count
    from nightshift.open_dead_letters
    group by spec
) as l on l.spec = s.spec
