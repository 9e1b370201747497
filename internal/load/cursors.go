package load

// cursors remember with which cursor an event came, for clients that come back. A cursor means the same on every instance and to
// every client of a lot, so one for all of them will do.
type cursors struct {
	lots []ring
	size int // of each
}

// A ring holds the newest cursors of a lot.
type ring struct {
	newest uint32
	held   []held
}

type held struct {
	n      uint32
	cursor []byte
}

// maxCursors bounds those of a process.
const maxCursors = 1 << 17

func newCursors(protocol string, lots int) cursors {
	if protocol == socketIO || protocol == centrifuge {
		return cursors{}
	}
	return cursors{lots: make([]ring, lots+2), size: max(4, maxCursors/(lots+1))}
}

// wants reports whether the event is newer than every one whose cursor is known.
func (c *cursors) wants(lot, n uint32) bool { return int(lot) < len(c.lots) && n > c.lots[lot].newest }

func (c *cursors) put(lot, n uint32, cursor []byte) {
	r := &c.lots[lot]
	r.newest = n
	if cursor == nil {
		return
	}
	if slot := int(n) % c.size; slot < len(r.held) {
		r.held[slot].n, r.held[slot].cursor = n, append(r.held[slot].cursor[:0], cursor...)
	} else {
		for len(r.held) < slot {
			r.held = append(r.held, held{})
		}
		r.held = append(r.held, held{n, append([]byte(nil), cursor...)})
	}
}

// at returns the cursor of an event; empty where it is not known.
func (c *cursors) at(lot, n uint32) string {
	if int(lot) >= len(c.lots) {
		return ""
	}
	held := c.lots[lot].held
	if slot := int(n) % c.size; slot < len(held) && held[slot].n == n {
		return string(held[slot].cursor)
	}
	return ""
}
