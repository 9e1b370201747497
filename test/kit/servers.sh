#!/usr/bin/env bash
# The servers under a distributed Parkwire, all at once: three Kafka nodes, Redis (one server, and a
# set of two under sentinels) and PostgreSQL.
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
    "$HERE/kafka.sh" start 3 >/dev/null &
    kafka=$!
    "$HERE/sentinel.sh" start >/dev/null &
    sentinel=$!
    "$HERE/redis.sh" start >/dev/null
    "$HERE/postgres.sh" start >/dev/null
    wait "$kafka"
    wait "$sentinel"
    exec "$0" env
    ;;
  env)
    printf 'export PARKWIRE_TEST_KAFKA_BROKERS=%q PARKWIRE_TEST_REDIS_URL=%q PARKWIRE_TEST_SENTINEL_URL=%q PARKWIRE_TEST_DATABASE_URL=%q\n' \
      "$("$HERE/kafka.sh" brokers 3)" "$("$HERE/redis.sh" url)" "$("$HERE/sentinel.sh" url)" "$("$HERE/postgres.sh" url)"
    ;;
  stop) "$HERE/kafka.sh" stop 3; "$HERE/redis.sh" stop; "$HERE/sentinel.sh" stop; "$HERE/postgres.sh" stop ;;
  wipe) "$HERE/kafka.sh" wipe; "$HERE/redis.sh" wipe; "$HERE/sentinel.sh" wipe; "$HERE/postgres.sh" wipe ;;
  *) usage "$0" ;;
esac
