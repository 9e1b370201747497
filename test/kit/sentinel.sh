#!/usr/bin/env bash
# Redis that fails over: two servers, of which one is the replica, watched by three sentinels, on loopback, without persistence.
#
#   sentinel.sh start [NODE]   starts what does not run (without NODE: all of it, and waits until it is whole) and prints the URL
#   sentinel.sh url            prints the URL, which names the sentinels
#   sentinel.sh nodes          prints each node's name and address: redis-1, redis-2, sentinel-1, sentinel-2, sentinel-3
#   sentinel.sh master         prints which node the sentinels call the master: redis-1 or redis-2
#   sentinel.sh replica        prints which node is the other one
#   sentinel.sh failover       has the sentinels make the replica the master, and waits until it is
#   sentinel.sh kill NODE      SIGKILL; "start" brings it back, empty, on the same port
#   sentinel.sh pause NODE     SIGSTOP: its connections stay open, and nothing is answered
#   sentinel.sh resume NODE    SIGCONT
#   sentinel.sh cli NODE ARGS  redis-cli on a node
#   sentinel.sh stop           ends all
#   sentinel.sh wipe           ends all and removes what they left
#
# A master that is away is replaced after about 1 s and an election; one that comes back, or is replaced while it lives,
# calls itself master for up to 10 s more, until the sentinels tell it. Until then nobody can replace the new one: wait with "start".
#
# KIT_SENTINEL_SECURE=1: all of them speak TLS alone, and want the password of tls.sh. KIT_DIR: where they live. REDIS_SERVER: the program (redis-server).
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
S=$KIT_DIR/sentinel SERVER=${REDIS_SERVER:-redis-server} MASTER=parkwire
SERVERS=(redis-1 redis-2) SENTINELS=(sentinel-1 sentinel-2 sentinel-3)

port() { port_for "$S/$1.port"; }
node() { case " ${SERVERS[*]} ${SENTINELS[*]} " in *" ${1:-} "*) ;; *) die "no node is named \"${1:-}\": ${SERVERS[*]} ${SENTINELS[*]}" ;; esac; }
running() { node "$1"; alive "$S/$1/pid" || die "$1 does not run"; }
secure() { [[ -n ${KIT_SENTINEL_SECURE:-} ]]; }
cli() {
  local n=$1 with=(); node "$n"; shift
  if secure; then
    with=(--tls --cacert "$KIT_DIR/tls/ca.crt")
    REDISCLI_AUTH=$(cat "$KIT_DIR/tls/password"); export REDISCLI_AUTH
  fi
  timeout 5 redis-cli -h 127.0.0.1 -p "$(port "$n")" "${with[@]}" "$@"
}
url() {
  local scheme=redis; if secure; then scheme=rediss; fi
  printf '%s://127.0.0.1:%s?addr=127.0.0.1:%s&addr=127.0.0.1:%s&master_set=%s\n' \
    "$scheme" "$(port sentinel-1)" "$(port sentinel-2)" "$(port sentinel-3)" "$MASTER"
}
nodes() { local n; for n in "${SERVERS[@]}" "${SENTINELS[@]}"; do echo "$n 127.0.0.1:$(port "$n")"; done; }

# Servers and sentinels write into their files who is master, so those are made once.
configure() {
  local f=$S/$1/redis.conf; mkdir -p "$S/$1"
  [[ ! -s $f ]] || return 0
  printf '%s\n' "bind 127.0.0.1" "dir $S/$1" "daemonize no" >"$f.part"
  if secure; then
    local tls password; tls=$("$HERE/tls.sh" make); password=$(cat "$tls/password")
    printf '%s\n' "port 0" "tls-port $(port "$1")" "tls-replication yes" "tls-auth-clients no" \
      "tls-cert-file $tls/server.crt" "tls-key-file $tls/server.key" "tls-ca-cert-file $tls/ca.crt" "requirepass \"$password\"" >>"$f.part"
    [[ $1 == sentinel-* ]] || printf 'masterauth "%s"\n' "$password" >>"$f.part"
  else
    echo "port $(port "$1")" >>"$f.part"
  fi
  case $1 in
    sentinel-*)
      printf '%s\n' "sentinel monitor $MASTER 127.0.0.1 $(port redis-1) 2" "sentinel down-after-milliseconds $MASTER 1000" \
        "sentinel failover-timeout $MASTER 3000" "sentinel parallel-syncs $MASTER 1" >>"$f.part"
      if secure; then printf 'sentinel auth-pass %s "%s"\nsentinel sentinel-pass "%s"\n' "$MASTER" "$password" "$password" >>"$f.part"; fi
      ;;
    *) printf '%s\n' 'save ""' "appendonly no" "repl-diskless-sync-delay 0" >>"$f.part" ;;
  esac
  [[ $1 != redis-2 ]] || echo "replicaof 127.0.0.1 $(port redis-1)" >>"$f.part"
  mv "$f.part" "$f"
}

launch() {
  local mode=(); node "$1"; configure "$1"
  [[ $1 != sentinel-* ]] || mode=(--sentinel)
  alive "$S/$1/pid" || spawn "$S/$1" "$SERVER" "$S/$1/redis.conf" "${mode[@]}"
}
launched() { ready "$S/$1" 30 answers "$1"; }
answers() { [[ $(cli "$1" ping) == PONG ]]; }

start() {
  local n
  need "$SERVER" redis-server
  if [[ -n ${1:-} ]]; then launch "$1"; launched "$1"; url; return; fi
  for n in "${SERVERS[@]}"; do launch "$n"; done
  for n in "${SERVERS[@]}"; do launched "$n"; done
  for n in "${SENTINELS[@]}"; do launch "$n"; done
  for n in "${SENTINELS[@]}"; do launched "$n"; done
  until_true 180 complete || die "the sentinels do not find each other, or the replica not its master"
  url
}

# complete: every sentinel knows one replica and both other sentinels, and the replica follows the master.
complete() {
  local n
  for n in "${SENTINELS[@]}"; do
    [[ $(cli "$n" sentinel master "$MASTER" | paste -sd' ') == *" flags master "*" num-slaves 1 num-other-sentinels 2 "* ]] || return 1
  done
  n=$(replica) && follows "$n"
}
follows() { local i; i=$(cli "$1" info replication) && [[ $i == *role:slave* && $i == *master_link_status:up* ]]; }

master() {
  local s n p
  for s in "${SENTINELS[@]}"; do
    p=$(cli "$s" sentinel get-master-addr-by-name "$MASTER" 2>/dev/null | sed -n 2p) || continue
    for n in "${SERVERS[@]}"; do [[ $p != "$(port "$n")" ]] || { echo "$n"; return 0; }; done
  done
  die "no sentinel answers"
}
replica() { local m; m=$(master) && case $m in redis-1) echo redis-2 ;; *) echo redis-1 ;; esac; }

failover() {
  local n; n=$(replica)
  until_true 180 asked || die "no sentinel makes $n the master"
  until_true 180 took_over "$n" || die "$n does not become the master"
}
asked() { [[ $(cli sentinel-1 sentinel failover "$MASTER") == OK ]]; }
took_over() { [[ $(master) == "$1" ]] && [[ $(cli "$1" info replication) == *role:master* ]]; }

stop() {
  local n
  for n in "${SENTINELS[@]}" "${SERVERS[@]}"; do
    ! alive "$S/$n/pid" || kill -CONT "$(pid_of "$S/$n/pid")"
    end "$S/$n"
  done
}

command=${1:-}; shift || true
case $command in
  start | url | nodes | master | replica | failover | stop | cli) "$command" "$@" ;;
  kill) running "${1:-}"; end "$S/$1" KILL ;;
  pause) running "${1:-}"; kill -STOP "$(pid_of "$S/$1/pid")" ;;
  resume) running "${1:-}"; kill -CONT "$(pid_of "$S/$1/pid")" ;;
  wipe) stop; rm -rf "$S" ;;
  *) usage "$0" ;;
esac
