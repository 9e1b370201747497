//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
)

// bench is what package stack needs of a test, for a program that is none.
type bench struct {
	err      error
	cleanups []func()
}

func (b *bench) Helper()                           {}
func (b *bench) Logf(format string, args ...any)   { fmt.Fprintf(os.Stderr, format+"\n", args...) }
func (b *bench) Errorf(format string, args ...any) { b.err = fmt.Errorf(format, args...) }
func (b *bench) Failed() bool                      { return b.err != nil }
func (b *bench) Cleanup(f func())                  { b.cleanups = append(b.cleanups, f) }

// Fatal, Fatalf and Skipf end the goroutine that protect started.
func (b *bench) Fatal(args ...any) { b.Fatalf("%s", fmt.Sprint(args...)) }

func (b *bench) Fatalf(format string, args ...any) {
	b.Errorf(format, args...)
	runtime.Goexit()
}

func (b *bench) Skipf(format string, args ...any) { b.Fatalf(format, args...) }

func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "parkwire-latency-")
	if err != nil {
		b.Fatalf("making a folder: %v", err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// protect runs f to its end, or until it gives up, and returns why.
func (b *bench) protect(f func()) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f()
	}()
	<-ended
	return b.err
}

func (b *bench) cleanUp() {
	for i := len(b.cleanups) - 1; i >= 0; i-- {
		b.cleanups[i]()
	}
}
