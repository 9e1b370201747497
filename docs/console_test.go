package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// console finds the blocks that show commands, each after "$ ", and what they print.
var console = regexp.MustCompile("(?ms)^```console\n(.*?)^```$")

// TestCommandsOfTheDocumentsPrintWhatTheySay runs every console block of a document, one after the other, as its
// reader would on a new platform. In what is printed, "…" stands for anything, and other lines may come between.
func TestCommandsOfTheDocumentsPrintWhatTheySay(t *testing.T) {
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("skipped: %s is not installed", program)
		}
	}
	for _, file := range documents(t) {
		blocks := console.FindAllStringSubmatch(read(t, file), -1)
		if len(blocks) == 0 {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			shell := newReader(t)
			for _, block := range blocks {
				for _, step := range strings.Split("\n"+block[1], "\n$ ")[1:] {
					command, printed := split(step)
					shell.run(t, command, printed)
				}
			}
		})
	}
}

// split separates a command, which goes on after a line that ends with a backslash, from what it prints.
func split(step string) (command string, printed []string) {
	lines := strings.Split(strings.TrimRight(step, "\n"), "\n")
	n := 1
	for n < len(lines) && strings.HasSuffix(lines[n-1], `\`) {
		n++
	}
	return strings.Join(lines[:n], "\n"), lines[n:]
}

// reader is somebody who types the commands into one shell.
type reader struct {
	folder string // with bin/parkwire and the data of the platform, as in this repository after "make build"
	url    string
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{folder: t.TempDir()}
	r.url = stack.Embedded(t, "--data-dir", filepath.Join(r.folder, "data")).URL
	if err := os.Mkdir(filepath.Join(r.folder, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(stack.Binary(t), filepath.Join(r.folder, "bin", "parkwire")); err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs a command until it prints what it should: what was written is read a moment later. What is done with a token
// is done once.
func (r *reader) run(t *testing.T, command string, printed []string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		out, err := r.execute(t, command)
		if err == nil && expectation(printed).Match(out) {
			return
		}
		if strings.Contains(command, "$PARKWIRE_TOKEN") || time.Now().After(deadline) {
			t.Fatalf("$ %s\nprints (%v)\n%s\ninstead of\n%s", command, err, out, strings.Join(printed, "\n"))
		}
	}
}

func (r *reader) execute(t *testing.T, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	// What is exported is there for the next command too.
	script := "[ ! -e exported ] || . ./exported\n" + strings.ReplaceAll(command, "http://localhost:5000", r.url) +
		"\ncode=$?; export -p >exported; exit $code"
	shell := exec.CommandContext(ctx, "bash", "-c", script)
	shell.Dir, shell.Env = r.folder, append(stack.Environ(), "PARKWIRE_URL="+r.url)
	shell.WaitDelay = time.Second
	return shell.CombinedOutput()
}

func expectation(printed []string) *regexp.Regexp {
	pattern := "(?m)"
	for _, line := range printed {
		pattern += "^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "$(?:\n|.)*?"
	}
	return regexp.MustCompile(pattern)
}
