package identity

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ReadKeys reads a key file. Each line is a key, without white space at its ends, so that the same text serves as the setting jwt-key:
// the first signs, and tokens by any of them are taken.
func ReadKeys(path string) ([][]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	var keys [][]byte
	for line := range bytes.Lines(text) {
		if key := bytes.TrimSpace(line); len(key) > 0 {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		keys = append(keys, nil)
	}
	for i, key := range keys {
		if len(key) < MinKeyBytes {
			return nil, fmt.Errorf("key %d in %s has %d bytes and needs at least %d; `head -c 32 /dev/urandom | base64` makes one", i+1, path, len(key), MinKeyBytes)
		}
	}
	return keys, nil
}

// ReadOrMakeKeys reads the key file and makes it, readable for its owner alone, where
// there is none. Several processes may do so at once: all get the key that came first.
func ReadOrMakeKeys(path string) ([][]byte, error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return ReadKeys(path)
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
	return ReadKeys(path)
}

// followInterval is how often a key file is looked at. It is read whole each time: it is short, and a file that was put in the place
// of another, as secrets of Kubernetes are, may have its time and its size.
const followInterval = time.Second

// Follow takes the keys of the file whenever they change, until ctx ends. A file that cannot be used changes nothing and is told of once.
func (v *Verifier) Follow(ctx context.Context, path string, logger *slog.Logger) {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	var trouble string
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		keys, err := ReadKeys(path)
		switch {
		case err != nil && err.Error() != trouble:
			trouble = err.Error()
			logger.Warn("the file with the keys for tokens cannot be used: those of before stay", "error", err)
		case err != nil:
		case v.has(keys):
			trouble = ""
		default:
			trouble = ""
			if err := v.SetKeys(keys[0], keys[1:]...); err == nil { // ReadKeys has looked at them
				logger.Info("the keys for tokens are others from now on", "file", path, "keys", len(keys))
			}
		}
	}
}

func (v *Verifier) has(keys [][]byte) bool {
	return slices.EqualFunc(v.keys.Load().Keys, keys, func(a jwt.VerificationKey, b []byte) bool { return bytes.Equal(a.([]byte), b) })
}
