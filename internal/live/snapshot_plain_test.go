package live

import (
	"slices"
	"strings"
	"testing"
)

// stateOf checks that the frames are the state of so many spots, and that the last one alone has the cursor.
func stateOf(t *testing.T, frames []frame, versions map[string]int64, cursor string) {
	t.Helper()
	for i, f := range frames {
		last := i == len(frames)-1
		if !strings.Contains(f.raw, `"snapshot":true`) || f.Version != versions[f.SpotID] || (f.Cursor != "") != last || last && f.Cursor != cursor {
			t.Errorf("%d of %d is %s", i, len(frames), f.raw)
		}
	}
	if len(seen(frames)) != len(versions) {
		t.Errorf("%d spots came", len(seen(frames)))
	}
}

func TestPlainClientsGetTheStateAndThenWhatChanges(t *testing.T) {
	s := startSteady(t, nil)
	s.write(1, 2, 4, 1, 4)
	want, cursor := map[string]int64{"s-001": 2, "s-004": 2}, s.cursorAt(1, 1, 0, -1)
	l, stream := s.webSocket("snapshot", "1", "lot", "lot-1"), s.sse("", "snapshot", "1", "lot", "lot-1")
	for _, l := range []*listener{l, stream} {
		stateOf(t, l.count(2)[:2], want, cursor)
	}
	s.write(1)
	for _, l := range []*listener{l, stream} {
		if f := l.count(3)[2]; f.Version != 3 || strings.Contains(f.raw, "snapshot") {
			t.Errorf("%s: then came %s", l.name, f.raw)
		}
	}
	none := s.sse("", "snapshot", "1", "lot", "lot-9")
	none.until("the place of nothing", func([]frame, error) bool { return slices.Contains(none.all(), "id: "+s.cursorAt(1, 2, 0, -1)) })
}

func TestPlainClientsWithAnExpiredCursorGetTheStateIfTheyLike(t *testing.T) {
	log := newFakeLog(4)
	before := startOn(t, log, newFakeBus(), nil)
	before.write(1, 1, 1)
	before.stop()
	log.set(func() { log.tails[1] = 1 })
	s := startOn(t, log, newFakeBus(), nil)
	s.versions = before.versions
	old := s.cursorAt(-1, -1, -1, -1)
	l, stream := s.webSocket("after", old, "snapshot", "1"), s.sse("", "after", old, "snapshot", "1")
	for n, l := range []*listener{l, stream} { // the stream hears of the reset first
		stateOf(t, l.count(1 + n)[n:], map[string]int64{"s-001": 3}, s.cursorAt(-1, 2, -1, -1))
	}
	if i := slices.Index(stream.all(), "event: reset"); i < 0 || stream.all()[i+1] != "data: "+resetExpired {
		t.Errorf("the stream was %q", stream.all())
	}
	again := s.webSocket("after", s.cursorAt(-1, 1, -1, -1), "snapshot", "1") // which the log serves
	if f := again.count(1)[0]; f.Version != 3 || strings.Contains(f.raw, "snapshot") {
		t.Errorf("it got %s", f.raw)
	}
}
