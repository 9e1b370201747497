package stack

import (
	"slices"
	"time"
)

// Command runs a subcommand with the settings of the stack, as its operator does on one of its machines, and returns what it said on standard output.
func (s *Stack) Command(t T, timeout time.Duration, args ...string) string {
	t.Helper()
	return Run(t, timeout, s.tokenEnv, Binary(t), slices.Concat(args, s.tokenArgs)...)
}

// CommandEnds is Command for one that may fail: it returns the exit code, and what was said on standard output and error together.
func (s *Stack) CommandEnds(t T, timeout time.Duration, args ...string) (code int, output string) {
	t.Helper()
	p := s.CommandBegins(t, args...)
	code = p.Wait(t, timeout)
	return code, p.Output()
}

// CommandBegins is Command for one that runs while the test goes on.
func (s *Stack) CommandBegins(t T, args ...string) *Process {
	t.Helper()
	return Start(t, args[0], s.tokenEnv, Binary(t), slices.Concat(args, s.tokenArgs)...)
}

// DataDir is the folder of the embedded way.
func (s *Stack) DataDir() string { return s.tokenArgs[1] }

// Environment is that of the stack's operator: with it every process of the stack and every subcommand knows the servers.
func (s *Stack) Environment() []string { return slices.Clone(s.tokenEnv) }
