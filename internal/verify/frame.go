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

	spot  int    // its index; -1 where the spot is none of ours
	bytes []byte // what was decoded
}

func (f *frame) raw() []byte { return f.bytes }

// asWritten reports whether the event has what every event has, and the status that its version must have: a writer
// changes its spots to and fro, so that even versions are occupied and odd ones free.
func (f *frame) asWritten() bool {
	status := event.Free
	if f.Version%2 == 0 {
		status = event.Occupied
	}
	return f.Type == event.Type && f.Status == status && !f.Timestamp.IsZero()
}

// A decoder decodes a frame once for all the clients that get the same bytes, as those of an instance do. It remembers
// the last frames, and compares all their bytes before it believes that two are the same.
type decoder struct {
	spots    map[string]int // index by id
	seed     maphash.Seed
	frames   slots[frame]
	messages slots[message]
}

type slots[T any] [4096]atomic.Pointer[T]

func newDecoder(spots []*spot) *decoder {
	d := &decoder{spots: make(map[string]int, len(spots)), seed: maphash.MakeSeed()}
	for i, s := range spots {
		d.spots[s.id] = i
	}
	return d
}

// decode does not keep raw. What is no event of ours comes with the spot -1: other programs may publish anything.
func (d *decoder) decode(raw []byte) *frame { return cached(d, &d.frames, raw, d.frame) }

// frame decodes raw, and keeps it.
func (d *decoder) frame(raw []byte) *frame {
	f := &frame{bytes: raw}
	err := json.Unmarshal(raw, f)
	index, ours := d.spots[f.SpotID]
	if f.spot = index; err != nil || !ours || f.Version < 1 || f.Version > maxVersion {
		f.spot = -1
	}
	return f
}

// cached decodes raw unless that was done before.
func cached[T any, P interface {
	*T
	raw() []byte
}](d *decoder, all *slots[T], raw []byte, decode func([]byte) *T) *T {
	slot := &all[maphash.Bytes(d.seed, raw)%uint64(len(all))]
	if one := slot.Load(); one != nil && bytes.Equal(P(one).raw(), raw) {
		return one
	}
	one := decode(bytes.Clone(raw))
	slot.Store(one)
	return one
}

// maxVersion is the newest that a book can note.
const maxVersion = 1<<32 - 2
