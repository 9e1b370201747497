package verify

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"sync/atomic"

	"parkwire/internal/event"
)

// frame is what is checked of an event.
type frame struct {
	Type      string       `json:"type"`
	SpotID    string       `json:"spotId"`
	Status    event.Status `json:"status"`
	Timestamp event.Time   `json:"timestamp"`
	Version   int64        `json:"version"`
	Cursor    string       `json:"cursor"`

	spot int    // its index; -1 where the spot is none of ours
	raw  []byte // what was decoded
}

// asWritten reports whether the event has what every event has, and the status that its version must have: a writer
// changes its spots to and fro, so that even versions are occupied and odd ones free.
func (f *frame) asWritten() bool {
	status := event.Free
	if f.Version%2 == 0 {
		status = event.Occupied
	}
	return f.Type == event.Type && f.Status == status && !f.Timestamp.IsZero() && f.Cursor != ""
}

// A decoder decodes a frame once for all the clients that get the same bytes, as those of an instance do. It remembers
// the last frames, and compares all their bytes before it believes that two are the same.
type decoder struct {
	spots map[string]int // index by id
	seed  maphash.Seed
	slots [4096]atomic.Pointer[frame]
}

func newDecoder(spots []*spot) *decoder {
	d := &decoder{spots: make(map[string]int, len(spots)), seed: maphash.MakeSeed()}
	for i, s := range spots {
		d.spots[s.id] = i
	}
	return d
}

// decode does not keep raw. What is no event of ours comes with the spot -1: other programs may publish anything.
func (d *decoder) decode(raw []byte) *frame {
	slot := &d.slots[maphash.Bytes(d.seed, raw)%uint64(len(d.slots))]
	if f := slot.Load(); f != nil && bytes.Equal(f.raw, raw) {
		return f
	}
	f := &frame{raw: bytes.Clone(raw)}
	err := json.Unmarshal(raw, f)
	index, ours := d.spots[f.SpotID]
	if f.spot = index; err != nil || !ours || f.Version < 1 || f.Version > maxVersion {
		f.spot = -1
	}
	slot.Store(f)
	return f
}

// maxVersion is the newest that a book can note.
const maxVersion = 1<<32 - 2
