#!/usr/bin/env bash
# Starts PostgreSQL with the role and database of POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD_FILE. Arguments go to the server.
set -euo pipefail
data=/var/lib/postgresql/data
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin)
as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
mkdir -p "$data"; chown postgres: "$data"; chmod 700 "$data"
if [[ ! -f $data/PG_VERSION ]]; then
  password=$(mktemp); cat "$POSTGRES_PASSWORD_FILE" >"$password"; chown postgres: "$password"
  "${as[@]}" "$bin/initdb" -D "$data" -U "$POSTGRES_USER" --pwfile "$password" -A scram-sha-256 -E UTF8 --no-locale
  rm -f "$password"
  echo "create database \"$POSTGRES_DB\"" | "${as[@]}" "$bin/postgres" --single -D "$data" postgres
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
fi
[[ ${1:-} != postgres ]] || shift
exec "${as[@]}" "$bin/postgres" -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
