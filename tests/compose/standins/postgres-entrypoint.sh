#!/bin/bash
# Makes the database of POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB at the first start, then runs
# /docker-entrypoint-initdb.d, as the official entrypoint does.
set -eo pipefail
mkdir -p "$PGDATA" /var/run/postgresql
chown postgres:postgres "$PGDATA" /var/run/postgresql
chmod 700 "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  gosu postgres bash -c 'initdb --username="$POSTGRES_USER" --encoding=UTF8 --locale=C.UTF-8 \
    --pwfile=<(printf "%s" "$POSTGRES_PASSWORD") --auth-host=scram-sha-256 --auth-local=trust' > /dev/null
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  gosu postgres pg_ctl -w -o "-c listen_addresses=" start > /dev/null
  createdb --username="$POSTGRES_USER" --host=/var/run/postgresql "${POSTGRES_DB:-$POSTGRES_USER}" || true
  export PGHOST=/var/run/postgresql PGUSER="$POSTGRES_USER" PGDATABASE="${POSTGRES_DB:-$POSTGRES_USER}"
  for script in /docker-entrypoint-initdb.d/*; do
    case "$script" in
      *.sh) . "$script" ;;
      *.sql) psql --set=ON_ERROR_STOP=1 --quiet --file="$script" ;;
    esac
  done
  unset PGHOST PGUSER PGDATABASE
  gosu postgres pg_ctl -w -m fast stop > /dev/null
fi
exec gosu postgres "$@" -c "listen_addresses=*"
