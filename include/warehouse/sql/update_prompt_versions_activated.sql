update nightshift.prompt_versions as p
set activated_at = $asked_at
where
    p.spec = $spec
    and p.prompt_version = $prompt_version
    and exists (
        select 1
        from nightshift.prompt_versions as o
        where
            o.spec = p.spec
            and o.prompt_version <> p.prompt_version
            and o.activated_at > p.activated_at
            and o.activated_at < cast($asked_at as timestamptz)
    )
