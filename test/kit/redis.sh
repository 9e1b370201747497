#!/usr/bin/env bash
# Real Redis (or Valkey) on loopback, without persistence.
#
#   redis.sh start     starts it and prints its URL
#   redis.sh url [tls] prints its URL; tls: that with TLS, where clients may prove themselves by a certificate
#   redis.sh kill      SIGKILL, for tests of a lost bus; start brings it back, empty, on the same port
#   redis.sh stop      ends it
#   redis.sh wipe      ends it and removes what it left
#
# KIT_DIR: where it lives. KIT_REDIS_PORT: its port, a free one by default. REDIS_SERVER: the program (redis-server).
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
R=$KIT_DIR/redis SERVER=${REDIS_SERVER:-redis-server}
port() { port_for "$R/port" "${KIT_REDIS_PORT:-}"; }
tls_port() { port_for "$R/tls.port"; }
url() { if [[ ${1:-} == tls ]]; then echo "rediss://127.0.0.1:$(tls_port)"; else echo "redis://127.0.0.1:$(port)/0"; fi; }
start() {
  need "$SERVER" redis-server
  if ! alive "$R/pid"; then
    local tls; tls=$("$HERE/tls.sh" make)
    spawn "$R" "$SERVER" --bind 127.0.0.1 --port "$(port)" --dir "$R" --save '' --appendonly no \
      --tls-port "$(tls_port)" --tls-cert-file "$tls/server.crt" --tls-key-file "$tls/server.key" --tls-ca-cert-file "$tls/ca.crt" --tls-auth-clients optional
    ready "$R" 20 redis-cli -p "$(port)" ping
  fi
  url
}
case ${1:-} in
  start) start ;;
  url) url "${2:-}" ;;
  kill) end "$R" KILL ;;
  stop) end "$R" ;;
  wipe) end "$R"; rm -rf "$R" ;;
  *) usage "$0" ;;
esac
