//go:build unix

package app

import "golang.org/x/sys/unix"

// openFiles is how many files this process may open; Go has raised it to what the system allows. 0: not known.
func openFiles() uint64 {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur)
}
