package live

import (
	"context"

	"parkwire/internal/event"
)

// The reasons of a reset.
const (
	resetExpired  = "cursor-expired"
	resetOtherLog = "other-log"
)

// sendState sends a plain client the newest event of each spot that its filter lets through. The last one has the cursor.
func (r *resumption) sendState(ctx context.Context, state *snapshot, f filter) error {
	cursor := r.loop.service.cursor(state.offsets)
	var before *entry
	send := func(cursor string) {
		r.buf = r.encoding.appendState(r.buf[:0], before.value, cursor)
		r.missed.append(r.buf)
	}
	for e := range state.matching(f) {
		if before != nil {
			send("")
			if err := r.makeRoom(ctx); err != nil {
				return err
			}
		}
		before = e
	}
	if before != nil {
		send(cursor)
	} else if r.encoding == encodingSSE {
		r.missed.append([]byte("id: " + cursor + "\n\n"))
	}
	r.publish()
	return nil
}

// sendParts does the same for a client of parkwire.v1, whose connection then stands at the given offsets.
func (r *resumption) sendParts(ctx context.Context, state *snapshot, id string, f filter, stands event.Offsets) error {
	var values [][]byte
	size := 0
	part := func(cursor string) {
		r.buf = r.encoding.appendPart(r.buf[:0], id, values, cursor)
		r.missed.append(r.buf)
		values, size = values[:0], 0
	}
	for e := range state.matching(f) {
		values, size = append(values, e.value), size+len(e.value)
		if size > maxBatchBytes {
			part("")
			if err := r.makeRoom(ctx); err != nil {
				return err
			}
		}
	}
	part(r.loop.service.cursor(stands))
	r.publish()
	return nil
}

// makeRoom waits where as much was gathered as may be.
func (r *resumption) makeRoom(ctx context.Context) error {
	if r.start.behind() > r.window {
		return r.flush(ctx)
	}
	return nil
}

// appendReset tells a client of server-sent events to forget what it knows. A plain WebSocket hears of events alone.
func (e encoding) appendReset(dst []byte, why string) []byte {
	if e == encodingSSE {
		dst = append(append(dst, "event: reset\n"...), "data: "+why+"\n\n"...)
	}
	return dst
}
