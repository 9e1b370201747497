#!/usr/bin/env bash
# Real Apache Kafka 4 (KRaft, no ZooKeeper) on loopback: brokers that are controllers too, from Maven's libraries.
#
#   kafka.sh install       collects the libraries (needs Java 17 and Maven), once
#   kafka.sh start [1|3]   starts a cluster of 1 or 3 nodes (both may run at once) and prints its bootstrap addresses;
#                          three nodes: 3 replicas of everything, of which 2 must have a record
#   kafka.sh brokers [1|3] [sasl|mutual]
#                          prints the bootstrap addresses; sasl: those with TLS where clients log in, mutual: those with TLS and a certificate of the client
#   kafka.sh kill NODE     SIGKILL; NODE is 1 in a cluster of one and 31, 32, 33 in a cluster of three
#   kafka.sh node NODE     starts such a node again
#   kafka.sh stop [1|3]    ends a cluster, or both
#   kafka.sh wipe          ends both and removes their data, not the libraries
#
# Who comes to the first addresses may do everything. To the others come the user parkwire (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, with the password of tls.sh),
# whoever shows a token (OAUTHBEARER, not signed), and the owner of a certificate, User:CN=parkwire; they may do what they are granted.
#
# KIT_DIR: where they live. KIT_KAFKA_PORT: the first of the 2 (6) ports that a cluster uses, free ones by default.
# KIT_KAFKA_HEAP: of each node (400m). JAVA: the program. KIT_KAFKA_LIBS: the folder of the libraries.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
K=$KIT_DIR/kafka JAVA=${JAVA:-java} LIBS=${KIT_KAFKA_LIBS:-$KIT_DIR/kafka/libs}

nodes() { case ${1:-1} in 1) echo 1 ;; 3) echo 31 32 33 ;; *) usage "$0" ;; esac; }
size_of() { case $1 in 1) echo 1 ;; 31 | 32 | 33) echo 3 ;; *) die "no such node: $1" ;; esac; }
# Without a wish each port is any free one; with one they follow each other: brokers first, then controllers.
port() { # port NODE broker|controller|sasl|mutual
  local wish='' at=$(($1 % 10 - 1))
  if [[ -n ${KIT_KAFKA_PORT:-} && ($2 == broker || $2 == controller) ]]; then
    [[ $2 == broker ]] || at=$((at + $(size_of "$1")))
    wish=$((KIT_KAFKA_PORT + at))
  fi
  port_for "$K/node-$1.$2.port" "$wish"
}
brokers() { local n s=''; for n in $(nodes "$1"); do s+=${s:+,}127.0.0.1:$(port "$n" "${2:-broker}"); done; echo "$s"; }
id() { # id FILE: an id as Kafka writes them, made once (one that begins with "-" is no good on a command line)
  [[ -s $1 ]] || { mkdir -p "$(dirname "$1")"; echo "K$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | cut -c2-22)" >"$1"; }
  cat "$1"
}

install() {
  [[ ! -f $LIBS/.complete ]] || return 0
  need mvn maven; need "$JAVA" default-jre-headless
  local part=$LIBS.part
  rm -rf "$part"; mkdir -p "$part"
  say "collecting Kafka's libraries"
  mvn -q -B -f "$HERE/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$part" >"$KIT_DIR/kafka-install.log" 2>&1 ||
    { tail -20 "$KIT_DIR/kafka-install.log" >&2; die "Maven failed"; }
  rm -rf "$LIBS"; touch "$part/.complete"; mv "$part" "$LIBS"
}

java_run() { "$JAVA" "${JVM[@]}" -Djava.awt.headless=true -Dlog4j2.configurationFile="$HERE/kafka/log4j2.properties" -cp "$LIBS/*" "$@"; }

voters() { # voters SIZE form
  local n s=''
  for n in $(nodes "$1"); do
    s+=${s:+,}
    [[ $2 == servers ]] || s+=$n@
    s+=127.0.0.1:$(port "$n" controller)
    [[ $2 == servers ]] || s+=:$(id "$K/node-$n.directory")
  done
  echo "$s"
}

listeners() { # listeners NODE
  echo "PLAINTEXT://127.0.0.1:$(port "$1" broker),SASL://127.0.0.1:$(port "$1" sasl),MUTUAL://127.0.0.1:$(port "$1" mutual)"
}

settings() { # settings NODE
  local size min tls=$KIT_DIR/tls password plain=org.apache.kafka.common.security
  size=$(size_of "$1"); min=$((size == 3 ? 2 : 1)); password=$(cat "$tls/password")
  cat <<P
process.roles=broker,controller
node.id=$1
listeners=$(listeners "$1"),CONTROLLER://127.0.0.1:$(port "$1" controller)
advertised.listeners=$(listeners "$1")
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
ssl.keystore.type=PEM
ssl.keystore.location=$tls/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=$tls/ca.crt
listener.name.mutual.ssl.client.auth=required
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl.plain.sasl.jaas.config=$plain.plain.PlainLoginModule required user_parkwire="$password";
listener.name.sasl.scram-sha-256.sasl.jaas.config=$plain.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config=$plain.scram.ScramLoginModule required;
listener.name.sasl.oauthbearer.sasl.jaas.config=$plain.oauthbearer.OAuthBearerLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
controller.quorum.bootstrap.servers=$(voters "$size" servers)
log.dirs=$K/node-$1/data
default.replication.factor=$size
min.insync.replicas=$min
offsets.topic.replication.factor=$size
offsets.topic.num.partitions=6
transaction.state.log.replication.factor=$size
transaction.state.log.min.isr=$min
transaction.state.log.num.partitions=6
share.coordinator.state.topic.replication.factor=$size
share.coordinator.state.topic.min.isr=$min
share.coordinator.state.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
num.partitions=3
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=8388608
log.retention.check.interval.ms=5000
broker.session.timeout.ms=6000
P
}

format() { # format NODE
  [[ ! -f $K/node-$1/data/meta.properties ]] || return 0
  mkdir -p "$K/node-$1"; settings "$1" >"$K/node-$1/server.properties"
  JVM=(-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dkit.log=error)
  java_run kafka.tools.StorageTool format -t "$(id "$K/cluster-$(size_of "$1")")" -c "$K/node-$1/server.properties" \
    --add-scram "SCRAM-SHA-256=[name=parkwire,password=$(cat "$KIT_DIR/tls/password")]" \
    --add-scram "SCRAM-SHA-512=[name=parkwire,password=$(cat "$KIT_DIR/tls/password")]" \
    --initial-controllers "$(voters "$(size_of "$1")" ids)" >"$K/node-$1/format.log" 2>&1 || { cat "$K/node-$1/format.log" >&2; return 1; }
}

node() { # node NODE: starts it, if need be
  [[ -f $K/node-$1/server.properties ]] || die "node $1 was never started: kafka.sh start $(size_of "$1")"
  alive "$K/node-$1/pid" || spawn "$K/node-$1" "$JAVA" -Xms96m -Xmx"${KIT_KAFKA_HEAP:-400m}" -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError \
    -Djava.awt.headless=true -Dlog4j2.configurationFile="$HERE/kafka/log4j2.properties" -cp "$LIBS/*" kafka.Kafka "$K/node-$1/server.properties"
}

# A broker says this when the cluster lets it serve.
serving() { grep -q 'Kafka Server started' <(tail -c +$(($(cat "$K/node-$1/logged" 2>/dev/null || echo 0) + 1)) "$K/node-$1/log") && listening "$(port "$1" broker)"; }
mark() { if alive "$K/node-$1/pid"; then return; fi; mkdir -p "$K/node-$1"; stat -c %s "$K/node-$1/log" 2>/dev/null >"$K/node-$1/logged" || echo 0 >"$K/node-$1/logged"; }

start() {
  local n p size=${1:-1}
  nodes "$size" >/dev/null; install
  "$HERE/tls.sh" make >/dev/null
  # Everything random is made here, before there are several processes that might make it twice.
  for n in $(nodes "$size"); do for p in broker controller sasl mutual; do port "$n" "$p" >/dev/null; done; id "$K/node-$n.directory" >/dev/null; done
  id "$K/cluster-$size" >/dev/null
  p=()
  for n in $(nodes "$size"); do mark "$n"; format "$n" & p+=($!); done
  for n in "${p[@]}"; do wait "$n"; done
  for n in $(nodes "$size"); do node "$n"; done
  for n in $(nodes "$size"); do ready "$K/node-$n" 90 serving "$n"; done
  brokers "$size"
}
stop() { local n; for n in $(nodes "$1"); do end "$K/node-$n" TERM 30 & done; wait; }

case ${1:-} in
  install) install ;;
  start) start "${2:-1}" ;;
  brokers) brokers "${2:-1}" "${3:-}" ;;
  node) mark "$2"; node "$2"; ready "$K/node-$2" 90 serving "$2" ;;
  kill) end "$K/node-$2" KILL ;;
  stop) for s in ${2:-1 3}; do stop "$s"; done ;;
  wipe) for s in 1 3; do stop "$s"; done; rm -rf "$K"/node-* "$K"/cluster-* ;;
  *) usage "$0" ;;
esac
