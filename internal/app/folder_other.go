//go:build !unix

package app

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockFolder makes the folder. Here the locks of the broker and of the database alone keep other processes off.
func lockFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("--data-dir %s: %w", dir, err)
	}
	return os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
}
