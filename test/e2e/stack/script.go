package stack

import (
	"fmt"
	"os"
	"runtime"
)

// Script runs a program that is no test with what this package offers, cleans up behind it, and returns why
// it gave up, if it did.
func Script(run func(t T)) error {
	s := &script{}
	ended := make(chan struct{})
	go func() { // which Fatalf ends
		defer close(ended)
		run(s)
	}()
	<-ended
	for len(s.cleanups) > 0 {
		last := len(s.cleanups) - 1
		cleanup := s.cleanups[last]
		s.cleanups = s.cleanups[:last]
		cleanup()
	}
	removeBinary()
	return s.err
}

// script is a [T] outside of tests.
type script struct {
	err      error
	cleanups []func()
}

func (s *script) Helper()                           {}
func (s *script) Logf(format string, args ...any)   { fmt.Fprintf(os.Stderr, format+"\n", args...) }
func (s *script) Errorf(format string, args ...any) { s.err = fmt.Errorf(format, args...) }
func (s *script) Failed() bool                      { return s.err != nil }
func (s *script) Cleanup(f func())                  { s.cleanups = append(s.cleanups, f) }
func (s *script) Fatal(args ...any)                 { s.Fatalf("%s", fmt.Sprint(args...)) }
func (s *script) Skipf(format string, args ...any)  { s.Fatalf(format, args...) }

func (s *script) Fatalf(format string, args ...any) {
	s.Errorf(format, args...)
	runtime.Goexit()
}

func (s *script) TempDir() string {
	dir, err := os.MkdirTemp("", "parkwire-")
	if err != nil {
		s.Fatalf("making a folder: %v", err)
	}
	s.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
