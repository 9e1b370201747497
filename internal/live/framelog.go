package live

import (
	"sync"
	"sync/atomic"
)

// A frameLog holds the encoded frames of one subscription, once for all the
// connections that follow it. A connection keeps a place in it and no queue of its
// own, and sending is one write of everything from the place to the head.
//
// The bytes live in segments that never move and never change once written, so that a
// write in flight needs no lock and cannot be overwritten. A segment lives as long as
// a connection stands before its end: what bounds the memory is the bound on how far a
// connection may fall behind (see [Options.ClientBytes]).
//
// Those who read take no lock: they see what was published, of a segment and behind it.
type frameLog struct {
	head atomic.Int64 // bytes appended so far

	mu          sync.Mutex // of those who append, and of what segments say of their frames
	last        *segment
	first, most int // bounds of the next segment, in bytes
}

type segment struct {
	log  *frameLog
	base int64  // bytes of the log before this segment
	buf  []byte // what is published of it never changes
	next atomic.Pointer[segment]
	// published is how many bytes there are, and in the lower half in how many frames. Once there is a next segment it
	// never changes.
	published atomic.Uint64

	ends []uint32 // where each frame ends; guarded by log.mu
	// start is the cursor of who stands at its beginning; empty in logs where nobody asks.
	start string
}

// The newest segment stays as long as the log, sent or not. So it is small in a log that gets
// little, and in one that few follow. Where very many do it is large from the first on, since who is to get frames of two segments
// takes two writes: of bursts of 2 KB one in 64 does.
const (
	minSegment = 1 << 10
	maxSegment = 128 << 10
	// Bytes of a segment for each follower: of the first one, and at most.
	firstPerFollower = 8
	mostPerFollower  = 64
)

func newFrameLog() *frameLog { return newFrameLogAt("") }

// newFrameLogAt makes a log that knows for every place in it which cursor its client has, see [cursorOf].
func newFrameLogAt(start string) *frameLog {
	l := &frameLog{first: minSegment, most: maxSegment}
	l.last = &segment{log: l, start: start}
	return l
}

// has returns what is published.
func (s *segment) has() (bytes, frames uint32) {
	p := s.published.Load()
	return uint32(p >> 32), uint32(p)
}

func (s *segment) publish(bytes, frames int) { s.published.Store(uint64(bytes)<<32 | uint64(frames)) }

// append adds one frame at the head.
func (l *frameLog) append(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.last
	used, _ := s.has()
	if int(used)+len(frame) > len(s.buf) {
		size := max(l.first, min(l.most, 2*len(s.buf)), len(frame))
		l.follow(&segment{buf: make([]byte, size), start: s.cursor(len(s.ends))})
		s, used = l.last, 0
	}
	end := int(used) + copy(s.buf[used:], frame)
	s.ends = append(s.ends, uint32(end))
	l.head.Add(int64(len(frame))) // first: nobody is ever further
	s.publish(end, len(s.ends))
}

// followed says how many follow the log.
func (l *frameLog) followed(by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.first = max(minSegment, min(maxSegment, by*firstPerFollower))
	l.most = min(maxSegment, by*mostPerFollower)
}

// follow adds a segment. The caller holds mu.
func (l *frameLog) follow(s *segment) {
	s.log, s.base = l, l.head.Load()
	used, _ := s.has()
	l.head.Add(int64(used))
	l.last.next.Store(s)
	l.last = s
}

// end is the place behind the newest frame.
func (l *frameLog) end() place {
	l.mu.Lock()
	defer l.mu.Unlock()
	bytes, frames := l.last.has()
	return place{l.last, bytes, frames}
}

// A place is between two frames of a log, or within one after a partial write. The zero place
// is nowhere: nothing comes after it.
type place struct {
	seg   *segment
	off   uint32 // bytes of seg before it
	frame uint32 // whole frames of seg before it
}

// nowhere reports whether it is the zero place.
func (p *place) nowhere() bool { return p.seg == nil }

// in reports whether it is in that log.
func (p *place) in(l *frameLog) bool { return p.seg != nil && p.seg.log == l }

// next returns what one write can send: whole frames, or the rest of one, up to the end of
// a segment. Nothing is left when it returns no bytes.
func (p *place) next() []byte {
	if p.seg == nil {
		return nil
	}
	for {
		next := p.seg.next.Load() // first: once there is one, nothing more comes before it
		used, _ := p.seg.has()
		if p.off < used {
			return p.seg.buf[p.off:used:used]
		}
		if next == nil {
			return nil
		}
		*p = place{seg: next}
	}
}

// advance moves on by n bytes of what next returned, and returns how many frames that ended.
func (p *place) advance(n int) (frames int) {
	if p.seg == nil || n == 0 {
		return 0
	}
	p.off += uint32(n)
	before := p.frame
	if used, all := p.seg.has(); p.off == used {
		p.frame = all
		return int(p.frame - before)
	}
	p.seg.log.mu.Lock()
	defer p.seg.log.mu.Unlock()
	for int(p.frame) < len(p.seg.ends) && p.seg.ends[p.frame] <= p.off {
		p.frame++
	}
	return int(p.frame - before)
}

// begun returns the rest of the frame that was sent in part; none between two frames. Only
// behind it may something be sent that is not in the log.
func (p *place) begun() []byte {
	if p.seg == nil {
		return nil
	}
	p.seg.log.mu.Lock()
	defer p.seg.log.mu.Unlock()
	start := uint32(0)
	if p.frame > 0 {
		start = p.seg.ends[p.frame-1]
	}
	if p.off == start {
		return nil
	}
	return p.seg.buf[p.off:p.seg.ends[p.frame]]
}

// behind is how many bytes come after it.
func (p *place) behind() int64 {
	if p.seg == nil {
		return 0
	}
	return p.seg.log.head.Load() - p.seg.base - int64(p.off)
}

// part is a copy of the segment from a place between two frames on, for another log. The bytes are shared. The caller holds log.mu.
func (s *segment) part(off, frame uint32, start string) *segment {
	used, frames := s.has()
	own := &segment{buf: s.buf[off:used:used], start: start}
	for _, end := range s.ends[frame:] {
		own.ends = append(own.ends, end-off)
	}
	own.publish(int(used-off), int(frames-frame))
	return own
}

// alone is the same place in a log that ends with its segment: who stands there keeps nothing else in memory.
func (p *place) alone() place {
	if p.seg == nil {
		return place{}
	}
	p.seg.log.mu.Lock()
	defer p.seg.log.mu.Unlock()
	l, seg := &frameLog{}, p.seg.part(0, 0, p.seg.start)
	seg.log, seg.base, l.last = l, p.seg.base, seg
	used, _ := seg.has()
	l.head.Store(seg.base + int64(used))
	return place{seg: seg, off: p.off, frame: p.frame}
}

// rest is the same place in a log that nobody else writes to and that ends where this one does now. The bytes are shared.
func (p *place) rest() place {
	if p.seg == nil {
		return place{}
	}
	own := p.alone()
	bytes, frames := own.seg.has()
	own.seg.log.adopt(place{seg: p.seg, off: bytes, frame: frames})
	return own
}

// adopt appends what comes from a place between two frames of another log on. The bytes are shared.
func (l *frameLog) adopt(from place) {
	if from.seg == nil || from.in(l) {
		return
	}
	var more []*segment
	other := from.seg.log
	other.mu.Lock()
	for s := from.seg; s != nil; s = s.next.Load() {
		if len(s.ends) > int(from.frame) {
			more = append(more, s.part(from.off, from.frame, s.cursor(int(from.frame))))
		}
		from.off, from.frame = 0, 0
	}
	other.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range more {
		l.follow(s)
	}
}

// cursor is that of a client that has got everything before the place, and the frame that was begun.
func (p *place) cursor() string {
	if p.seg == nil {
		return ""
	}
	frames := int(p.frame)
	if len(p.begun()) > 0 {
		frames++
	}
	p.seg.log.mu.Lock()
	defer p.seg.log.mu.Unlock()
	return p.seg.cursor(frames)
}

// cursor is that of a client that has got so many frames of the segment. The caller holds log.mu.
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
