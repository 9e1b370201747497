#!/usr/bin/env bash
# A Docker engine of its own, for building Parkwire's image and bringing compose.yaml up where no engine runs and
# no image registry is reached. Needs root, and Debian's docker.io and debootstrap.
#
#   docker.sh start     starts it on the network of the host, from where a build reaches what this machine reaches. No bridge is
#                       made and no firewall rule touched, so compose.yaml cannot run
#   docker.sh bridges   starts it anew in a network of its own, where it makes what bridges and rules it likes. Its containers see
#                       each other and not the world; the host sees what they publish, at PARKWIRE_TEST_DOCKER_ADDRESS
#   docker.sh env       prints what a shell needs to talk to it: eval "$(docker.sh env)"
#   docker.sh base      makes debian:bookworm-slim by debootstrap, and golang:VERSION-bookworm from it and this machine's Go
#   docker.sh servers   makes stand-ins for the images that compose.yaml names, from Debian's packages and Kafka's
#                       libraries: parkwire-test/{kafka,redis,postgres,nginx}
#   docker.sh compose   builds the compose plugin from its Go module
#   docker.sh stop      ends it, and its containers
#   docker.sh wipe      ends it and removes its images
#
# KIT_DIR: where it lives.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$HERE/lib.sh"
D=$KIT_DIR/docker
COMPOSE=v2.40.3 # the last one that talks to Debian's engine (20.10)
export DOCKER_HOST=unix://$D/docker.sock DOCKER_CONFIG=$D/config DOCKER_BUILDKIT=1

# Debian's client can build with BuildKit by itself; others on the PATH may want a plugin for it.
docker() { "$(if [[ -x /usr/bin/docker ]]; then echo /usr/bin/docker; else type -P docker; fi)" "$@"; }
have() { docker image inspect "$1" >/dev/null 2>&1; }

start() {
  ! alive "$D/pid" || return 0
  engine '"iptables": false, "ip-forward": false, "ip-masq": false'
}

bridges() {
  ! { alive "$D/pid" && [[ -s $D/address ]]; } || return 0
  local net pid
  need ip iproute2
  stop
  engine '"iptables": true' unshare --net sh -c 'ip link set lo up; exec "$@"' sh
  # A pair of interfaces leads there, and ends with the engine.
  pid=$(pid_of "$D/pid")
  until net=10.213.$((RANDOM % 256)).$((RANDOM % 64 * 4)); ! ip route | grep -qF "$net/"; do :; done
  ip link add "pk$pid" type veth peer name outside netns "$pid"
  ip address add "${net%.*}.$((${net##*.} + 1))/30" dev "pk$pid"
  ip link set "pk$pid" up
  nsenter --net --target "$pid" ip address add "${net%.*}.$((${net##*.} + 2))/30" dev outside
  nsenter --net --target "$pid" ip link set outside up
  echo "${net%.*}.$((${net##*.} + 2))" >"$D/address"
}

# engine SETTINGS [COMMAND...]: starts dockerd, by the command if there is one.
engine() {
  need dockerd docker.io
  mkdir -p "$D/config" "$D/bin"
  [[ ! -x /usr/bin/docker ]] || ln -sf /usr/bin/docker "$D/bin/docker"
  cat >"$D/daemon.json" <<J
{"data-root": "$D/data", "exec-root": "$D/exec", "pidfile": "$D/dockerd.pid", "hosts": ["$DOCKER_HOST"],
 "bridge": "none", "ip6tables": false, $1,
 "storage-driver": "overlay2", "exec-opts": ["native.cgroupdriver=cgroupfs"]}
J
  rm -f "$D/dockerd.pid"
  spawn "$D" "${@:2}" dockerd --config-file "$D/daemon.json"
  ready "$D" 60 docker version
}

stop() { end "$D" TERM 60; unmount; rm -f "$D/address"; }

base() {
  local r go
  go=golang:$(go env GOVERSION | sed 's/^go//')-bookworm
  if ! have debian:bookworm-slim; then
    need debootstrap debootstrap
    say "making debian:bookworm-slim"
    r=$(mktemp -d "$D/rootfs.XXXXXX")
    debootstrap --variant=minbase --include=ca-certificates bookworm "$r" >"$D/debootstrap.log" 2>&1 || { tail -20 "$D/debootstrap.log" >&2; exit 1; }
    rm -rf "$r"/var/cache/apt/archives/*.deb "$r"/var/lib/apt/lists/*
    # The certificates that this machine trusts, for a network with a certificate authority of its own.
    cp /etc/ssl/certs/ca-certificates.crt "$r/etc/ssl/certs/ca-certificates.crt"
    tar -C "$r" -c . | docker import -c 'CMD ["bash"]' - debian:bookworm-slim >/dev/null
    rm -rf "$r"
  fi
  if ! have "$go"; then
    say "making $go"
    r=$(mktemp -d "$D/go.XXXXXX")
    cp -a "$(go env GOROOT)" "$r/go"
    docker build -q -t "$go" -f - "$r" >/dev/null <<'F'
FROM debian:bookworm-slim
COPY go /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOPATH=/go GOTOOLCHAIN=local
F
    rm -rf "$r"
  fi
}

servers() {
  local t c
  c=$(mktemp -d "$D/servers.XXXXXX")
  mkdir "$c/kafka"; cp "${KIT_KAFKA_LIBS:-$KIT_DIR/kafka/libs}"/*.jar "$HERE/kafka/log4j2.properties" "$c/kafka/"
  cp "$HERE"/images/*.sh "$c/"
  for t in kafka redis postgres nginx; do
    say "making parkwire-test/$t"
    docker build -q --network host --target "$t" -t "parkwire-test/$t" -f "$HERE/images/Dockerfile" "$c" >/dev/null || { rm -rf "$c"; exit 1; }
  done
  rm -rf "$c"
}

compose() {
  local plugin=$D/config/cli-plugins/docker-compose source
  [[ ! -x $plugin ]] || return 0
  mkdir -p "$(dirname "$plugin")"
  say "building the compose plugin $COMPOSE (some minutes)"
  source=$(cd "$D" && GOFLAGS="" go mod download -json "github.com/docker/compose/v2@$COMPOSE" | sed -n 's/^\t"Dir": "\(.*\)",*$/\1/p')
  # Built where the module lies, because of the exclusions in its go.mod, which "go install module@version" refuses.
  (cd "$source" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false \
    -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$COMPOSE" -o "$plugin.part" ./cmd) >"$D/compose.log" 2>&1 ||
    { tail -20 "$D/compose.log" >&2; exit 1; }
  mv "$plugin.part" "$plugin"
}

# An ended engine leaves the namespace of the host's network mounted.
unmount() {
  local mount
  cut -d' ' -f2 /proc/self/mounts | grep "^$D/" | sort -r | while read -r mount; do umount "$mount"; done || true
}

case ${1:-} in
  start | bridges | base | servers | compose | stop) "$1" ;;
  env)
    echo "export DOCKER_HOST=$DOCKER_HOST DOCKER_CONFIG=$DOCKER_CONFIG DOCKER_BUILDKIT=1 PATH=$D/bin:\$PATH"
    [[ ! -s $D/address ]] || echo "export PARKWIRE_TEST_DOCKER_ADDRESS=$(cat "$D/address")"
    ;;
  wipe) stop; rm -rf "$D" ;;
  *) usage "$0" ;;
esac
