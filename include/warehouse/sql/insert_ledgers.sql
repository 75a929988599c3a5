insert into nightshift.ledgers (spec, ledger_id, created_at)
values ($spec, $ledger_id, cast($now as timestamptz))
on conflict (spec) do nothing
