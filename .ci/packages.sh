#!/usr/bin/env bash
# Installs those of Debian's packages that the checks need and that are missing. Their services are not started:
# test/kit starts servers of its own.
set -euo pipefail

missing=()
need() { # need PACKAGE COMMAND...: which succeeds where the package is not needed
  "${@:2}" >/dev/null 2>&1 || missing+=("$1")
}
program() { command -v "$1"; }
file() { compgen -G "$1"; }

need make program make
need gcc program cc
need shellcheck program shellcheck
need openssl program openssl
need curl program curl
need jq program jq
need kcat program kcat
need chromium file /usr/bin/chromium
need python3-venv python3 -c 'import ensurepip'
need openjdk-17-jre-headless program java
need maven program mvn
need redis-server program redis-server
need mosquitto file /usr/sbin/mosquitto
need nginx program nginx
need libnginx-mod-stream file '/usr/lib/nginx/modules/ngx_stream_module.so'
need postgresql-client program psql
need sqlite3 program sqlite3
need postgresql file '/usr/lib/postgresql/*/bin/initdb'
need prometheus program promtool
need iproute2 program ip
need iptables program iptables
need docker.io file /usr/sbin/dockerd
need debootstrap file /usr/sbin/debootstrap

if ((${#missing[@]} == 0)); then echo 'every package is installed'; exit; fi
echo "installing ${missing[*]}"
policy=/usr/sbin/policy-rc.d # what it forbids does not start
if [[ ! -e $policy ]]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
