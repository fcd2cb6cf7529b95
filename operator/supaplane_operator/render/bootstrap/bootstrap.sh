#!/usr/bin/env bash
# Brings roles, schemas and passwords to what they should be: at each start, whenever the scripts or
# the passwords change, and hourly. Runs beside the server in the database's own image; the pod is
# ready when it has gone through once.
set -uo pipefail

scripts=${SUPAPLANE_SCRIPTS:-/supaplane/bin}
secrets=${SUPAPLANE_SECRETS:-/supaplane/secrets}
state=${SUPAPLANE_STATE:-/supaplane/state}
volume=${SUPAPLANE_VOLUME:-/supaplane/volume}
socket=${SUPAPLANE_SOCKET:-/var/run/postgresql}
port=${PGPORT:-5432}
every=${SUPAPLANE_EVERY:-3600}
watch=${SUPAPLANE_WATCH:-5}
longest_pause=60

say() { printf 'bootstrap: %s\n' "$*"; }

# the server maps the system's user postgres to its superuser; without root this is that user already
as_postgres() { if [[ $(id -u) == 0 ]]; then gosu postgres "$@"; else "$@"; fi; }

nap() {
  sleep "$1" &
  wait $!
}

fingerprint() { cat "$scripts"/*.sql "$scripts"/settings.json "$secrets"/roles.json | cksum; }

# While the image initialises its data folder the server listens on the socket only, so an answer on
# the loopback address means that the real server is up.
server_is_up() { pg_isready -q -h 127.0.0.1 -p "$port"; }

# Over the socket, as the system's user or with the password; when neither is believed, because the
# password was just changed, over the loopback address, which the image trusts.
find_way_in() {
  local host
  for host in "$socket" 127.0.0.1; do
    if as_postgres psql -X -w -q -h "$host" -p "$port" -U supabase_admin -d postgres \
      -c 'select' >/dev/null 2>"$state/refusal"; then
      way=$host
      return
    fi
  done
  say "nobody lets supabase_admin in; the last refusal: $(tail -n 1 "$state/refusal")"
  return 1
}

apply() {
  local files=() file
  for file in "$scripts"/*.sql; do files+=(-f "$file"); done
  PGPASSWORD=$(<"$secrets/POSTGRES_PASSWORD")
  SUPAPLANE_ROLES=$(<"$secrets/roles.json")
  SUPAPLANE_SETTINGS=$(<"$scripts/settings.json")
  export PGPASSWORD SUPAPLANE_ROLES SUPAPLANE_SETTINGS
  find_way_in || return
  as_postgres psql -X -w -q -v ON_ERROR_STOP=1 -v VERBOSITY=terse \
    -h "$way" -p "$port" -U supabase_admin -d postgres "${files[@]}" >/dev/null
}

trap 'exit 0' TERM INT
pause=1
until server_is_up; do nap 1; done
while true; do
  seen=$(fingerprint)
  if server_is_up && apply; then
    [[ -e $state/done ]] || say "roles, schemas and passwords are in place"
    rm -f "$volume/initialising"
    : >"$state/done"
    pause=1
    waited=0
    until ((waited >= every)) || [[ $(fingerprint) != "$seen" ]]; do
      nap "$watch"
      waited=$((waited + watch))
    done
  else
    say "trying again in about $pause s"
    nap "$pause"
    pause=$((pause * 2 + RANDOM % 3))
    ((pause <= longest_pause)) || pause=$longest_pause
  fi
done
