package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// What is hashed begins with what it is and which version of its encoding follows, so that no bytes mean two things. docs/audit.md specifies it for
// programs of others: whoever changes something here makes a new version of it, and keeps this one.
const (
	labelChain      = "parkwire audit chain 1"
	labelRecord     = "parkwire audit record 1"
	labelCheckpoint = "parkwire audit checkpoint 1"
	labelHead       = "parkwire audit head 1"
)

// absent stands in the place of a length where there is no value at all.
const absent = math.MaxUint32

// An encoding is a sequence of fields, each behind its length. So no two sequences of fields have the same bytes.
type encoding []byte

func (e encoding) bytes(value []byte) encoding {
	if value == nil {
		return binary.BigEndian.AppendUint32(e, absent)
	}
	return append(binary.BigEndian.AppendUint32(e, uint32(len(value))), value...)
}

func (e encoding) text(value string) encoding {
	return append(binary.BigEndian.AppendUint32(e, uint32(len(value))), value...)
}

// maybe is a text where "" means that there is none.
func (e encoding) maybe(value string) encoding {
	if value == "" {
		return binary.BigEndian.AppendUint32(e, absent)
	}
	return e.text(value)
}

func (e encoding) number(n int64) encoding {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(e, 8), uint64(n))
}

// hasher computes hashes and keeps its memory. It is for one goroutine.
type hasher struct{ buffer encoding }

// record computes the hash of a record from everything else that is in it.
func (h *hasher) record(e *Entry) Hash {
	b := h.buffer[:0].text(labelRecord).bytes(e.Previous[:]).number(e.Sequence).number(e.RecordedAt).number(e.Time).
		text(string(e.Kind)).text(e.Topic).number(e.Partition).number(e.Offset).bytes(e.Key).bytes(e.Value)
	for _, text := range e.texts() {
		b = b.maybe(*text)
	}
	h.buffer = b.number(e.Repeats)
	return sha256.Sum256(h.buffer)
}

// checkpoint computes the hash of a checkpoint.
func (c *Checkpoint) hash() Hash {
	return sha256.Sum256(encoding(nil).text(labelCheckpoint).bytes(c.Previous[:]).number(c.Number).number(c.First).number(c.Last).
		number(c.FirstTime).number(c.LastTime).bytes(c.Before[:]).bytes(c.LastHash[:]).number(c.RemovedAt).number(c.Entry))
}

// beginning is what the first record of a chain follows.
func (h Head) beginning() Hash {
	return sha256.Sum256(encoding(nil).text(labelChain).text(h.Chain).number(h.CreatedAt))
}

// signed are the bytes that a signature of a head is made of.
func (h Head) signed(at int64) []byte {
	return encoding(nil).text(labelHead).text(h.Chain).number(h.CreatedAt).number(h.Sequence).bytes(h.Hash[:]).number(at)
}
