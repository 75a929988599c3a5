-- The server ends what a lost worker has begun, so that its lock is free again.
select
    set_config('timezone', 'UTC', false),
    set_config('application_name', 'nightshift', false),
    set_config('client_min_messages', 'warning', false),
    set_config('lock_timeout', $lock_timeout, false),
    set_config('statement_timeout', '2h', false),
    set_config('idle_in_transaction_session_timeout', '1h', false),
    set_config('client_connection_check_interval', '10s', false),
    set_config('tcp_keepalives_idle', '60', false),
    set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '6', false),
    set_config('work_mem', '64MB', false),
    set_config('cursor_tuple_fraction', '1', false),
    set_config('jit', 'off', false)
