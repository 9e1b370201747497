//go:build unix

package main

import (
	"syscall"
	"testing"
	"time"
)

func TestEachSIGUSR1IsAMarkUntilItIsStopped(t *testing.T) {
	marks, stop := operatorMarks()
	for range 2 {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		select {
		case <-marks:
		case <-time.After(10 * time.Second):
			t.Fatal("the signal brought no mark")
		}
	}
	stop()
}
