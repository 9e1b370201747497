package live

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"parkwire/internal/event"
)

// Whoever reads from any place on, in writes of any size, gets every frame from there on, once.
func TestAFrameLogGivesEveryFrameFromAPlaceOn(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	l := newFrameLog()
	var places []place
	var all [][]byte
	for i := range 500 {
		if i%50 == 0 {
			places = append(places, l.end())
		}
		frame := bytes.Repeat([]byte{byte(i)}, 1+random.IntN(300))
		if i == 100 {
			frame = bytes.Repeat([]byte{1}, 3*maxSegment)
		}
		all = append(all, frame)
		l.append(frame)
	}
	for k, p := range places {
		want, frames := bytes.Join(all[k*50:], nil), 0
		var got []byte
		if p.behind() != int64(len(want)) {
			t.Errorf("place %d is %d bytes behind, not %d", k, p.behind(), len(want))
		}
		for b := p.next(); len(b) > 0; b = p.next() {
			n := 1 + random.IntN(len(b))
			got = append(got, b[:n]...)
			frames += p.advance(n)
			if rest := p.begun(); len(rest) > 0 {
				alone := p.alone()
				if !bytes.Equal(alone.begun(), rest) {
					t.Fatal("alone, another frame is begun")
				}
				if next := all[k*50+frames]; !bytes.HasSuffix(next, rest) || len(rest) == len(next) {
					t.Fatalf("%d bytes are left of a frame of %d", len(rest), len(next))
				}
			}
		}
		if !bytes.Equal(got, want) || frames != len(all)-k*50 || p.behind() != 0 || p.begun() != nil {
			t.Errorf("from place %d came %d of %d bytes, %d frames", k, len(got), len(want), frames)
		}
	}
}

// From the first frame on: small segments that grow would cost each of very many one more write at each of their ends.
func TestWhatManyAreDueIsOneWrite(t *testing.T) {
	l := newFrameLog()
	l.followed(20_000)
	p := l.end()
	for range maxSegment / 250 {
		l.append(make([]byte, 250))
	}
	for len(p.next()) > 0 {
		if n := len(p.next()); n < maxSegment-250 {
			t.Fatalf("a write has only %d bytes", n)
		}
		p.advance(len(p.next()))
	}
}

func TestALogThatFewFollowStaysSmall(t *testing.T) {
	l := newFrameLog()
	l.followed(3)
	for range 1000 {
		l.append(make([]byte, 250))
	}
	if n := len(l.last.buf); n > minSegment {
		t.Errorf("its segment has %d bytes", n)
	}
}

func TestAPlaceNowhereHasNothingToSend(t *testing.T) {
	var p place
	if p.next() != nil || p.begun() != nil || p.behind() != 0 || p.advance(5) != 0 || p.alone() != (place{}) {
		t.Error("it has")
	}
}

func TestMemoryIsBoundedAndKnowsWhatItNoLongerHas(t *testing.T) {
	m := newMemory(20*(entryOverhead+10), event.Offsets{4, -1})
	for i := range int64(50) {
		m.add(&entry{partition: int32(i % 2), offset: 5 + i/2, value: make([]byte, 10)})
	}
	if len(m.entries) != 20 || m.bytes > m.maxBytes {
		t.Errorf("it holds %d entries of %d bytes", len(m.entries), m.bytes)
	}
	if fmt.Sprint(m.floor) != "[19 19]" {
		t.Errorf("the floor is %v", m.floor)
	}
	for _, c := range []struct {
		have    event.Offsets
		reaches bool
		first   string
		n       int
	}{
		{event.Offsets{18, 19}, false, "0/20", 20},
		{event.Offsets{19, 19}, true, "0/20", 20},
		{event.Offsets{22, 20}, true, "1/21", 17},
		{event.Offsets{29, 19}, true, "1/20", 19},
		{event.Offsets{29, 29}, true, "", 0},
		{event.Offsets{99, 99}, true, "", 0},
	} {
		got, first := m.after(c.have, 100), ""
		if len(got) > 0 {
			first = fmt.Sprintf("%d/%d", got[0].partition, got[0].offset)
		}
		if m.reaches(c.have) != c.reaches || first != c.first || len(got) != c.n {
			t.Errorf("behind %v: %v, %d from %q", c.have, m.reaches(c.have), len(got), first)
		}
	}
	if got := m.after(event.Offsets{19, 19}, 7); len(got) != 7 {
		t.Errorf("%d entries, not 7", len(got))
	}
}
