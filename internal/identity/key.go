package identity

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadKey reads a key file. The key is the text of the file without white space at
// its ends, so that the same text serves as the setting jwt-key.
func ReadKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	key := bytes.TrimSpace(text)
	if len(key) < MinKeyBytes {
		return nil, fmt.Errorf("the key in %s has %d bytes and needs at least %d; `head -c 32 /dev/urandom | base64` makes one", path, len(key), MinKeyBytes)
	}
	return key, nil
}

// ReadOrMakeKey reads the key file and makes it, readable for its owner alone, where
// there is none. Several processes may do so at once: all get the key that came first.
func ReadOrMakeKey(path string) ([]byte, error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return ReadKey(path)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the key: %w", err)
	}
	// Written apart and linked into place, so that nobody ever reads half a key; a link
	// does not replace a file that another process made meanwhile.
	f, err := os.CreateTemp(dir, ".jwt-key-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("making the key: %w", err)
	}
	defer os.Remove(f.Name())
	var secret [MinKeyBytes]byte
	rand.Read(secret[:]) // never fails
	_, err = f.WriteString(base64.RawURLEncoding.EncodeToString(secret[:]) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("making the key: %w", err)
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the key: %w", err)
	}
	return ReadKey(path)
}
