package progress

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestALineChangesOnATerminalAndStaysElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		terminal bool
		every    time.Duration
		want     string
	}{
		"terminal": {true, time.Second, "\r\x1b[?7lone\x1b[K\x1b[?7h\r\x1b[?7ltwo\x1b[K\x1b[?7h\r\x1b[K"},
		"file":     {false, 5 * time.Second, "one\ntwo\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				l := NewLine(&out, c.terminal, time.Second)
				for _, text := range []string{"one", "two"} {
					time.Sleep(c.every - time.Millisecond)
					if l.Due() {
						t.Errorf("%q is due too early", text)
					}
					time.Sleep(time.Millisecond)
					if !l.Due() {
						t.Errorf("%q is not due after %v", text, c.every)
					}
					l.Show(text)
				}
				l.Clear()
				l.Clear() // nothing stands any more
				if out.String() != c.want {
					t.Errorf("it wrote %q; %q was to be written", out.String(), c.want)
				}
			})
		})
	}
}
