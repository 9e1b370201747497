package live

import (
	"slices"
	"sort"

	"parkwire/internal/event"
)

// entry is one event of the log with all that is needed to send it again. It never changes.
type entry struct {
	partition int32
	offset    int64
	event     event.Event
	value     []byte // as its writer wrote it
}

// memory keeps the newest events, bounded in bytes, for clients that come back soon.
// Older ones are read from the log. It is guarded by Service.mu.
type memory struct {
	entries  []*entry
	first    int64 // sequence number of entries[0]; numbers count this instance's deliveries
	bytes    int64
	maxBytes int64

	// floor is the newest offset of each partition that is *not* here any more, or never was.
	floor event.Offsets
	// byPartition finds the first entry behind an offset.
	byPartition [][]posting
	// newest finds the newest event of a spot, where it is here.
	newest map[string]*entry
}

type posting struct{ offset, seq int64 }

// entryOverhead is what an entry costs beside its value, in bytes: the struct, the
// strings of the event and the posting. An estimate that errs upwards.
const entryOverhead = 512

func newMemory(maxBytes int64, floor event.Offsets) *memory {
	return &memory{maxBytes: maxBytes, floor: floor, byPartition: make([][]posting, len(floor)), newest: map[string]*entry{}}
}

func (m *memory) add(e *entry) {
	for int(e.partition) >= len(m.byPartition) {
		m.byPartition = append(m.byPartition, nil)
	}
	seq := m.first + int64(len(m.entries))
	m.entries = append(m.entries, e)
	m.byPartition[e.partition] = append(m.byPartition[e.partition], posting{e.offset, seq})
	m.newest[e.event.SpotID] = e
	m.bytes += int64(len(e.value)) + entryOverhead
	for m.bytes > m.maxBytes && len(m.entries) > 1 {
		m.drop()
	}
}

func (m *memory) drop() {
	e := m.entries[0]
	m.entries[0] = nil
	m.entries = m.entries[1:]
	m.first++
	if m.newest[e.event.SpotID] == e {
		delete(m.newest, e.event.SpotID)
	}
	m.bytes -= int64(len(e.value)) + entryOverhead
	m.byPartition[e.partition] = m.byPartition[e.partition][1:]
	m.floor = m.floor.Advance(e.partition, e.offset)
}

// reaches reports whether everything behind have is here.
func (m *memory) reaches(have event.Offsets) bool { return have.Contains(m.floor) }

// after returns up to limit entries from the first that have does not cover. Some
// that follow may be covered: the caller skips them.
func (m *memory) after(have event.Offsets, limit int) []*entry {
	from := m.first + int64(len(m.entries))
	for p, postings := range m.byPartition {
		seen := have.At(int32(p))
		i := sort.Search(len(postings), func(i int) bool { return postings[i].offset > seen })
		if i < len(postings) {
			from = min(from, postings[i].seq)
		}
	}
	rest := m.entries[from-m.first:]
	return slices.Clone(rest[:min(len(rest), limit)])
}
