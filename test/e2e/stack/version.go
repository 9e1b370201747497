package stack

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// EnvPrevious names a binary of an earlier version, instead of one that is built from the history of this tree.
const EnvPrevious = "PARKWIRE_TEST_PREVIOUS_BINARY"

// Earlier builds the program as it was at a commit, from the history of this tree. It skips the test where there is no history, as in an archive or a shallow
// clone.
func Earlier(t T, commit string) string {
	t.Helper()
	if path := os.Getenv(EnvPrevious); path != "" {
		return path
	}
	git := func(args ...string) ([]byte, error) {
		cmd := exec.Command("git", append([]string{"-C", Root()}, args...)...)
		return cmd.CombinedOutput()
	}
	if out, err := git("cat-file", "-e", commit+"^{commit}"); err != nil {
		t.Skipf("skipped: the history of this checkout does not have %s (%v %s); %s may name a binary of it", commit, err, strings.TrimSpace(string(out)), EnvPrevious)
	}
	source, out := t.TempDir(), filepath.Join(t.TempDir(), "parkwire")
	unpack := exec.Command("sh", "-c", `git -C "$1" archive "$2" | tar -x -C "$3"`, "sh", Root(), commit, source)
	if said, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("unpacking %s: %v\n%s", commit, err, said)
	}
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", fmt.Sprintf("-X main.version=%.12s", commit), "-o", out, "./cmd/parkwire")
	build.Dir = source
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", commit, err, said)
	}
	return out
}

// Use lets the node be of another binary from its next start on.
func (n *Node) Use(binary string) { n.binary = binary }

// Admin is the address for operators.
func (n *Node) Admin() string { return strings.TrimPrefix(n.admin, "http://") }
