#!/usr/bin/env bash
# The servers under a distributed Parkwire, all at once: three Kafka nodes, Redis (one server, a set
# of two under sentinels, and a cluster of six) and PostgreSQL; Kafka, the one Redis and PostgreSQL also with TLS and logins.
#
#   servers.sh start   starts what does not run yet, and prints what "env" prints
#   servers.sh env     prints the variables with which the tests find them: eval "$(test/kit/servers.sh env)"
#   servers.sh stop    ends them
#   servers.sh wipe    ends them and removes their data
#
# KIT_DIR: where they live.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$HERE/lib.sh"
case ${1:-} in
  start)
    "$HERE/tls.sh" make >/dev/null
    "$HERE/kafka.sh" start 3 >/dev/null &
    kafka=$!
    "$HERE/sentinel.sh" start >/dev/null &
    sentinel=$!
    "$HERE/cluster.sh" start >/dev/null &
    cluster=$!
    "$HERE/redis.sh" start >/dev/null
    "$HERE/postgres.sh" start >/dev/null
    wait "$kafka"
    wait "$sentinel"
    wait "$cluster"
    exec "$0" env
    ;;
  env)
    printf 'export PARKWIRE_TEST_TLS_DIR=%q PARKWIRE_TEST_KAFKA_SASL_BROKERS=%q PARKWIRE_TEST_KAFKA_MUTUAL_BROKERS=%q PARKWIRE_TEST_REDIS_TLS_URL=%q PARKWIRE_TEST_DATABASE_TLS_URL=%q\n' \
      "$KIT_DIR/tls" "$("$HERE/kafka.sh" brokers 3 sasl)" "$("$HERE/kafka.sh" brokers 3 mutual)" "$("$HERE/redis.sh" url tls)" "$("$HERE/postgres.sh" url tls)"
    printf 'export PARKWIRE_TEST_KAFKA_BROKERS=%q PARKWIRE_TEST_REDIS_URL=%q PARKWIRE_TEST_SENTINEL_URL=%q PARKWIRE_TEST_CLUSTER_URL=%q PARKWIRE_TEST_DATABASE_URL=%q\n' \
      "$("$HERE/kafka.sh" brokers 3)" "$("$HERE/redis.sh" url)" "$("$HERE/sentinel.sh" url)" "$("$HERE/cluster.sh" url)" "$("$HERE/postgres.sh" url)"
    ;;
  stop) "$HERE/kafka.sh" stop 3; "$HERE/redis.sh" stop; "$HERE/sentinel.sh" stop; "$HERE/cluster.sh" stop; "$HERE/postgres.sh" stop ;;
  wipe) "$HERE/kafka.sh" wipe; "$HERE/redis.sh" wipe; "$HERE/sentinel.sh" wipe; "$HERE/cluster.sh" wipe; "$HERE/postgres.sh" wipe; "$HERE/tls.sh" wipe ;;
  *) usage "$0" ;;
esac
