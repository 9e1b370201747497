//go:build !unix

package kafkalog

import (
	"os"
	"path/filepath"
)

// lockDir makes the file of the lock. Systems without flock do without the lock; there the address, which
// two brokers of one installation share, keeps the second one off.
func lockDir(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
}
