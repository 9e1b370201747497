#!/usr/bin/env bash
# What the servers of this folder prove themselves with, and what their clients do: made once, good for a week.
#
#   tls.sh make    makes it where it is missing, and prints the folder
#   tls.sh wipe    removes it
#
# In the folder: ca.crt (the authority), server.crt and server.key for 127.0.0.1 and localhost (server.pem: both), client.crt and client.key of a client
# called parkwire, other.crt (an authority that signed nothing), and password, one with all characters that need quoting somewhere.
#
# KIT_DIR: where it lives.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
T=$KIT_DIR/tls

key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; } # PKCS 8, the only form that Kafka reads
authority() { # authority NAME
  key "$1.key"
  openssl req -x509 -new -key "$1.key" -days 7 -subj "/CN=parkwire test $1" -addext keyUsage=critical,keyCertSign,cRLSign -out "$1.crt"
}
signed() { # signed NAME SUBJECT USAGE [SAN]
  key "$1.key"
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 7 -out "$1.crt" \
    -extfile <(printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\n' "$3"; [[ -z ${4:-} ]] || printf 'subjectAltName=%s\n' "$4")
  rm "$1.csr"
}
make_all() {
  authority ca
  authority other
  signed server /CN=server serverAuth,clientAuth IP:127.0.0.1,DNS:localhost # nodes of a cluster are each other's clients
  signed client /CN=parkwire clientAuth
  cat server.key server.crt ca.crt >server.pem
  printf '%s\n' 'pa/ss:w@rd%21#x$ y' >password
}

case ${1:-} in
  make)
    if [[ ! -f $T/password ]]; then
      need openssl openssl
      rm -rf "$T.part"; mkdir -p "$T.part"
      (cd "$T.part" && make_all) >"$KIT_DIR/tls.log" 2>&1 || { cat "$KIT_DIR/tls.log" >&2; die "openssl failed"; }
      rm -rf "$T"; mv "$T.part" "$T"
      chmod 755 "$T"; chmod 644 "$T"/* # whoever the servers run as reads them
    fi
    echo "$T"
    ;;
  wipe) rm -rf "$T" ;;
  *) usage "$0" ;;
esac
