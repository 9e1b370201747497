#!/usr/bin/env bash
# Starts a broker from variables: KAFKA_NODE_ID becomes node.id, and so on; CLUSTER_ID formats an empty folder.
set -euo pipefail
config=/tmp/server.properties
env | sed -n 's/^KAFKA_\([A-Z_]*\)=\(.*\)$/\1 \2/p' | while read -r name value; do
  case $name in HEAP_OPTS) continue ;; esac
  name=${name,,}
  echo "${name//_/.}=$value"
done >"$config"
data=$(sed -n 's/^log\.dirs=//p' "$config")
flags=(-Dlog4j2.configurationFile=/opt/kafka/libs/log4j2.properties -cp '/opt/kafka/libs/*')
[[ -f $data/meta.properties ]] ||
  java -Xmx128m -XX:TieredStopAtLevel=1 "${flags[@]}" kafka.tools.StorageTool format -t "$CLUSTER_ID" -c "$config" --ignore-formatted
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:--Xmx1g} -XX:+ExitOnOutOfMemoryError "${flags[@]}" kafka.Kafka "$config"
