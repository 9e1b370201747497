#!/usr/bin/env bash
# A Redis Cluster: three masters with a replica each, on loopback, without persistence.
#
#   cluster.sh start [NODE]    starts what does not run (without NODE: all of it, and waits until it is whole) and prints the URL
#   cluster.sh url             prints the URL, which names three of the nodes
#   cluster.sh nodes           prints each node's name and address: node-1 to node-6
#   cluster.sh leader KEY      prints which node leads the slot of KEY
#   cluster.sh replica KEY     prints which node is its replica
#   cluster.sh failover KEY    has that replica take over, and waits until it has
#   cluster.sh move KEY        moves the slot of KEY to another master
#   cluster.sh kill NODE       SIGKILL; "start" brings it back, empty, on the same port
#   cluster.sh pause NODE      SIGSTOP: its connections stay open, and nothing is answered
#   cluster.sh resume NODE     SIGCONT
#   cluster.sh cli NODE ARGS   redis-cli on a node
#   cluster.sh stop            ends all
#   cluster.sh wipe            ends all and removes what they left
#
# A master that is away is replaced after about 2 s and an election.
#
# KIT_CLUSTER_TLS=1: all of it speaks TLS alone. KIT_DIR: where they live. REDIS_SERVER: the program (redis-server).
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
C=$KIT_DIR/cluster SERVER=${REDIS_SERVER:-redis-server}
NODES=(node-1 node-2 node-3 node-4 node-5 node-6)

port() { port_for "$C/$1.port"; }
node() { case " ${NODES[*]} " in *" ${1:-} "*) ;; *) die "no node is named \"${1:-}\": ${NODES[*]}" ;; esac; }
running() { node "$1"; alive "$C/$1/pid" || die "$1 does not run"; }
secure() { [[ -n ${KIT_CLUSTER_TLS:-} ]]; }
with_tls() { if secure; then printf '%s\n' --tls --cacert "$KIT_DIR/tls/ca.crt"; fi; }
cli() {
  local n=$1 with; node "$n"; shift
  mapfile -t with < <(with_tls)
  timeout 5 redis-cli -h 127.0.0.1 -p "$(port "$n")" "${with[@]}" "$@"
}
url() {
  local scheme=redis; if secure; then scheme=rediss; fi
  echo "$scheme://127.0.0.1:$(port node-1)?addr=127.0.0.1:$(port node-2)&addr=127.0.0.1:$(port node-3)&cluster=true"
}
nodes() { local n; for n in "${NODES[@]}"; do echo "$n 127.0.0.1:$(port "$n")"; done; }

launch() {
  local set=() tls; node "$1"
  alive "$C/$1/pid" && return
  mkdir -p "$C/$1"
  if secure; then
    tls=$("$HERE/tls.sh" make)
    set=(--port 0 --tls-port "$(port "$1")" --tls-cluster yes --tls-replication yes --tls-auth-clients no
      --tls-cert-file "$tls/server.crt" --tls-key-file "$tls/server.key" --tls-ca-cert-file "$tls/ca.crt")
  else
    set=(--port "$(port "$1")")
  fi
  spawn "$C/$1" "$SERVER" --bind 127.0.0.1 "${set[@]}" --dir "$C/$1" --save '' --appendonly no --repl-diskless-sync-delay 0 \
    --cluster-enabled yes --cluster-port "$(port_for "$C/$1.bus.port")" --cluster-node-timeout 2000 --cluster-config-file nodes.conf
}
launched() { ready "$C/$1" 30 answers "$1"; }
answers() { [[ $(cli "$1" ping) == PONG ]]; }

start() {
  local n with addresses=()
  need "$SERVER" redis-server
  if [[ -n ${1:-} ]]; then launch "$1"; launched "$1"; url; return; fi
  for n in "${NODES[@]}"; do launch "$n"; done
  for n in "${NODES[@]}"; do launched "$n"; addresses+=("127.0.0.1:$(port "$n")"); done
  if [[ ! -f $C/created ]]; then
    mapfile -t with < <(with_tls)
    redis-cli "${with[@]}" --cluster create "${addresses[@]}" --cluster-replicas 1 --cluster-yes >"$C/create.log" 2>&1 || { cat "$C/create.log" >&2; die "the cluster is not made"; }
    touch "$C/created"
  fi
  until_true 120 whole || die "the cluster does not become whole"
  url
}
# whole: every node knows that all slots are served, and every master has its replica.
whole() {
  local n i
  for n in "${NODES[@]}"; do
    [[ $(cli "$n" cluster info) == *cluster_state:ok* ]] || return 1
    i=$(cli "$n" info replication)
    [[ $i == *role:master*connected_slaves:1* || $i == *master_link_status:up* ]] || return 1
  done
}

# asked: the first node that knows the cluster to be whole.
asked() {
  local n
  for n in "${NODES[@]}"; do [[ $(cli "$n" cluster info 2>/dev/null) != *cluster_state:ok* ]] || { echo "$n"; return; }; done
  die "no node knows the cluster to be whole"
}
# of_slot LINE SLOT: whether a line of "cluster nodes" has the slot.
of_slot() {
  local range ranges
  read -ra ranges < <(cut -d' ' -f9- <<<"$1")
  for range in "${ranges[@]}"; do
    [[ $range != \[* ]] || continue
    ((${range%-*} <= $2 && $2 <= ${range#*-})) && return
  done
  return 1
}
line_of() { # line_of KEY leader|replica: the line of "cluster nodes"
  local n slot line id=
  n=$(asked); slot=$(cli "$n" cluster keyslot "$1")
  while read -r line; do
    if [[ $line == *master* && $line != *fail* ]] && of_slot "$line" "$slot"; then id=${line%% *}; [[ $2 == replica ]] || { echo "$line"; return; }; fi
  done < <(cli "$n" cluster nodes)
  [[ -n $id ]] || die "nobody leads the slot of $1"
  cli "$n" cluster nodes | grep "slave $id " | grep -v fail | head -1
}
name_of() { # name_of LINE
  local n at=${1#* }; at=${at%%@*}
  for n in "${NODES[@]}"; do [[ $at != "127.0.0.1:$(port "$n")" ]] || { echo "$n"; return; }; done
  die "no node is at $at"
}
leader() { name_of "$(line_of "$1" leader)"; }
replica() { name_of "$(line_of "$1" replica)"; }
failover() {
  local n; n=$(replica "$1")
  cli "$n" cluster failover >/dev/null
  until_true 60 leads "$n" "$1" || die "$n does not take over"
}
leads() { [[ $(leader "$2") == "$1" ]]; }
move() {
  local from to n slot key
  slot=$(cli "$(asked)" cluster keyslot "$1"); from=$(line_of "$1" leader)
  for key in a b c d e f; do to=$(line_of "$key" leader); [[ $to == "$from" ]] || break; done
  cli "$(name_of "$to")" cluster setslot "$slot" importing "${from%% *}" >/dev/null
  cli "$(name_of "$from")" cluster setslot "$slot" migrating "${to%% *}" >/dev/null
  for n in "$(name_of "$to")" "$(name_of "$from")"; do cli "$n" cluster setslot "$slot" node "${to%% *}" >/dev/null; done
  until_true 60 leads "$(name_of "$to")" "$1" || die "the slot does not move"
}

stop() {
  local n
  for n in "${NODES[@]}"; do
    ! alive "$C/$n/pid" || kill -CONT "$(pid_of "$C/$n/pid")"
    end "$C/$n"
  done
}

command=${1:-}; shift || true
case $command in
  start | url | nodes | leader | replica | failover | move | stop | cli) "$command" "$@" ;;
  kill) running "${1:-}"; end "$C/$1" KILL ;;
  pause) running "${1:-}"; kill -STOP "$(pid_of "$C/$1/pid")" ;;
  resume) running "${1:-}"; kill -CONT "$(pid_of "$C/$1/pid")" ;;
  wipe) stop; rm -rf "$C" ;;
  *) usage "$0" ;;
esac
