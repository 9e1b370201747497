package live

import (
	"slices"
	"sync"
)

// A frameLog holds the encoded frames of one subscription, once for all the
// connections that follow it. A connection keeps a place in it and no queue of its
// own, and sending is one write of everything from the place to the head.
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
	// start is the cursor of who stands at its beginning; empty in logs where nobody asks.
	start string
}

// The newest segment stays as long as the log, sent or not. So it is small in a log that gets
// little, and never larger than what makes one write worth its system call.
const (
	minSegment = 1 << 10
	maxSegment = 16 << 10
)

func newFrameLog() *frameLog { return newFrameLogAt("") }

// newFrameLogAt makes a log that knows for every place in it which cursor its client has, see [cursorOf].
func newFrameLogAt(start string) *frameLog { return &frameLog{last: &segment{start: start}} }

// append adds one frame at the head.
func (l *frameLog) append(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := l.last; len(s.buf)+len(frame) > cap(s.buf) {
		size := max(minSegment, min(maxSegment, 2*cap(s.buf)), len(frame))
		l.last = &segment{base: l.head, buf: make([]byte, 0, size), start: s.cursor(len(s.ends))}
		s.next = l.last
	}
	l.last.buf = append(l.last.buf, frame...)
	l.last.ends = append(l.last.ends, uint32(len(l.last.buf)))
	l.head += int64(len(frame))
}

// end is the place behind the newest frame.
func (l *frameLog) end() place {
	l.mu.Lock()
	defer l.mu.Unlock()
	return place{l, l.last, len(l.last.buf), len(l.last.ends)}
}

// A place is between two frames of a log, or within one after a partial write. The zero place
// is nowhere: nothing comes after it.
type place struct {
	log   *frameLog
	seg   *segment
	off   int // bytes of seg before it
	frame int // whole frames of seg before it
}

// next returns what one write can send: whole frames, or the rest of one, up to the end of
// a segment. Nothing is left when it returns no bytes.
func (p *place) next() []byte {
	if p.log == nil {
		return nil
	}
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	for p.off == len(p.seg.buf) && p.seg.next != nil {
		*p = place{log: p.log, seg: p.seg.next}
	}
	return p.seg.buf[p.off:len(p.seg.buf):len(p.seg.buf)]
}

// advance moves on by n bytes of what next returned, and returns how many frames that ended.
func (p *place) advance(n int) (frames int) {
	if p.log == nil {
		return 0
	}
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	p.off += n
	for p.frame+frames < len(p.seg.ends) && int(p.seg.ends[p.frame+frames]) <= p.off {
		frames++
	}
	p.frame += frames
	return frames
}

// begun returns the rest of the frame that was sent in part; none between two frames. Only
// behind it may something be sent that is not in the log.
func (p *place) begun() []byte {
	if p.log == nil {
		return nil
	}
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	start := 0
	if p.frame > 0 {
		start = int(p.seg.ends[p.frame-1])
	}
	if p.off == start {
		return nil
	}
	return p.seg.buf[p.off:p.seg.ends[p.frame]]
}

// behind is how many bytes come after it.
func (p *place) behind() int64 {
	if p.log == nil {
		return 0
	}
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.head - p.seg.base - int64(p.off)
}

// alone is the same place in a log that ends with its segment: who stands there keeps nothing else in memory.
func (p *place) alone() place {
	if p.log == nil {
		return place{}
	}
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	seg := &segment{base: p.seg.base, buf: slices.Clip(p.seg.buf), ends: slices.Clip(p.seg.ends), start: p.seg.start}
	return place{log: &frameLog{last: seg, head: seg.base + int64(len(seg.buf))}, seg: seg, off: p.off, frame: p.frame}
}

// rest is the same place in a log that nobody else writes to and that ends where this one does now. The bytes are shared.
func (p *place) rest() place {
	if p.log == nil {
		return place{}
	}
	own := p.alone()
	own.log.adopt(place{log: p.log, seg: p.seg, off: len(own.seg.buf), frame: len(own.seg.ends)})
	return own
}

// adopt appends what comes from a place between two frames of another log on. The bytes are shared.
func (l *frameLog) adopt(from place) {
	if from.log == nil || from.log == l {
		return
	}
	var more []*segment
	from.log.mu.Lock()
	for s := from.seg; s != nil; s = s.next {
		own := &segment{buf: slices.Clip(s.buf[from.off:]), start: s.cursor(from.frame)}
		for _, end := range s.ends[from.frame:] {
			own.ends = append(own.ends, end-uint32(from.off))
		}
		if len(own.ends) > 0 {
			more = append(more, own)
		}
		from.off, from.frame = 0, 0
	}
	from.log.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range more {
		s.base = l.head
		l.head += int64(len(s.buf))
		l.last.next, l.last = s, s
	}
}

// cursor is that of a client that has got everything before the place, and the frame that was begun.
func (p *place) cursor() string {
	if p.log == nil {
		return ""
	}
	frames := p.frame
	if len(p.begun()) > 0 {
		frames++
	}
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.seg.cursor(frames)
}

// cursor is that of a client that has got so many frames of the segment.
func (s *segment) cursor(frames int) string {
	if s.start == "" {
		return ""
	}
	for i := frames - 1; i >= 0; i-- {
		from := uint32(0)
		if i > 0 {
			from = s.ends[i-1]
		}
		if c := cursorOf(s.buf[from:s.ends[i]]); c != "" {
			return c
		}
	}
	return s.start
}
