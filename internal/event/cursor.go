package event

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"slices"
)

// TopicID is the identity that Kafka gave a topic when it was made. A topic that was
// deleted and made again has another one, so its offsets are never taken for the old.
type TopicID [16]byte

// None is the offset that stands for "nothing of this partition yet".
const None int64 = -1

// Offsets is a vector: for each partition, by index, the newest offset that was
// seen, or [None].
type Offsets []int64

// NewOffsets returns a vector of n partitions of which nothing was seen.
func NewOffsets(n int) Offsets {
	return slices.Repeat(Offsets{None}, n)
}

// At returns the offset of partition p; [None] where the vector does not reach.
func (o Offsets) At(p int32) int64 {
	if int(p) >= len(o) {
		return None
	}
	return o[p]
}

// Covers reports whether the vector has seen offset of partition p.
func (o Offsets) Covers(p int32, offset int64) bool { return offset <= o.At(p) }

// Contains reports whether everything that other has seen is seen by o.
func (o Offsets) Contains(other Offsets) bool {
	for p, offset := range other {
		if offset > o.At(int32(p)) {
			return false
		}
	}
	return true
}

// Advance records that offset of partition p was seen, and returns the vector, longer
// where p is a partition it did not have.
func (o Offsets) Advance(p int32, offset int64) Offsets {
	for int(p) >= len(o) {
		o = append(o, None)
	}
	o[p] = max(o[p], offset)
	return o
}

// Join returns the vector that has seen what either has.
func (o Offsets) Join(other Offsets) Offsets {
	joined := slices.Clone(o)
	for p, offset := range other {
		joined = joined.Advance(int32(p), offset)
	}
	return joined
}

// A Cursor names a place in the log in a way that every instance understands: the
// newest offset of each partition that its holder has seen, and the topic's identity.
type Cursor struct {
	Topic   TopicID
	Offsets Offsets
}

// The reasons for which a cursor cannot be used. [ErrOtherTopic] is no fault of the
// client: the log it points into is gone, and a snapshot is the remedy.
var (
	ErrCursor     = errors.New("the cursor is not one that this platform gave out")
	ErrOtherTopic = errors.New("the cursor belongs to a log that no longer exists")
)

const (
	cursorVersion = 2
	cursorHead    = 1 + 8 // version, topic
	cursorSum     = 4
	maxPartitions = 10_000 // a bound on what a hostile cursor can make us allocate
)

var errDamaged = fmt.Errorf("%w: it is cut short or damaged", ErrCursor)

// Append appends the cursor's text: URL-safe base64 of a version byte, 8 bytes that
// identify the topic, each partition's offset + 1 as a varint, and a checksum, without which a
// character that was lost or changed would make a client skip events. Six partitions of a year-old log take
// less than 60 characters.
func (c Cursor) Append(dst []byte) []byte {
	var buf [256]byte
	b := append(buf[:0], cursorVersion)
	b = binary.BigEndian.AppendUint64(b, c.Topic.Short())
	for _, offset := range c.Offsets {
		b = binary.AppendUvarint(b, uint64(offset+1))
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.AppendEncode(dst, b)
}

func (c Cursor) String() string { return string(c.Append(nil)) }

// ParseCursor reads what [Cursor.Append] wrote for the given topic.
func ParseCursor(text string, topic TopicID) (Cursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < cursorHead+cursorSum || b[0] != cursorVersion {
		return Cursor{}, ErrCursor
	}
	b, sum := b[:len(b)-cursorSum], b[len(b)-cursorSum:]
	if binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(b) {
		return Cursor{}, errDamaged
	}
	if binary.BigEndian.Uint64(b[1:]) != topic.Short() {
		return Cursor{}, ErrOtherTopic
	}
	c := Cursor{Topic: topic}
	for b = b[cursorHead:]; len(b) > 0; {
		u, n := binary.Uvarint(b)
		if n <= 0 || u > 1<<62 || len(c.Offsets) == maxPartitions {
			return Cursor{}, errDamaged
		}
		c.Offsets, b = append(c.Offsets, int64(u)-1), b[n:]
	}
	if c.String() != text { // the same numbers in other words
		return Cursor{}, errDamaged
	}
	return c, nil
}

// Short is what tells the topic from others where 16 bytes are too many; 0 for the zero TopicID.
func (t TopicID) Short() uint64 {
	if t == (TopicID{}) {
		return 0
	}
	h := fnv.New64a()
	h.Write(t[:])
	return h.Sum64()
}
