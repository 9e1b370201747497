package hostile

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"parkwire/test/e2e/stack"
)

// Whatever schemathesis makes of openapi.yaml, right and wrong: no operation fails, and none answers what the description does not say, with a token and
// without. Without schemathesis the test is skipped; where PARKWIRE_TEST_CONFORMANCE is set it fails.
func TestTheDescriptionSaysWhatIsAnswered(t *testing.T) {
	program, err := exec.LookPath("schemathesis")
	if err != nil {
		if os.Getenv("PARKWIRE_TEST_CONFORMANCE") != "" {
			t.Fatal("PARKWIRE_TEST_CONFORMANCE is set, but schemathesis is not installed (pip install schemathesis)")
		}
		t.Skip("schemathesis is not installed (pip install schemathesis)")
	}
	for name, c := range map[string]struct{ scope, seconds string }{"with a token": {"admin", "60"}, "without a token": {"", "20"}} {
		t.Run(name, func(t *testing.T) {
			s := stack.Embedded(t, "--rate-limit", "0", "--live-handshake-rate", "100000")
			s.AddLot(t, "central", "A-017", "A-018") // of which the examples speak
			s.Do(t, 201, "POST", "/api/v1/lots/central/zones", map[string]any{"id": "central-L1", "name": "Level 1"}, nil)
			s.Do(t, 201, "POST", "/api/v1/sensors", map[string]any{"id": bosch, "model": "bosch-tps110", "spotId": "A-017"}, nil)
			settings := filepath.Join(stack.Root(), "test", "hostile", "schemathesis", "schemathesis.toml")
			args := []string{"--config-file", settings, "run", filepath.Join(stack.Root(), "api", "openapi.yaml"), "--url", s.URL, "--max-time", c.seconds}
			if c.scope != "" {
				args = append(args, "--header", "Authorization: Bearer "+s.TokenFor(t, c.scope))
			}
			asking := exec.CommandContext(t.Context(), program, args...)
			asking.Dir = t.TempDir() // where it keeps what it found
			asking.Env = append(stack.Environ(), "SCHEMATHESIS_HOOKS="+filepath.Join(filepath.Dir(settings), "hooks.py"))
			out, err := asking.CombinedOutput()
			if err != nil {
				t.Errorf("schemathesis found something (%v):\n%s", err, out)
			}
			var count int
			if found := regexp.MustCompile(`(\d+) generated`).FindSubmatch(out); found != nil {
				count, _ = strconv.Atoi(string(found[1]))
			}
			t.Logf("%d cases", count)
			if count < 100 { // there are 48 operations
				t.Errorf("schemathesis tried but %d cases:\n%s", count, out)
			}
		})
	}
}
