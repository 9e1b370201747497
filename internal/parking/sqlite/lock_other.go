//go:build !unix

package sqlite

import "os"

// lockFile only makes the file: here the ports that a process listens on keep a second one from serving.
func lockFile(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) }
