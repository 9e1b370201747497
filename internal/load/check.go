package load

// A tally is what the clients of one process have seen.
type tally struct {
	Delivered  uint64 `json:"delivered"` // events that a client got, the first time each
	Expected   uint64 `json:"expected"`
	Lost       uint64 `json:"lost"`
	Repeated   uint64 `json:"repeated"`
	OutOfOrder uint64 `json:"outOfOrder"`
	Strange    uint64 `json:"strange"` // of a lot that was not subscribed to
	Missed     uint64 `json:"missed"`  // while a client was away and had no cursor to come back with
}

func (t *tally) include(other tally) {
	t.Delivered += other.Delivered
	t.Expected += other.Expected
	t.Lost += other.Lost
	t.Repeated += other.Repeated
	t.OutOfOrder += other.OutOfOrder
	t.Strange += other.Strange
	t.Missed += other.Missed
}

// A place is where a client stands in the events of its lot, which are numbered 1, 2, 3 …
type place struct {
	last uint32 // the newest that it has seen or, before it saw one, that was published before it subscribed
	// fresh until the first event: those that were under way when it subscribed may come, and need not.
	fresh bool
}

// A book checks the events of many clients. What it does for one that is in order is little.
type book struct {
	tally
	learn    bool             // the events are of somebody else: the first that a client gets says where they are
	position uint64           // the sum of the places of all who have subscribed
	holes    map[int32][]hole // what a client has not seen below its place
	before   map[int32]uint32 // the place of a client when it left, where it came back without a cursor
}

// A hole is a range of events, both ends included.
type hole struct{ from, to uint32 }

// maxHoles bounds the holes of a client that may still be filled. The oldest ones are lost then.
const maxHoles = 64

func newBook(learn bool) book {
	return book{learn: learn, holes: map[int32][]hole{}, before: map[int32]uint32{}}
}

// subscribed puts a client at the place behind which everything must come.
func (b *book) subscribed(p *place, published uint32) {
	p.last, p.fresh = published, true
	b.position += uint64(published)
}

// subscribedAgain puts a client that comes back without a cursor at a new place. What it missed is lost only where it had a cursor, which was not taken.
func (b *book) subscribedAgain(client int32, p *place, published uint32, lost bool) {
	b.before[client] = p.last
	if published > p.last {
		if lost {
			b.addHole(client, hole{p.last + 1, published})
		} else {
			b.Missed += uint64(published - p.last)
		}
		b.position += uint64(published - p.last)
		p.last = published
	}
	p.fresh = true
}

// seen notes that a client got event n, and reports whether it is one that it had not seen.
func (b *book) seen(client int32, p *place, n uint32) bool {
	if n == p.last+1 {
		p.last, p.fresh = n, false
		b.position++
		b.Delivered++
		return true
	}
	return b.unexpected(client, p, n)
}

func (b *book) unexpected(client int32, p *place, n uint32) bool {
	switch before, back := b.before[client]; {
	case p.fresh && back && n <= before: // it was under way when the client came back, which had it
		return false
	case p.fresh && n <= p.last: // it was under way when the client subscribed
		if back && !b.fill(client, n) {
			b.Missed -= min(b.Missed, uint64(p.last-n+1))
		}
		b.position -= uint64(p.last - n)
	case p.fresh && b.learn:
		b.position += uint64(n - p.last)
	case n > p.last:
		b.addHole(client, hole{p.last + 1, n - 1})
		b.position += uint64(n - p.last)
	case b.fill(client, n):
		b.OutOfOrder++
		b.Delivered++
		return true
	default:
		b.Repeated++
		return false
	}
	p.last, p.fresh = n, false
	b.Delivered++
	return true
}

func (b *book) addHole(client int32, h hole) {
	holes := append(b.holes[client], h)
	if len(holes) > maxHoles {
		b.Lost += holes[0].size()
		holes = holes[1:]
	}
	b.holes[client] = holes
}

func (h hole) size() uint64 { return uint64(h.to) - uint64(h.from) + 1 }

// fill takes n out of the holes of a client, and reports whether it was in one.
func (b *book) fill(client int32, n uint32) bool {
	holes := b.holes[client]
	for i, h := range holes {
		if n < h.from || n > h.to {
			continue
		}
		var left []hole
		if n > h.from {
			left = append(left, hole{h.from, n - 1})
		}
		if n < h.to {
			left = append(left, hole{n + 1, h.to})
		}
		b.holes[client] = append(append(append([]hole{}, holes[:i]...), left...), holes[i+1:]...)
		return true
	}
	return false
}

// end counts what a client should have seen, of so many that were published, and has not.
func (b *book) end(client int32, p place, published uint32) {
	if published > p.last && !(b.learn && p.fresh) {
		b.Lost += uint64(published - p.last)
	}
	for _, h := range b.holes[client] {
		b.Lost += h.size()
	}
}

// total returns the tally after the end of every client.
func (b *book) total() tally {
	b.Expected = b.Delivered + b.Lost
	return b.tally
}
