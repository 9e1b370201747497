package live

import "sync"

// A frameLog holds the encoded frames of one subscription, once for all the
// connections that follow it. A connection keeps a position in it and no queue of its
// own, and sending is one write of everything from the position to the head.
//
// The bytes live in segments that never move and never change once written, so that a
// write in flight needs no lock and cannot be overwritten. A segment lives as long as
// a connection stands before its end: what bounds the memory is the bound on how far a
// connection may fall behind (see [Options.ClientBytes]).
type frameLog struct {
	mu   sync.Mutex
	last *segment
	head int64 // bytes appended so far
}

type segment struct {
	base int64    // bytes of the log before this segment
	buf  []byte   // its capacity is fixed
	ends []uint32 // where each frame in buf ends
	next *segment
}

const (
	minSegment = 1 << 10
	maxSegment = 64 << 10
)

// A position is a place between two frames of a log, or within one after a partial write.
type position struct {
	seg *segment
	off int
}

func newFrameLog() *frameLog { return &frameLog{last: &segment{}} }

// append adds one frame at the head.
func (l *frameLog) append(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.last; len(s.buf)+len(frame) > cap(s.buf) {
		size := max(minSegment, min(maxSegment, 2*cap(s.buf)), len(frame))
		l.last = &segment{base: l.head, buf: make([]byte, 0, size)}
		s.next = l.last
	}
	l.last.buf = append(l.last.buf, frame...)
	l.last.ends = append(l.last.ends, uint32(len(l.last.buf)))
	l.head += int64(len(frame))
}

// end is the position behind the newest frame.
func (l *frameLog) end() position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return position{l.last, len(l.last.buf)}
}

// from returns what one write can send from p on: whole frames, or the rest of one,
// up to the end of the segment. It moves p on to the next segment where it stands at
// the end of one. Nothing is left when it returns no bytes.
func (l *frameLog) from(p *position) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p.off == len(p.seg.buf) && p.seg.next != nil {
		*p = position{seg: p.seg.next}
	}
	return p.seg.buf[p.off:len(p.seg.buf):len(p.seg.buf)]
}

// behind is how many bytes p has still to send.
func (l *frameLog) behind(p position) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head - p.seg.base - int64(p.off)
}

// frameRest returns the rest of the frame in which p stands; none between two frames.
// A control frame may only be sent behind it.
func (l *frameLog) frameRest(p position) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	lo, hi := 0, len(p.seg.ends) // the first frame that ends behind p, or at it
	for lo < hi {
		if mid := (lo + hi) / 2; int(p.seg.ends[mid]) < p.off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if p.off == 0 || lo == len(p.seg.ends) {
		return nil
	}
	return p.seg.buf[p.off:p.seg.ends[lo]]
}
