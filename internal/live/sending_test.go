package live

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// However much each write takes, whatever is appended meanwhile to either log that a client reads, and whenever something
// is to go out between two frames: the client gets the frames of both logs in order and whole, and the rest between them.
func TestAClientIsSentWholeFramesInOrderWithControlBetweenThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSending(t)
		t.Repeat(map[string]func(*rapid.T){
			"a frame is appended": func(t *rapid.T) {
				size := rapid.OneOf(rapid.IntRange(1, 40), rapid.IntRange(minSegment-20, minSegment+20), rapid.Just(2*maxSegment)).Draw(t, "size")
				s.append(rapid.IntRange(0, 1).Draw(t, "log"), size)
			},
			"something goes out between": func(t *rapid.T) {
				if !s.ending { // as enqueue has it
					x := s.more()
					x.control = append(x.control, fmt.Sprintf("<c%s>", strings.Repeat("-", rapid.IntRange(0, 9).Draw(t, "size")))...)
					s.controls++
				}
			},
			"a write": func(t *rapid.T) { s.write(t, func(n int) int { return rapid.IntRange(0, n).Draw(t, "taken") }) },
			"a write that takes everything": func(t *rapid.T) {
				s.write(t, func(n int) int { return n })
			},
			"the end": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					s.end(farewell{code: closeTooSlow})
				}
			},
			"": s.check,
		})
		for s.write(t, func(n int) int { return n }) {
		}
		s.check(t)
		frames := bytes.Count(s.out, []byte("["))
		if all := len(s.frames[0]) + len(s.frames[1]); !s.ending && (frames != all || s.at.behind() != 0) {
			t.Fatalf("%d of %d frames were sent, and %d bytes are left", frames, all, s.at.behind())
		}
		if controls := bytes.Count(s.out, []byte("<c")); controls != s.controls || s.ending != bytes.HasSuffix(s.out, websocket.AppendClose(nil, closeTooSlow, "")) {
			t.Fatalf("of %d that should go out between frames went %d: %q", s.controls, controls, s.out)
		}
	})
}

// sending is a client that catches up from one log and then follows another, and what it was sent.
type sending struct {
	*client
	logs     [2]*frameLog
	frames   [2][]string
	controls int
	out      []byte
}

func newSending(t *rapid.T) *sending {
	s := &sending{logs: [2]*frameLog{newFrameLog(), newFrameLog()}}
	s.client = &client{loop: New(Options{}).loops[0]}
	s.append(1, 100) // before the client comes: it is not to get this
	s.frames[1] = nil
	s.at = s.logs[0].end()
	s.more().then = s.logs[1].end()
	return s
}

func (s *sending) append(log, size int) {
	if log == 0 && (s.then() == place{} || len(s.frames[1]) > 0) {
		log = 1 // who has arrived gets nothing more in the first one
	}
	frame := fmt.Sprintf("[%d:%s]", len(s.frames[log]), strings.Repeat(string(rune('a'+13*log+len(s.frames[log])%13)), size))
	s.frames[log] = append(s.frames[log], frame)
	s.logs[log].append([]byte(frame))
}

// write sends as much of what is due as take says, and reports whether anything was due.
func (s *sending) write(t *rapid.T, take func(int) int) bool {
	b := s.next()
	if len(b) == 0 {
		return false
	}
	if !s.inControl && (s.ending || len(s.control()) > 0) && (bytes.IndexByte(b, '[') >= 0 || b[len(b)-1] != ']') {
		t.Fatalf("more is due than the rest of the frame that was begun: %q", b)
	}
	n := take(len(b))
	s.out = append(s.out, b[:n]...)
	s.sent(n, &tally{})
	return true
}

// check compares what went out with what should.
func (s *sending) check(t *rapid.T) {
	rest, n := string(s.out), 0
	all := slices.Concat(s.frames[0], s.frames[1])
	closing := string(websocket.AppendClose(nil, closeTooSlow, ""))
	for rest != "" {
		if n < len(all) && rest[0] == '[' {
			if len(rest) < len(all[n]) {
				if !strings.HasPrefix(all[n], rest) {
					t.Fatalf("frame %d is %q; %q was sent", n, all[n], rest)
				}
				break
			}
			if !strings.HasPrefix(rest, all[n]) {
				t.Fatalf("frame %d is %q; %q was sent", n, all[n], rest)
			}
			rest, n = rest[len(all[n]):], n+1
			continue
		}
		if len(rest) <= len(closing) && strings.HasPrefix(closing, rest) {
			break
		}
		control := strings.TrimLeft(strings.TrimPrefix(rest, "<c"), "-")
		switch {
		case control == "" || rest == "<":
			rest = ""
		case strings.HasPrefix(rest, "<c") && control[0] == '>':
			rest = control[1:]
		default:
			t.Fatalf("behind frame %d was sent %q", n, rest)
		}
	}
	if s.ending {
		return
	}
	behind := 0 // of the log where it stands
	for log, frames := range s.frames {
		if s.at.in(s.logs[log]) {
			behind = len(strings.Join(frames, ""))
		}
	}
	sent := len(s.out)
	for _, c := range bytes.SplitAfter(s.out, []byte(">")) {
		if i := bytes.IndexByte(c, '<'); i >= 0 {
			sent -= len(c) - i
		}
	}
	if s.at.in(s.logs[1]) {
		sent -= len(strings.Join(s.frames[0], ""))
	}
	if got := s.at.behind(); got != int64(behind-sent) {
		t.Fatalf("it is %d bytes behind; %d bytes of %d were sent", got, sent, behind)
	}
}

// Whatever its bound, memory has the newest events and no others, knows what it lacks, and finds what is behind any place.
func TestMemoryIsTheEndOfWhatWasAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const partitions = 3
		floor := event.NewOffsets(partitions)
		for p := range floor {
			floor[p] = rapid.Int64Range(-1, 5).Draw(t, "floor")
		}
		bound := rapid.Int64Range(1, 12*entryOverhead).Draw(t, "bound")
		m, newest := newMemory(bound, slices.Clone(floor)), slices.Clone(floor)
		var all []*entry
		kept := func() int { // how many of the newest the bound lets stay; one always
			n, bytes := 0, int64(0)
			for n < len(all) {
				bytes += int64(len(all[len(all)-1-n].value)) + entryOverhead
				if bytes > bound && n > 0 {
					break
				}
				n++
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"an event": func(t *rapid.T) {
				p := rapid.Int32Range(0, partitions).Draw(t, "partition") // one more than there were
				newest = newest.Advance(p, newest.At(p)+rapid.Int64Range(1, 3).Draw(t, "step"))
				e := &entry{partition: p, offset: newest[p], value: make([]byte, rapid.IntRange(0, 2*entryOverhead).Draw(t, "size"))}
				all = append(all, e)
				m.add(e)
			},
			"somebody comes back": func(t *rapid.T) {
				var have event.Offsets
				for p := range rapid.IntRange(0, partitions+1).Draw(t, "partitions") {
					have = append(have, rapid.Int64Range(-1, newest.At(int32(p))+2).Draw(t, "have"))
				}
				limit := rapid.IntRange(1, 10).Draw(t, "limit")
				lacks := func(e *entry) bool { return !have.Covers(e.partition, e.offset) }
				gone, here := all[:len(all)-kept()], all[len(all)-kept():]
				reaches := have.Contains(floor) && !slices.ContainsFunc(gone, lacks)
				if m.reaches(have) != reaches {
					t.Fatalf("it reaches %v: %v", have, !reaches)
				}
				want := here[len(here):]
				if i := slices.IndexFunc(here, lacks); i >= 0 {
					want = here[i:min(len(here), i+limit)]
				}
				if got := m.after(have, limit); !slices.Equal(got, want) {
					t.Fatalf("behind %v are %d events, not %d", have, len(got), len(want))
				}
			},
			"": func(t *rapid.T) {
				if len(m.entries) != kept() || m.bytes > max(bound, 4*entryOverhead) {
					t.Fatalf("it holds %d events of %d bytes, not %d; its bound is %d", len(m.entries), m.bytes, kept(), bound)
				}
			},
		})
	})
}
