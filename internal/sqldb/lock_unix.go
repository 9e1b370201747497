//go:build unix

package sqldb

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"parkwire/internal/sleep"
)

// lockFile waits for the lock of a file of its own, which ends with the process however that ends. It is held only while the
// tables are brought up to date.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = sleep.About(ctx, 50*time.Millisecond)
		}
		if err != nil {
			f.Close()
			return nil, err
		}
	}
}
