// Package conformance runs the cases of the Autobahn TestSuite against an echo server. The echo is part of the tests of
// internal/live, so that the engine that serves clients is what is tested.
package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// Whole says whether all cases are wanted. Otherwise those that take many minutes are left out: messages of 8 KB and more, compressed.
func Whole() bool { return os.Getenv("PARKWIRE_TEST_CONFORMANCE") == "all" }

// Runner finds kosoku, or skips the test; where PARKWIRE_TEST_CONFORMANCE is set it fails.
func Runner(t *testing.T) string {
	t.Helper()
	runner, err := exec.LookPath("kosoku")
	if err != nil {
		if os.Getenv("PARKWIRE_TEST_CONFORMANCE") != "" {
			t.Fatal("PARKWIRE_TEST_CONFORMANCE is set, but kosoku is not installed (pip install kosoku)")
		}
		t.Skip("kosoku, which runs the Autobahn cases, is not installed (pip install kosoku)")
	}
	return runner
}

// Run expects the server at the address, HOST:PORT, to pass the named cases, of which there are n. They may have asterisks.
func Run(t *testing.T, runner, address string, n int, cases ...string) {
	t.Helper()
	reports := t.TempDir()
	args := []string{"-m", "fuzzingclient", "-p", "2", "-o", reports}
	for _, c := range cases {
		args = append(args, "-i", c)
	}
	out, err := exec.CommandContext(t.Context(), runner, append(args, address)...).CombinedOutput()
	if err != nil {
		t.Errorf("kosoku: %v\n%s", err, out)
	}
	index, err := os.ReadFile(filepath.Join(reports, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var agents map[string]map[string]struct{ Behavior, BehaviorClose string }
	if err := json.Unmarshal(index, &agents); err != nil {
		t.Fatal(err)
	}
	good, run := []string{"OK", "INFORMATIONAL"}, 0 // NON-STRICT is not good enough
	for _, results := range agents {
		for name, c := range results {
			run++
			if !slices.Contains(good, c.Behavior) || !slices.Contains(good, c.BehaviorClose) {
				t.Errorf("case %s: %s, close %s", name, c.Behavior, c.BehaviorClose)
			}
		}
	}
	if run != n {
		t.Errorf("%d cases were run instead of %d\n%s", run, n, out)
	}
	t.Logf("%d cases", run)
}
