//go:build !unix

package main

// operatorMarks: these systems have no signal for it.
func operatorMarks() (marks <-chan struct{}, stop func()) { return nil, func() {} }
