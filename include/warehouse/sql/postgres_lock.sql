select pg_advisory_xact_lock(cast($lock as bigint))
