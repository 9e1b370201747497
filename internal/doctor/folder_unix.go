//go:build unix

package doctor

import "golang.org/x/sys/unix"

func mayWrite(folder string) bool { return unix.Access(folder, unix.W_OK|unix.X_OK) == nil }
