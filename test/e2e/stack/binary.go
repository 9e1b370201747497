// Package stack runs Parkwire as its users run it: the real binary, in processes of its own, on free
// loopback ports, embedded (one process) or distributed over a real Kafka, Redis, PostgreSQL and NGINX.
// What it starts it also ends, by process id, and what a process said is shown when a test fails.
package stack

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// The variables of the environment that the tests read.
const (
	// EnvBinary names a binary to test instead of one that is built from this tree.
	EnvBinary = "PARKWIRE_TEST_BINARY"
	// EnvBuildFlags are further flags of "go build", such as -race, separated by spaces.
	EnvBuildFlags = "PARKWIRE_TEST_BUILD_FLAGS"
	// EnvKafka, EnvRedis and EnvDatabase name the servers of the distributed stack.
	EnvKafka    = "PARKWIRE_TEST_KAFKA_BROKERS"
	EnvRedis    = "PARKWIRE_TEST_REDIS_URL"
	EnvDatabase = "PARKWIRE_TEST_DATABASE_URL"
	// EnvDistributed makes the absence of any of them a failure instead of a reason to skip.
	EnvDistributed = "PARKWIRE_TEST_DISTRIBUTED"
	// EnvEmbedded set to 0 leaves out what was tested in one process already, where only the distributed way is wanted.
	EnvEmbedded = "PARKWIRE_TEST_EMBEDDED"
	// EnvData is the folder with real parking data. Default: shared/data beside the repository.
	EnvData = "PARKWIRE_TEST_DATA"
)

var build struct {
	once sync.Once
	dir  string // removed by Main
	path string
	err  error
}

// Main runs the tests of a package and removes the binary that they built. TestMain calls it:
//
//	func TestMain(m *testing.M) { os.Exit(stack.Main(m)) }
func Main(m *testing.M) int {
	defer removeBinary()
	return m.Run()
}

func removeBinary() {
	if build.dir != "" {
		os.RemoveAll(build.dir)
	}
}

// Binary returns the path of the program under test, built once for all tests of the package.
func Binary(t T) string {
	t.Helper()
	build.once.Do(func() { build.path, build.err = makeBinary() })
	if build.err != nil {
		t.Fatalf("the program under test could not be built: %v", build.err)
	}
	return build.path
}

func makeBinary() (string, error) {
	if path := os.Getenv(EnvBinary); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "parkwire-e2e-")
	if err != nil {
		return "", err
	}
	build.dir = dir
	path := filepath.Join(dir, "parkwire")
	args := append([]string{"build", "-o", path}, strings.Fields(os.Getenv(EnvBuildFlags))...)
	cmd := exec.Command("go", append(args, "./cmd/parkwire")...)
	cmd.Dir = Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/parkwire: %w\n%s", err, out)
	}
	return path, nil
}

// Root returns the root of the repository.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Data returns the path of a file of real parking data, and skips the test where the data is not at hand.
func Data(t T, name string) string {
	t.Helper()
	dir := os.Getenv(EnvData)
	if dir == "" {
		dir = filepath.Join(Root(), "..", "shared", "data")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: the real parking data %s is not here (%v); %s names another folder", name, err, EnvData)
	}
	return path
}
