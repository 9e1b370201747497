package load

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A board is memory that the processes share, so that nobody must ask or be asked while it is measured: the parent writes how far
// the publishing is, each child how far its clients are. Every word has one writer, but for what is published by others.
type board struct {
	memory    []byte
	common    *common
	published []atomic.Uint64   // per lot, from 1 on: the newest event
	counts    []*counts         // per child
	subs      [][]atomic.Uint32 // per child and lot: the clients that have ever subscribed
}

// common is written by the parent.
type common struct {
	round     atomic.Int64 // counts up with each round
	measuring atomic.Int64 // not 0: latencies count
	_         [112]byte
}

// counts are written by a child, after each batch of what came.
type counts struct {
	open      atomic.Int64  // clients that are subscribed now
	ever      atomic.Int64  // clients that have ever been
	closed    atomic.Int64  // connections that ended without having been asked to
	position  atomic.Uint64 // see book
	delivered atomic.Uint64
	wrong     atomic.Uint64 // repeated, out of order or not subscribed to
	frames    atomic.Uint64
	bytes     atomic.Uint64
	round     atomic.Int64  // to which first belongs
	first     atomic.Int64  // Unix nanoseconds of the first event of the round; 0: none yet
	last      atomic.Int64  // and of the newest event of any
	waits     atomic.Uint64 // how often the loop asked for what has come,
	atOnce    atomic.Uint64 // and how often there was something already
	asleep    atomic.Int64  // nanoseconds in which there was nothing
	opened    atomic.Int64  // Unix nanoseconds when a client was subscribed last
	cut       atomic.Int64  // connections that were ended since that was asked for
	cuts      atomic.Int64  // how often it was
	_         [120]byte
}

const page = 4096

func boardSize(children, lots int) int {
	size := int(unsafe.Sizeof(common{})) + 8*(lots+1)
	size = (size + 127) &^ 127
	size += children * int(unsafe.Sizeof(counts{}))
	size += children * subsSize(lots)
	return (size + page - 1) &^ (page - 1)
}

// subsSize keeps children apart by whole cache lines.
func subsSize(lots int) int { return (4*(lots+1) + 127) &^ 127 }

// newBoard makes a board for so many children and lots, and the file by which children get at it.
func newBoard(children, lots int) (*board, *os.File, error) {
	fd, err := unix.MemfdCreate("parkwire-load", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, nil, fmt.Errorf("making memory to share: %w", err)
	}
	file := os.NewFile(uintptr(fd), "board")
	if err := file.Truncate(int64(boardSize(children, lots))); err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("making memory to share: %w", err)
	}
	b, err := openBoard(file, children, lots)
	if err != nil {
		file.Close()
	}
	return b, file, err
}

// openBoard maps the board of a file.
func openBoard(file *os.File, children, lots int) (*board, error) {
	memory, err := unix.Mmap(int(file.Fd()), 0, boardSize(children, lots), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping memory to share: %w", err)
	}
	b := &board{memory: memory}
	at := uintptr(0)
	take := func(size uintptr) unsafe.Pointer {
		p := unsafe.Pointer(&memory[at])
		at += size
		return p
	}
	b.common = (*common)(take(unsafe.Sizeof(common{})))
	b.published = unsafe.Slice((*atomic.Uint64)(take(8*uintptr(lots+1))), lots+1)
	at = (at + 127) &^ 127
	for range children {
		b.counts = append(b.counts, (*counts)(take(unsafe.Sizeof(counts{}))))
	}
	for range children {
		b.subs = append(b.subs, unsafe.Slice((*atomic.Uint32)(take(uintptr(subsSize(lots)))), lots+1))
	}
	return b, nil
}

func (b *board) close() error { return unix.Munmap(b.memory) }

// sum adds up one count of all children.
func sum[T int64 | uint64](b *board, of func(*counts) T) (total T) {
	for _, c := range b.counts {
		total += of(c)
	}
	return total
}

// behind returns how many events have not come yet, summed over all clients. It may be short by what a client joined with meanwhile.
func (b *board) behind() int64 {
	wanted := uint64(0)
	for lot := range b.published {
		if n := b.published[lot].Load(); n > 0 {
			for _, subs := range b.subs {
				wanted += n * uint64(subs[lot].Load())
			}
		}
	}
	return int64(wanted - sum(b, func(c *counts) uint64 { return c.position.Load() }))
}

// sawPublished notes that event n of a lot is there, which somebody else has published.
func (b *board) sawPublished(lot uint32, n uint64) {
	for p := &b.published[lot]; ; {
		old := p.Load()
		if n <= old || p.CompareAndSwap(old, n) {
			return
		}
	}
}
