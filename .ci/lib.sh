# shellcheck shell=bash
# Steps of the checks. What a step prints is seen at once, or, of one in the background, when it is waited for.
# A failed step does not end the run, so that one run tells everything; finish does, with the counts of all test runners.

WORK=$(mktemp -d /tmp/parkwire-ci.XXXXXX)
mkdir "$WORK/results"
declare -A background_pid
failed_steps=()
broken=0 # failed steps in which no test failed

# run_step NAME COMMAND...: leaves the exit code in $code. It is never a condition, in which bash would not stop a
# function at its first failing command. Test runners report to $RESULT.json ("go test -json") or $RESULT.tap (all others).
run_step() {
  # shellcheck disable=SC2034
  local RESULT=$WORK/results/$1; shift
  set +e
  ( set -e; "$@" ) </dev/null
  code=$?
  set -e
}

# step NAME COMMAND...
step() {
  local from=$SECONDS code
  printf '\n== %s\n' "$1"
  run_step "$@"
  tell "$1" "$code" $((SECONDS - from))
}

# background NAME COMMAND...: like step, beside those that follow and giving way to them.
background() {
  printf '\n== %s, in the background\n' "$1"
  (
    from=$SECONDS
    renice -n 10 -p "$BASHPID" >/dev/null
    run_step "$@" >"$WORK/$1.log" 2>&1
    echo "$code $((SECONDS - from))" >"$WORK/$1.end"
  ) &
  background_pid[$1]=$!
}

# await NAME: waits for a step in the background and shows what it said.
await() {
  local code took
  wait "${background_pid[$1]}" || true
  unset "background_pid[$1]"
  printf '\n== %s, from the background\n' "$1"
  cat "$WORK/$1.log"
  read -r code took <"$WORK/$1.end"
  tell "$1" "$code" "$took"
}

tell() { # tell NAME CODE SECONDS
  if (($2 == 0)); then printf -- '-- %s: ok, %d s\n' "$1" "$3"; return; fi
  printf -- '-- %s: FAILED with code %d, %d s\n' "$1" "$2" "$3"
  failed_steps+=("$1")
  (($(count fail "$1") > 0)) || broken=$((broken + 1))
}

# count pass|fail|skip [STEP]: how many tests ended so, in a step or in all.
count() {
  find "$WORK/results" -name "${2:-*}.*" -exec awk -v want="$1" '
    FILENAME ~ /json$/ { if (/"Test":/ && index($0, "\"Action\":\"" want "\"")) n++; next }
    /^ *(not )?ok [0-9]/ { got = /# (SKIP|TODO)/ ? "skip" : /^ *not/ ? "fail" : "pass"; if (got == want) n++ }
    END { print n + 0 }' {} + | awk '{ n += $1 } END { print n + 0 }'
}

# finish: the result, alone on the last line, and whether the run succeeded.
finish() {
  local passed failed
  passed=$(count pass) failed=$(($(count fail) + broken))
  printf '\n%d s\n' "$SECONDS"
  ((${#failed_steps[@]} == 0)) || printf 'failed: %s\n' "${failed_steps[@]}"
  ((passed > 0)) || { echo 'no test ran'; failed=$((failed + 1)); }
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$(count skip)"
  ((failed == 0))
}
