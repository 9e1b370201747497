#!/usr/bin/env bash
# Installs those of Debian's packages that the checks need and that are missing. Their services are not started:
# test/kit starts servers of its own.
set -euo pipefail

# program:package, or a file instead of a program
needs=(
  make:make cc:gcc shellcheck:shellcheck ip:iproute2 openssl:openssl curl:curl python3:python3 /usr/lib/python3/dist-packages/pip:python3-pip
  node:nodejs npm:npm /usr/bin/chromium:chromium
  java:openjdk-17-jre-headless mvn:maven redis-server:redis-server nginx:nginx-light kcat:kcat
  /usr/lib/nginx/modules/ngx_stream_module.so:libnginx-mod-stream
  psql:postgresql-client /usr/lib/postgresql/*/bin/initdb:postgresql
  /usr/sbin/dockerd:docker.io /usr/sbin/debootstrap:debootstrap
)
missing=()
for need in "${needs[@]}"; do
  what=${need%:*}
  # shellcheck disable=SC2086
  case $what in
    /*) compgen -G "$what" >/dev/null ;;
    *) command -v "$what" >/dev/null ;;
  esac || missing+=("${need##*:}")
done
if ((${#missing[@]} == 0)); then echo "every package is installed"; exit; fi

echo "installing ${missing[*]}"
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
