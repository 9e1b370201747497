package stack

// T is what this package needs of a test; [testing.TB] provides it, and so can a program that is no test.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any) // does not return
	Skipf(format string, args ...any)  // does not return
	Failed() bool
	Cleanup(func()) // run at the end, the last first
	TempDir() string
}
