package main

import (
	"runtime"
	"strings"
	"testing"
)

func TestLoadSaysWhatOfItsCommandLineCannotBeUsed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("skipped: it is for Linux")
	}
	for line, want := range map[string]string{
		"":                                "--publish is missing",
		"--clients 0":                     "--clients: 1 to",
		"--pattern idle --url wss://a":    "TLS",
		"--pattern idel":                  "--pattern: one of lone, burst",
		"--publish kafka://a":             "--publish: \"kafka://a\" lacks",
		"--client 7":                      `did you mean "clients"`,
		"--pattern idle --duration later": "duration",
	} {
		code, _, err := parkwire(t, nil, append([]string{"load"}, strings.Fields(line)...)...)
		if code != exitUsage || !strings.Contains(err, want) {
			t.Errorf("parkwire load %s: exit code %d, without %q: %s", line, code, want, err)
		}
	}
}
