package stack

import (
	"encoding/json"
	"os"
	"syscall"
	"time"
)

// Report is what `parkwire verify --json` writes, as far as it is told.
type Report struct {
	OK                                                              bool
	Acknowledged, Delivered, Lost, Repeated, OutOfOrder, Reconnects int
}

// Verdict ends a running `parkwire verify` and returns its report. The test fails where it found anything, or where fewer changes were acknowledged than
// show something.
func Verdict(t T, verify *Process, file string, atLeast int) Report {
	t.Helper()
	verify.Signal(t, syscall.SIGINT)
	code := verify.Wait(t, 3*time.Minute)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("verify wrote no report (exit code %d): %s", code, verify.Output())
	}
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if code != 0 || !r.OK || r.Acknowledged < atLeast {
		t.Errorf("exit code %d: %s", code, text)
	}
	return r
}
