//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// operatorMarks gives a message for each SIGUSR1, until stop.
func operatorMarks() (marks <-chan struct{}, stop func()) {
	signals, out, done := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-signals:
			}
			select {
			case <-done:
				return
			case out <- struct{}{}:
			}
		}
	}()
	return out, func() {
		signal.Stop(signals)
		close(done)
	}
}
