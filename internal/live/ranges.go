package live

import (
	"bytes"
	"container/list"
	"context"
	"errors"
	"sort"
	"sync"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

// ranges reads the log for clients that come back: in blocks of one partition, which begin at certain offsets, whoever asks. So all who
// lack about the same share one read, and one decoding, of it. The blocks used last are kept, bounded in bytes, beside
// those that somebody is looking at. A block never changes; what it holds stays right when the log loses it.
type ranges struct {
	log     Log
	tails   *question
	errands *errands
	max     int64 // bytes that are kept
	size    blockSize
	turns   chan struct{} // bounds how many blocks are read at the same time
	reads   func()        // counts

	mu      sync.Mutex
	blocks  map[blockKey]*list.Element // of *block
	used    list.List                  // the one used last in front
	bytes   int64
	reading map[blockKey]*flight
}

// A block begins at a multiple of blockSize.offsets, or where the one before it had to end.
type blockKey struct {
	partition int32
	start     int64
}

// blockSize bounds one block. It ends earlier where the log did when it was read.
type blockSize struct{ offsets, bytes int64 }

// The usual block is some thousand events, which one request brings.
const (
	blockOffsets = 2048
	blockBytes   = 4 << 20
)

// maxLogReads is a compromise: each takes some megabytes at once, and all others wait.
const maxLogReads = 4

// block has all events of its partition from whole up to and including last.
type block struct {
	key     blockKey
	whole   int64 // behind what the log had lost when it was read
	last    int64
	entries []*entry
	bytes   int64
}

// after returns the events behind an offset.
func (b *block) after(offset int64) []*entry {
	return b.entries[sort.Search(len(b.entries), func(i int) bool { return b.entries[i].offset > offset }):]
}

// flight is a block that is being read.
type flight struct {
	done  chan struct{}
	block *block
	err   error
}

// get returns a block that has everything of a partition from an offset on, up to wherever it ends. newest is the newest offset
// of the partition that can be read; offset must not be greater. It returns errCursorExpired where the log has lost what
// stood there.
func (r *ranges) get(ctx context.Context, partition int32, offset, newest int64) (*block, error) {
	key := blockKey{partition, offset - offset%r.size.offsets}
	for {
		b, err := r.block(ctx, key, newest)
		switch {
		case err != nil:
			return nil, err
		case offset > b.last:
			key.start = b.last + 1
		case offset < b.whole:
			return nil, errCursorExpired
		default:
			return b, nil
		}
	}
}

// block returns the block with that key, from memory, or from who reads it already, or by reading it.
func (r *ranges) block(ctx context.Context, key blockKey, newest int64) (*block, error) {
	r.mu.Lock()
	if e, ok := r.blocks[key]; ok {
		r.used.MoveToFront(e)
		r.mu.Unlock()
		return e.Value.(*block), nil
	}
	f, ok := r.reading[key]
	if !ok {
		f = &flight{done: make(chan struct{})}
		if !r.errands.run(func(ctx context.Context) { r.fly(ctx, f, key, newest) }) {
			r.mu.Unlock()
			return nil, errEnded
		}
		r.reading[key] = f
	}
	r.mu.Unlock()
	select {
	case <-f.done:
		return f.block, f.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// fly reads a block for all who wait for it, whoever of them leaves meanwhile.
func (r *ranges) fly(ctx context.Context, f *flight, key blockKey, newest int64) {
	select {
	case r.turns <- struct{}{}:
		f.block, f.err = r.read(ctx, key, newest)
		<-r.turns
	case <-ctx.Done():
		f.err = ctx.Err()
	}
	r.mu.Lock()
	delete(r.reading, key)
	if f.err == nil {
		r.keep(f.block)
	}
	r.mu.Unlock()
	close(f.done)
}

// errBlockFull ends the reading of a block.
var errBlockFull = errors.New("the block is full")

func (r *ranges) read(ctx context.Context, key blockKey, newest int64) (*block, error) {
	b := &block{key: key, last: min(newest, key.start-key.start%r.size.offsets+r.size.offsets-1)}
	p := key.partition
	r.reads()
	err := r.log.Range(ctx, event.Offsets(nil).Advance(p, key.start-1), event.Offsets(nil).Advance(p, b.last), func(record kafkalog.Record) error {
		if e := decode(p, record.Offset, bytes.Clone(record.Value)); e != nil { // else all that came with it stays
			b.entries = append(b.entries, e)
			b.bytes += int64(len(e.value)) + entryOverhead
		}
		if b.bytes >= r.size.bytes {
			b.last = record.Offset
			return errBlockFull
		}
		return nil
	})
	if err != nil && !errors.Is(err, errBlockFull) {
		return nil, err
	}
	// Range passes over what expires before it comes there. So the question comes afterwards.
	tails, err := r.tails.fresh(ctx)
	if err != nil {
		return nil, err
	}
	b.whole = max(key.start, tails.At(p)+1)
	return b, nil
}

// keep adds a block to those that are kept. The caller holds mu.
func (r *ranges) keep(b *block) {
	r.bytes += b.bytes + entryOverhead
	r.blocks[b.key] = r.used.PushFront(b)
	for r.bytes > r.max && r.used.Len() > 1 {
		old := r.used.Remove(r.used.Back()).(*block)
		delete(r.blocks, old.key)
		r.bytes -= old.bytes + entryOverhead
	}
}
