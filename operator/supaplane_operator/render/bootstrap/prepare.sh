#!/usr/bin/env bash
# Makes the database's volume ready, before each start of the server. Runs as root in the database's
# own image, whose /etc/postgresql-custom the volume will hide.
set -euo pipefail

volume=${SUPAPLANE_VOLUME:-/supaplane/volume}
shipped=${SUPAPLANE_SHIPPED:-/etc/postgresql-custom}
minted=${SUPAPLANE_KEY:-/supaplane/secrets/pgsodium-root-key}
owner=${SUPAPLANE_OWNER:-postgres:postgres}

data=$volume/data
custom=$volume/custom
key=$custom/pgsodium_root.key
# There from before the first initialisation until the bootstrap has reached the finished server:
# what lies in the data folder meanwhile was never used by anybody.
marker=$volume/initialising

say() { printf 'prepare: %s\n' "$*"; }

set_incomplete_aside() {
  local n
  for n in 1 2 3; do
    if [[ ! -e $data.incomplete-$n ]]; then
      say "an earlier initialisation did not finish; its files are kept in $data.incomplete-$n"
      mv "$data" "$data.incomplete-$n"
      return
    fi
  done
  say "three initialisations did not finish: see this pod's earlier logs for the reason, then" \
    "remove $data.incomplete-1 to -3 from the volume"
  exit 1
}

refuse_other_version() {
  local there=$1 here
  here=$(postgres --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
  if [[ $there != "$here" ]]; then
    say "the volume holds PostgreSQL $there and the image is PostgreSQL $here: a major version is" \
      "not changed by an image; put the earlier image back (spec.images.db or spec.release)"
    exit 1
  fi
}

place_key() {
  if [[ -s $key ]]; then
    cmp -s "$key" "$minted" || say "the volume's own root key of the vault is kept"
    return
  fi
  local source=$minted
  # images since 2026 keep it among the data; what is encrypted with that one needs that one
  if [[ -s $data/pgsodium_root.key ]]; then source=$data/pgsodium_root.key; fi
  (umask 077 && cp "$source" "$key.new")
  sync "$key.new"
  mv "$key.new" "$key"
}

mkdir -p "$custom"
if [[ -e $marker && -n $(ls -A "$data" 2>/dev/null) ]]; then set_incomplete_aside; fi
mkdir -p "$data"
if [[ -s $data/PG_VERSION ]]; then
  refuse_other_version "$(<"$data/PG_VERSION")"
elif [[ -z $(ls -A "$data") ]]; then
  : >"$marker"
fi
# The image's files win: they fit its server. Anything else in the folder stays, the key above all.
for entry in "$shipped"/*; do
  [[ -e $entry && ${entry##*/} != pgsodium_root.key ]] || continue
  cp -af "$entry" "$custom/"
done
mkdir -p "$custom/conf.d"
place_key
chmod 0600 "$key"
chown -R "$owner" "$custom"
chown "$owner" "$data"
say "ready"
