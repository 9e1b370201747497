# shellcheck shell=bash
# Steps of the checks. What a step prints is seen at once, or, of one in the background, when it is waited for.
# A failed step does not end the run, so that one run tells everything; finish does, with the counts of all test runners.

WORK=$(mktemp -d /tmp/parkwire-ci.XXXXXX)
chmod 711 "$WORK" # PostgreSQL runs as a user of its own
mkdir "$WORK/results"
declare -A running # the process of each step that has not been concluded
failed_steps=()
broken=0 # failed steps in which no test failed

# step NAME COMMAND...
step() {
  printf '\n== %s\n' "$1"
  launch "$@"
  conclude "$1"
}

# background NAME COMMAND...: like step, beside those that follow and giving way to them.
background() {
  printf '\n== %s, in the background\n' "$1"
  launch "$1" yielding "${@:2}" >"$WORK/$1.log" 2>&1
}
yielding() {
  renice -n 10 -p "$BASHPID" >/dev/null
  "$@"
}

# await NAME: waits for a step in the background and shows what it said.
await() {
  printf '\n== %s, from the background\n' "$1"
  conclude "$1"
}

# launch NAME COMMAND...: starts it as a process, so that a signal reaches this script meanwhile. Test runners
# report to $RESULT.json ("go test -json") or $RESULT.tap (all others).
launch() {
  # shellcheck disable=SC2034
  local RESULT=$WORK/results/$1
  clock >"$WORK/$1.times"
  (
    # shellcheck disable=SC2064
    trap "clock >>'$WORK/$1.times'" EXIT
    "${@:2}"
  ) </dev/null &
  running[$1]=$!
}

# clock: seconds, and ticks of a hundredth in which a processor of this machine had nothing to do.
clock() { awk -v now="$EPOCHSECONDS" '$1 == "cpu" { print now, $5 + $6 }' /proc/stat; }

conclude() {
  local code=0 begun ended
  wait "${running[$1]}" || code=$?
  unset "running[$1]"
  [[ ! -f $WORK/$1.log ]] || cat "$WORK/$1.log"
  { read -ra begun; read -ra ended; } <"$WORK/$1.times"
  tell "$1" "$code" $((ended[0] - begun[0])) $((ended[1] - begun[1]))
}

tell() { # tell NAME CODE SECONDS TICKS
  local busy=$((100 - $4 / ($3 > 0 ? $3 : 1) / $(nproc)))
  if (($2 == 0)); then printf -- '-- %s: ok, %d s, processors busy for %d %%\n' "$1" "$3" "$busy"; return; fi
  printf -- '-- %s: FAILED with code %d, %d s, processors busy for %d %%\n' "$1" "$2" "$3" "$busy"
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

# failures: every failed test with the end of what it said, once more, since that is looked for at the end.
failures() {
  find "$WORK/results" -type f | sort | while read -r file; do
    python3 - "$file" <<'END'
import collections, json, re, sys
said, failed = collections.defaultdict(lambda: collections.deque(maxlen=30)), []
for line in open(sys.argv[1], errors="replace"):
    if re.match(r" *not ok ", line) and "# TODO" not in line and "# SKIP" not in line:
        failed.append(line.strip())
    elif line.startswith("{"):
        e = json.loads(line)
        test = f'{e["Package"]} {e.get("Test", "")}' if "Package" in e else e.get("ImportPath", "")
        if e["Action"] in ("output", "build-output"):
            said[test].append(e["Output"])
        elif e["Action"] in ("fail", "build-fail"):
            failed.append(test)
for test in failed:
    print(f"\nfailed: {test}\n" + "".join(said[test]), end="")
END
  done
}

# left_out packages|tests FILE: those in which something was skipped, and all of test/e2e; tests are told as a pattern for "go test -run", of
# which each matches a whole test with all its subtests.
left_out() {
  python3 - "$@" <<'END'
import json, sys
events = [json.loads(line) for line in open(sys.argv[2], errors="replace") if line.startswith("{")]
left = {(e["Package"], e["Test"].split("/")[0]) for e in events if "Test" in e and (e["Action"] == "skip" or e["Package"].endswith("/test/e2e"))}
packages, tests = (sorted(set(names)) for names in zip(*left))
print("\n".join(packages) if sys.argv[1] == "packages" else f'^({"|".join(tests)})$')
END
}

# failed_packages FILE: those in which a test or the build failed. Nothing where a package was not even begun.
failed_packages() {
  python3 - "$1" <<'END'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1], errors="replace") if line.startswith("{")]
ended = {e["Package"]: e["Action"] for e in events if "Package" in e and "Test" not in e and e["Action"] in ("pass", "fail", "skip")}
begun = {e["Package"] for e in events if "Package" in e}
if begun == set(ended):
    print("\n".join(sorted(p for p, action in ended.items() if action == "fail")))
END
}

# replace_packages FILE SECOND: what SECOND says of its packages instead of what FILE does. Prints the tests that had failed.
replace_packages() {
  python3 - "$1" "$2" <<'END'
import json, sys
first, second = ([line for line in open(name, errors="replace") if line.startswith("{")] for name in sys.argv[1:])
package = lambda line: json.loads(line).get("Package")
anew = {package(line) for line in second}
for line in first:
    e = json.loads(line)
    if e.get("Package") in anew and e["Action"] == "fail" and "Test" in e:
        print(e["Package"], e["Test"])
open(sys.argv[1], "w").writelines([line for line in first if package(line) not in anew] + second)
END
}

# scenarios FILE SECOND: what "make chaos" has written, as TAP. What failed and passed when it was run again is added to SECOND.
scenarios() {
  python3 - "$@" <<'END'
import json, sys
number = 0
for row in json.load(open(sys.argv[1]))["scenarios"]:
    text = " ".join(["chaos", row["scenario"]] + (row["failures"] or [])).translate({10: " ", ord("#"): " "})[:800]
    if row.get("repeat"):
        print(text, file=open(sys.argv[2], "a"))
        continue
    number += 1
    print("ok" if row["ok"] else "not ok", number, "-", text)
END
}

# finish: the result, alone on the last line, and whether the run succeeded.
finish() {
  local passed failed
  passed=$(count pass) failed=$(($(count fail) + broken))
  printf '\n%d s\n' "$SECONDS"
  failures
  ((${#failed_steps[@]} == 0)) || printf 'failed: %s\n' "${failed_steps[@]}"
  [[ ! -f $WORK/second-try ]] || sed 's/^/failed once, passed when run again: /' "$WORK/second-try"
  ((passed > 0)) || { echo 'no test ran'; failed=$((failed + 1)); }
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$(count skip)"
  ((failed == 0))
}
