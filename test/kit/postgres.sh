#!/usr/bin/env bash
# Real PostgreSQL on loopback, in a data directory of its own that trades safety at power loss for speed.
#
#   postgres.sh start     starts it, with a role and a database "parkwire", and prints the URL
#   postgres.sh url [tls] prints the URL; tls: that of the role "secured", which gets in by TLS and with the password of tls.sh alone
#   postgres.sh psql ...  psql on that database
#   postgres.sh kill      SIGKILL of every process of the server; start recovers it
#   postgres.sh stop      ends it
#   postgres.sh wipe      ends it and removes its data
#
# KIT_DIR: where it lives. KIT_POSTGRES_PORT: its port, a free one by default. KIT_POSTGRES_FSYNC=on: as safe as in production. PGBIN: the folder of the programs.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
P=$KIT_DIR/postgres
port() { port_for "$KIT_DIR/postgres.port" "${KIT_POSTGRES_PORT:-}"; }
url() {
  if [[ ${1:-} == tls ]]; then
    echo "postgres://secured@127.0.0.1:$(port)/parkwire?sslmode=verify-full&sslrootcert=$KIT_DIR/tls/ca.crt"
  else
    echo "postgres://parkwire:parkwire@127.0.0.1:$(port)/parkwire?sslmode=disable"
  fi
}
super() { PGSSLMODE=disable psql -X -qtA -h 127.0.0.1 -p "$(port)" -U postgres "$@"; }
# The server refuses to run as root.
AS=(env)
[[ $(id -u) != 0 ]] || AS=(setpriv --reuid=postgres --regid=postgres --clear-groups)
bin() {
  local b=${PGBIN:-}
  [[ -n $b ]] || b=$(find /usr/lib/postgresql /usr/local/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
  [[ -x $b/initdb ]] || die "PostgreSQL is not installed: apt-get install postgresql"
  echo "$b/$1"
}
start() {
  if ! alive "$P/pid"; then
    if [[ ! -f $P/data/PG_VERSION ]]; then
      mkdir -p "$P"; [[ $(id -u) != 0 ]] || chown postgres: "$P"
      (cd "$P" && "${AS[@]}" "$(bin initdb)" -D "$P/data" -U postgres -A trust -E UTF8 --no-locale) >"$KIT_DIR/postgres.initdb.log" 2>&1 ||
        { cat "$KIT_DIR/postgres.initdb.log" >&2; exit 1; }
      sed -i '1i hostssl all secured all scram-sha-256\nhostssl all certified all cert map=certificates\nhost all secured,certified all reject' "$P/data/pg_hba.conf"
      echo 'certificates parkwire certified' >>"$P/data/pg_ident.conf"
    fi
    local tls; tls=$("$HERE/tls.sh" make)
    install -m 600 "$tls/server.key" "$tls/server.crt" "$tls/ca.crt" "$P"; [[ $(id -u) != 0 ]] || chown postgres: "$P"/*.key "$P"/*.crt
    rm -f "$P/data/postmaster.pid" # of a server that is gone: this script knows its own
    cd "$P"
    # setsid, env and setpriv become the server and do not fork, so its id is the one remembered.
    spawn "$P" "${AS[@]}" "$(bin postgres)" -D "$P/data" -p "$(port)" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
      -c ssl=on -c ssl_cert_file="$P/server.crt" -c ssl_key_file="$P/server.key" -c ssl_ca_file="$P/ca.crt" \
      -c shared_buffers=64MB -c max_connections=200 -c fsync="${KIT_POSTGRES_FSYNC:-off}" -c full_page_writes="${KIT_POSTGRES_FSYNC:-off}"
    ready "$P" 60 super -c 'select 1'
  fi
  [[ $(super -c "select 1 from pg_roles where rolname = 'parkwire'") ]] || super -c "create role parkwire login createdb password 'parkwire'"
  [[ $(super -c "select 1 from pg_roles where rolname = 'secured'") ]] ||
    super -v password="$(cat "$KIT_DIR/tls/password")" <<<"create role secured login password :'password'; create role certified login"
  [[ $(super -c "select 1 from pg_database where datname = 'parkwire'") ]] || super -c 'create database parkwire owner parkwire'
  super -c 'grant create on database parkwire to secured, certified'
  url
}
crash() {
  local children=
  if alive "$P/pid"; then children=$(pgrep -P "$(pid_of "$P/pid")" || true); fi
  end "$P" KILL
  # shellcheck disable=SC2086
  [[ -z $children ]] || kill -KILL $children 2>/dev/null || true
}
case ${1:-} in
  start) start ;;
  url) url "${2:-}" ;;
  psql) shift; exec psql -X "$(url)" "$@" ;;
  kill) crash ;;
  stop) end "$P" INT ;;
  wipe) end "$P" INT; rm -rf "$P" "$KIT_DIR"/postgres.* ;;
  *) usage "$0" ;;
esac
