# shellcheck shell=bash
# What the scripts of this folder share. They keep everything (data, logs, addresses, process ids) under KIT_DIR, so
# two kits with different KIT_DIRs run at once, and end only processes that they started themselves.

KIT_DIR=${KIT_DIR:-${TMPDIR:-/tmp}/parkwire-kit}
mkdir -p "$KIT_DIR"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# usage FILE: the comment at the top of a script.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1" >&2; exit 2; }

# need PROGRAM PACKAGE: says what to install instead of failing somewhere later.
need() { command -v "$1" >/dev/null || die "$1 is not installed: apt-get install $2"; }

# A process is remembered with the time of its start, so that another one that got the same id later is never ended.
started_at() { # prints nothing for a process that has ended, waited for or not
  local s; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  s=${s##*) }; [[ $s != Z* ]] || return 1
  cut -d' ' -f20 <<<"$s"
}
remember() { echo "$2 $(started_at "$2" || true)" >"$1"; }
alive() { # alive PIDFILE
  local pid since
  [[ -s $1 ]] && read -r pid since <"$1" && [[ -n $since && $(started_at "$pid" || true) == "$since" ]]
}
pid_of() { cut -d' ' -f1 "$1"; }

# spawn NAME COMMAND...: starts COMMAND detached; its output goes to NAME/log, its id to NAME/pid.
spawn() {
  local d=$1; shift; mkdir -p "$d"
  setsid "$@" >>"$d/log" 2>&1 </dev/null &
  remember "$d/pid" $!
}

# end NAME [SIGNAL] [SECONDS]: ends what spawn started, kindly first.
end() {
  local f=$1/pid pid; alive "$f" || { rm -f "$f"; return 0; }
  pid=$(pid_of "$f"); kill "-${2:-TERM}" "$pid" 2>/dev/null || true
  until_true "${3:-20}" gone "$f" || kill -KILL "$pid" 2>/dev/null || true
  until_true 5 gone "$f" || say "process $pid does not end"
  rm -f "$f"
}
gone() { ! alive "$1"; }

# until_true SECONDS COMMAND...: tries COMMAND until it succeeds.
until_true() {
  local limit=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do (( SECONDS < limit )) || return 1; sleep 0.1; done
}

# ready NAME SECONDS COMMAND...: waits for a started server, and shows its log when it does not come.
ready() {
  local d=$1 limit=$((SECONDS + $2)); shift 2
  until "$@" >/dev/null 2>&1; do
    if ! alive "$d/pid" || (( SECONDS >= limit )); then tail -20 "$d/log" >&2; die "$d did not become ready"; fi
    sleep 0.1
  done
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# port_for FILE [WISH]: the port kept in FILE; at the first call WISH, or else one that nothing listens on. Below 32768,
# where the system takes no port for outgoing connections, so that it is still free after a restart.
port_for() {
  local p
  if [[ ! -s $1 ]]; then
    mkdir -p "$(dirname "$1")"
    p=${2:-}
    while [[ -z $p ]]; do p=$((10240 + (RANDOM * 32768 + RANDOM) % 22000)); ! listening "$p" || p=; done
    echo "$p" >"$1"
  fi
  cat "$1"
}
