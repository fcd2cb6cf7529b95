#!/bin/bash
# Starts PostgreSQL as the entrypoint of supabase/postgres does: as root it gives the folders to the user
# postgres and steps down; on an empty data folder it makes the cluster and the roles of the first start,
# with a server that listens on the socket only.
set -euo pipefail

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA"
  chown -R postgres:postgres "$PGDATA" /var/run/postgresql
  chmod 0750 "$PGDATA"
  chmod 3777 /var/run/postgresql
  exec gosu postgres "$0" "$@"
fi

[[ ${1:-} == postgres ]] || exec "$@"

# The vault asks this script for its key when the server starts, and a wrong answer ends it.
for word in "$@"; do
  if [[ $word == vault.getkey_script=* ]]; then
    key=$("${word#*=}") || { echo "the vault's key script failed" >&2; exit 1; }
    [[ $key =~ ^[0-9a-f]{64}$ ]] || { echo "the vault's key is not 64 hexadecimal digits" >&2; exit 1; }
  fi
done

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  [[ -n ${POSTGRES_PASSWORD:-} ]] || { echo "POSTGRES_PASSWORD is required" >&2; exit 1; }
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") --allow-group-access \
    --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
  pg_ctl -D "$PGDATA" -w -s -o "-c config_file=/etc/postgresql/postgresql.conf -c listen_addresses=''" start
  PGPASSWORD=$POSTGRES_PASSWORD psql -X -q -v ON_ERROR_STOP=1 -h "$POSTGRES_HOST" -U "$POSTGRES_USER" \
    -d "$POSTGRES_DB" -v password="$POSTGRES_PASSWORD" -f /usr/local/share/first-start.sql
  pg_ctl -D "$PGDATA" -m fast -w -s stop
  sync
fi
exec "$@"
