select d.document_id
from nightshift.documents as d
left join nightshift.runs as r on r.spec = d.spec and r.run_key = d.last_run_key
left join (select distinct document_id from stage_listed) as l on l.document_id = d.document_id
left join stage_requeued as q on q.document_id = d.document_id
where
    d.spec = $spec
    and d.erased_at is null
    and not exists (
        select 1
        from nightshift.document_states as s
        where s.spec = d.spec and s.run_key = $run_key and s.document_id = d.document_id
    )
    and (
        q.document_id is not null
        or (
            d.state = 'pending'
            and (
                l.document_id is not null
                or (
                    cast($carry_over as boolean)
                    and (
                        r.finished_at is not null
                        or d.updated_at < cast($abandoned_before as timestamptz)
                    )
                )
            )
        )
        or (
            cast($reprocess as boolean)
            and l.document_id is not null
            and d.state in ('enriched', 'reused', 'dead_letter')
            and not exists (
                select 1
                from nightshift.document_enrichments as e
                where
                    e.spec = d.spec
                    and e.document_id = d.document_id
                    and e.prompt_version = $prompt_version
            )
            and not exists (
                select 1
                from nightshift.dead_letters as x
                where
                    x.spec = d.spec
                    and x.document_id = d.document_id
                    and x.prompt_version = $prompt_version
            )
        )
    )
