package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// What the pages at /docs show for a shell does what they say, one after the other as a reader would try it. That of listening has no end.
func TestTheExamplesForAShellWork(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	s := stack.Embedded(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "spots.csv"), []byte("spotId,zoneId,lat,lon\nA-017,L1,48.137,11.575\nA-018,L1,48.137,11.576\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(name string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(stack.Root(), "internal", "reference", "examples", name, "curl.sh"))
		if err != nil {
			t.Fatal(err)
		}
		const strictly = "set -eu\ncd \"$1\"\ncurl() { command curl -sS --fail-with-body \"$@\"; }\n"
		script := filepath.Join(dir, name+".sh")
		if err := os.WriteFile(script, []byte(strictly+strings.ReplaceAll(string(text), "http://localhost:5000", s.URL)), 0o600); err != nil {
			t.Fatal(err)
		}
		stack.Run(t, time.Minute, []string{"PARKWIRE_TOKEN=" + s.Token}, "bash", script, dir)
	}
	run("import")
	run("readings")
	if status := s.Spot(t, "A-017").Status; status != "occupied" {
		t.Errorf("after the reading the spot is %q", status)
	}
	run("read")
	for spot := s.Spot(t, "A-017"); spot.Version < 41; { // of which the example knows the version
		spot = s.Toggle(t, spot)
	}
	run("change")
	if spot := s.Spot(t, "A-017"); spot.Status != "closed" || spot.Version != 43 {
		t.Errorf("after the change the spot is %+v", spot)
	}
}
