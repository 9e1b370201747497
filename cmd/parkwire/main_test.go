package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// parkwire runs a command line with an environment and returns the exit code and what it said.
func parkwire(t *testing.T, environ []string, args ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), streams{in: strings.NewReader(""), out: &o, err: &e, environ: environ}, args)
	return code, o.String(), e.String()
}

func TestACommandLineThatCannotBeUsedSaysWhatWould(t *testing.T) {
	for line, want := range map[string]string{
		"":                      "usage: parkwire COMMAND",
		"pakring":               `did you mean "parking"`,
		"all --listne :1":       `did you mean "listen"`,
		"demo --speed 2000":     "--speed: the speed 2000 is not above 0 and up to 1440",
		"all leftover":          "leftover",
		"all --listen nonsense": "listen (from flag --listen): \"nonsense\" is no address",
		"gateway":               "parking-urls: it is missing",
		"notifications":         "redis-url: it is missing",
		"parking":               "database-url: it is missing",
		"history":               "history-database-url: it is missing",
		"audit":                 "audit-database-url: it is missing",
		"alerts":                "alerts-database-url: it is missing",
		"rebuild":               "one of history, audit, alerts",
		"rebuild histroy":       `did you mean "history"`,
		"rebuild history --kafka-brokers nowhere:9092 --data-dir /nowhere": "history-database-url: it is missing",
		"all --kafka-listen 0.0.0.0:0":                                     "kafka-listen",
		"config nowhere":                                                   "nowhere",
		"config --format xml":                                              "--format",
		"config gateway":                                                   "live-urls: it is missing",
		"verify --rate 0":                                                  "--rate: above 0",
		"verify --url nowhere":                                             "http://localhost:5000 is one",
		"token --scope everything":                                         "everything",
		"token --ttl 0s":                                                   "a second",
		"token --jwt-key short":                                            "at least 32",
		"token --jwt-key-file /nowhere":                                    "/nowhere",
	} {
		args := strings.Fields(line)
		if len(args) > 0 && args[0] == "token" && !strings.Contains(line, "jwt-key") {
			args = append(args, "--data-dir", t.TempDir())
		}
		code, out, err := parkwire(t, nil, args...)
		if lines := strings.Count(out+err, "\n"); len(args) > 0 && args[0] != "config" && lines > 10 {
			t.Errorf("parkwire %s: what is wrong is lost among %d lines", line, lines)
		}
		if code == 0 || !strings.Contains(strings.ToLower(out+err), strings.ToLower(want)) {
			t.Errorf("parkwire %s: exit code %d, without %q in:\n%s%s", line, code, want, out, err)
		}
	}
}

// Who forgets to say where Kafka is must not have what was made of it deleted for an empty log in a new folder.
func TestARebuildMakesNoLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	code, _, err := parkwire(t, nil, "rebuild", "history", "--data-dir", dir, "--history-database-url", "sqlite:"+filepath.Join(t.TempDir(), "history.db"))
	if _, missing := os.Stat(dir); code != exitFailure || !strings.Contains(err, "there is no log in it") || !errors.Is(missing, fs.ErrNotExist) {
		t.Errorf("exit code %d: %s; the folder: %v", code, err, missing)
	}
}

func TestHelpNamesEveryDefault(t *testing.T) {
	for _, args := range [][]string{{"all", "-h"}, {"help", "all"}} {
		code, out, err := parkwire(t, nil, args...)
		if code != 0 || err != "" {
			t.Errorf("%q: exit code %d: %s", args, code, err)
		}
		for _, want := range []string{"usage: parkwire all", "--listen ", "(default :5000)", "(default true)", "(default 168h)"} {
			if !strings.Contains(out, want) {
				t.Errorf("%q does not say %q:\n%s", args, want, out)
			}
		}
	}
}

func TestATokenStandsAloneOnStandardOutput(t *testing.T) {
	dir := t.TempDir()
	code, first, err := parkwire(t, nil, "token", "--data-dir", dir, "--scope", "operate")
	if code != 0 || err != "" || strings.Count(strings.TrimSpace(first), ".") != 2 || strings.Count(first, "\n") != 1 {
		t.Fatalf("exit code %d, out %q, err %q", code, first, err)
	}
	// The key is the one that the platform makes and reads.
	code, _, err = parkwire(t, []string{"PARKWIRE_JWT_KEY_FILE=" + filepath.Join(dir, "jwt.key")}, "token")
	if code != 0 {
		t.Errorf("with the key that was made: exit code %d: %s", code, err)
	}
}

func TestConfigTellsWhereEachValueCameFrom(t *testing.T) {
	code, out, err := parkwire(t, []string{"PARKWIRE_LOG_LEVEL=debug"}, "config", "--listen", ":7000", "--data-dir", "/d")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, err)
	}
	lines := map[string]string{}
	for line := range strings.Lines(out) {
		lines[strings.Fields(line)[0]] = strings.Join(strings.Fields(line)[1:], " ")
	}
	for name, want := range map[string]string{
		"listen": ":7000 flag --listen", "log-level": "debug PARKWIRE_LOG_LEVEL", "redis-channel": "notifications default",
		"database-url": "sqlite:/d/parkwire.db embedded, in data-dir",
	} {
		if lines[name] != want {
			t.Errorf("%s is printed as %q instead of %q", name, lines[name], want)
		}
	}
}

func TestHealthOfNothingFails(t *testing.T) {
	if code, _, err := parkwire(t, nil, "health", "--admin-listen", "127.0.0.1:1"); code != exitFailure || !strings.Contains(err, "admin-listen") {
		t.Errorf("exit code %d: %s", code, err)
	}
}
