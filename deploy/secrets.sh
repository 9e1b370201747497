#!/usr/bin/env bash
# Makes the secrets that compose.yaml hands to its services, each in a file, where there are none yet.
#
#   secrets.sh [FOLDER]     default: secrets/ beside this script, or PARKWIRE_SECRETS; openssl is needed
#
# The files can be read by the users inside the containers; the folder keeps everybody else of this machine out.
# A new jwt-key makes every token given out so far invalid.
set -euo pipefail
dir=${1:-${PARKWIRE_SECRETS:-$(dirname "${BASH_SOURCE[0]}")/secrets}}
random() { head -c 32 /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_'; }
install -d -m 700 "$dir"
[[ -s $dir/jwt-key ]] || random >"$dir/jwt-key"
[[ -s $dir/postgres-password ]] || random >"$dir/postgres-password"
[[ -s $dir/audit-key ]] || openssl genpkey -algorithm ed25519 -out "$dir/audit-key" # signs heads of the audit chain
[[ -s $dir/vapid-key ]] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/vapid-key" # by which push services of browsers know the platform
[[ -s $dir/grafana-password ]] || random >"$dir/grafana-password"
rm -f "$dir/pgpass" # root alone could write into what is 0444
echo "*:*:parkwire:parkwire:$(cat "$dir/postgres-password")" >"$dir/pgpass"
chmod 444 "$dir"/{jwt-key,postgres-password,pgpass,audit-key,vapid-key,grafana-password}
