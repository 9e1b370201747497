package deploy

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parkwire/test/e2e/stack"
)

// nobody is who runs a script where the tests run as root, to whom nothing is forbidden.
const nobody = 65534

// Who runs secrets.sh after each update, and is not root, gets what is new and keeps what is there.
func TestSecretsAreMadeOnce(t *testing.T) {
	need(t, "openssl")
	script, err := os.ReadFile(filepath.Join(stack.Root(), "deploy", "secrets.sh"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "parkwire-secrets-") // one of t.TempDir is for root alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	run := func() map[string]string {
		t.Helper()
		command := exec.Command("bash", "-s", filepath.Join(dir, "secrets"))
		command.Dir, command.Stdin = dir, bytes.NewReader(script)
		if os.Getuid() == 0 {
			if err := os.Chown(dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
			command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("secrets.sh: %v: %s", err, out)
		}
		files, err := filepath.Glob(filepath.Join(dir, "secrets", "*"))
		if err != nil {
			t.Fatal(err)
		}
		made := map[string]string{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			made[filepath.Base(file)] = string(text)
		}
		return made
	}
	first := run()
	if want := []string{"audit-key", "grafana-password", "jwt-key", "pgpass", "postgres-password", "vapid-key"}; !slices.Equal(slices.Sorted(maps.Keys(first)), want) {
		t.Fatalf("it makes %v, and is to make %v", slices.Sorted(maps.Keys(first)), want)
	}
	if err := os.Remove(filepath.Join(dir, "secrets", "audit-key")); err != nil { // as in an installation from before there was one
		t.Fatal(err)
	}
	for name, text := range run() {
		if (text == first[name]) == (name == "audit-key") {
			t.Errorf("after the second time %s is %q, and was %q", name, text, first[name])
		}
	}
}

// engine stands in for the one program that roll.sh runs, with a file for each container.
const engine = `#!/usr/bin/env bash
set -eu
case "$1 $2" in
"compose ps") ls ;;
"compose rm") rm -f ended ;;
"compose up")
  all="$*" n=${all#*--scale parking=}
  while (($(ls | wc -l) < ${n%% *})); do mktemp new.XXXXXX; done
  exit "$FAIL" ;;
"rm "*) rm "${@: -1}" ;;
esac
`

// roll.sh leaves as many containers as there were: all of them new, or all of them those from before.
func TestARollingRestartThatFailsLeavesWhatWasThere(t *testing.T) {
	need(t, "bash")
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(engine), 0o755); err != nil {
		t.Fatal(err)
	}
	for fail, name := range []string{"one is ready", "none becomes ready"} {
		t.Run(name, func(t *testing.T) {
			containers := t.TempDir()
			for _, c := range []string{"old.1", "old.2", "ended"} {
				if err := os.WriteFile(filepath.Join(containers, c), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			command := exec.Command(filepath.Join(stack.Root(), "deploy", "roll.sh"), "parking")
			command.Dir, command.Env = containers, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), fmt.Sprint("FAIL=", fail))
			out, err := command.CombinedOutput()
			left, globErr := filepath.Glob(filepath.Join(containers, "*"))
			if globErr != nil {
				t.Fatal(globErr)
			}
			old := slices.ContainsFunc(left, func(file string) bool { return strings.HasPrefix(filepath.Base(file), "old.") })
			if failed := fail == 1; len(left) != 2 || old != failed || (err != nil) != failed || strings.Contains(string(out), "did not become ready") != failed {
				t.Errorf("%v, and %v are left: %s", err, left, out)
			}
		})
	}
}
