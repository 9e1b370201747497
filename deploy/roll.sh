#!/usr/bin/env bash
# A rolling restart of compose.yaml's services, with the image and the settings that hold by now: of each one container after the other is replaced, by one
# that is ready before the old one is told to end. Clients are sent away and come back with their cursor; nothing is lost.
#
#   roll.sh [SERVICE...]    default: parking notifications history audit alerts gateway
#
# As many of a service run afterwards as before. When a new one does not become ready it is removed, the others go on, and roll.sh fails. COMPOSE_FILE and the like are
# those of "docker compose". NGINX is not replaced, since it has the port; it reads its configuration and certificates again on
# "docker compose exec -T nginx sh -c 'kill -HUP 1'".
set -euo pipefail
export COMPOSE_FILE=${COMPOSE_FILE:-$(dirname "${BASH_SOURCE[0]}")/compose.yaml}
services=("$@")
((${#services[@]})) || services=(parking notifications history audit alerts gateway)

before='' # the containers of a service while a new one starts beside them
give_up() {
  [[ $before ]] || return 0
  for new in $(docker compose ps -aq "$service" | grep -vxF "$before"); do
    docker logs --tail 20 "$new" >&2 || true
    docker rm --force --volumes "$new" >/dev/null
  done
  echo "$service: a new container did not become ready, and is removed; those from before go on. What it said last stands above." >&2
}
trap give_up EXIT

for service in "${services[@]}"; do
  docker compose rm --force --volumes "$service" # those that have ended would be counted
  mapfile -t old < <(docker compose ps -q "$service")
  for container in "${old[@]}"; do
    before=$(docker compose ps -aq "$service")
    docker compose up -d --no-deps --no-build --no-recreate --wait --scale "$service=$((${#old[@]} + 1))" "$service"
    before=''
    docker stop "$container" >/dev/null
    docker rm --volumes "$container" >/dev/null
    echo "$service: ${container:0:12} is replaced"
  done
done
