// Package secret reads passwords and tokens from files, as Docker, Kubernetes, systemd and sidecars hand them over. They are read anew each
// time they are used, so that whoever changes one need not restart anything.
package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// A Text is something that stands in the configuration itself, or in a file.
type Text struct {
	Value string
	File  string // preferred; "": there is none
	// Setting is what the file's name is called in the configuration, for errors.
	Setting string
}

const most = 64 << 10 // bytes; more is some other file

// Read returns the text: of the file without the line break at its end, which editors and shells add.
func (t Text) Read() (string, error) {
	if t.File == "" {
		return t.Value, nil
	}
	text, err := read(t.File)
	if err != nil {
		return "", fmt.Errorf("%s: %w", t.Setting, err)
	}
	return text, nil
}

// Set reports whether there is one.
func (t Text) Set() bool { return t.Value != "" || t.File != "" }

func read(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err // names the file
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return "", err
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(content), "\n"), "\r")
	switch {
	case len(content) > most:
		return "", fmt.Errorf("%s has more than %d bytes, and no secret has", name, most)
	case text == "":
		return "", fmt.Errorf("%s: %w", name, ErrEmpty)
	case strings.ContainsAny(text, "\r\n\x00"):
		return "", fmt.Errorf("%s has several lines, and a secret is one", name) // which of them is meant?
	}
	return text, nil
}

// ErrEmpty says that a file holds nothing, as one does that is about to be written.
var ErrEmpty = errors.New("the file is empty")
