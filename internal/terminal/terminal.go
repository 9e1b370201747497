// Package terminal tells the tools whether a person looks at what they write.
package terminal

import (
	"io"
	"os"
	"slices"
	"strings"
)

// Is reports whether w is a terminal.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Colours reports whether to colour what is written to w: it is a terminal that has colours, and NO_COLOR is
// not set to something (https://no-color.org).
func Colours(w io.Writer, environ []string) bool {
	return Is(w) && !slices.ContainsFunc(environ, func(v string) bool {
		return strings.HasPrefix(v, "NO_COLOR=") && v != "NO_COLOR=" || v == "TERM=dumb"
	})
}
