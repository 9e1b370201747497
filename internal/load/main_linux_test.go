package load

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the children of the tests be this program too.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "load" && os.Args[2] == "child" {
		if err := Child(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0") // or each child takes a second to end
	goleak.VerifyTestMain(m)
}
