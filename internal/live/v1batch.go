package live

import "parkwire/internal/event"

// maxBatch and maxBatchBytes bound the events of a frame.
const (
	maxBatch      = 256
	maxBatchBytes = 8 << 10
)

// add puts an event into the frame that is being made. One that the addition alone lacks, while the other subscriptions are
// further ahead, comes in a frame with its id.
func (r *resumption) add(e *entry, before event.Offsets) {
	alone := ""
	if r.addition != "" && !r.needs[0].lacks(e) {
		alone = r.addition
	}
	if alone != r.batchFor {
		r.closeBatch(before)
	}
	r.batchFor = alone
	r.batch, r.batchBytes = append(r.batch, e.value), r.batchBytes+int64(len(e.value))
	if len(r.batch) >= maxBatch || r.batchBytes >= maxBatchBytes {
		r.closeBatch(r.done)
	}
}

// closeBatch makes the frame, behind a note of what was left out. Whoever has it has what done says.
func (r *resumption) closeBatch(done event.Offsets) {
	if len(r.batch) == 0 {
		return
	}
	cursor := r.loop.service.cursor(done)
	if r.omitted > 0 {
		r.loop.service.metrics.conflated.Add(float64(r.omitted))
		r.missed.append(r.encoding.appendMessage(nil, message{Type: "Conflated", After: r.after, Omitted: r.omitted}))
	}
	r.buf = r.encoding.appendEvents(r.buf[:0], r.batchFor, r.batch, cursor)
	r.missed.append(r.buf)
	r.batch, r.batchBytes, r.omitted, r.after = r.batch[:0], 0, 0, cursor
}

// superseded reports whether a newer event of the same spot will come, for each subscription that e is for.
func (r *resumption) superseded(e *entry) bool {
	s := r.loop.service
	s.mu.Lock()
	newest := s.memory.newest[e.event.SpotID]
	s.mu.Unlock()
	if newest == nil || newest.partition == e.partition && newest.offset <= e.offset {
		return false
	}
	for _, n := range r.needs {
		for _, f := range n.filters {
			if !n.has.Covers(e.partition, e.offset) && f.matches(&e.event) && !f.matches(&newest.event) {
				return false
			}
		}
	}
	return true
}
