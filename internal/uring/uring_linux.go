package uring

import (
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendFlags: never wait, neither here nor on a thread of the kernel's; a peer that is gone is an error and no signal.
const sendFlags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL

// A Ring sends batches. One goroutine at a time may use it, on whatever thread.
type Ring struct {
	fd    int
	enter func(fd int, submit, wait, flags uint32) unix.Errno
	rings []byte // the kernel's memory, with all that follows
	order []byte

	// The kernel reads orders from sqHead on, up to sqTail.
	sqHead, sqTail *uint32
	sqes           []sqe
	// It writes outcomes from cqTail on, not beyond those that were read: up to cqHead.
	cqHead, cqTail *uint32
	cqes           []cqe

	tail  uint32 // what sqTail is to become
	taken uint32 // what sqHead was
	seen  uint32 // cqHead

	sends []send   // by the userData of the order
	free  []uint32 // those of them that no order stands for

	flying int   // orders that the kernel has taken and whose outcome is not handed over
	broken error // of the ring; it then sends without
}

// A send keeps its bytes alive until the kernel has them.
type send struct {
	bytes []byte
	tag   uint64
	fd    int
	used  bool
}

// New makes a ring for so many sends at a time, rounded up to a power of two. It says yes only after it has sent something.
// The error wraps [errors.ErrUnsupported] where there is no io_uring, or one that is too old, and
// [fs.ErrPermission] where it is forbidden.
func New(entries int) (*Ring, error) {
	r, err := open(entries)
	if err != nil {
		return nil, fmt.Errorf("io_uring: %w", err)
	}
	if err := r.try(); err != nil {
		r.Close()
		return nil, fmt.Errorf("io_uring: trying it: %w", err)
	}
	return r, nil
}

func open(entries int) (*Ring, error) {
	fd, p, err := setup(entries, setupCall)
	if err != nil {
		return nil, err
	}
	r := &Ring{fd: fd, enter: enter}
	size := max(uintptr(p.sqOff.array)+4*uintptr(p.sqEntries), uintptr(p.cqOff.cqes)+unsafe.Sizeof(cqe{})*uintptr(p.cqEntries))
	if r.rings, err = mmap(fd, offSQRing, size); err == nil {
		r.order, err = mmap(fd, offSQEs, unsafe.Sizeof(sqe{})*uintptr(p.sqEntries))
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("mapping its memory: %w", err)
	}
	at := func(off uint32) unsafe.Pointer { return unsafe.Pointer(&r.rings[off]) }
	r.sqHead, r.sqTail = (*uint32)(at(p.sqOff.head)), (*uint32)(at(p.sqOff.tail))
	r.cqHead, r.cqTail = (*uint32)(at(p.cqOff.head)), (*uint32)(at(p.cqOff.tail))
	r.sqes = unsafe.Slice((*sqe)(unsafe.Pointer(&r.order[0])), p.sqEntries)
	r.cqes = unsafe.Slice((*cqe)(at(p.cqOff.cqes)), p.cqEntries)
	// Orders may stand anywhere, says this array. Ours stand in order.
	for i, indirect := 0, unsafe.Slice((*uint32)(at(p.sqOff.array)), p.sqEntries); i < len(indirect); i++ {
		indirect[i] = uint32(i)
	}
	r.sends = make([]send, p.sqEntries)
	r.free = make([]uint32, p.sqEntries)
	for i := range r.free {
		r.free[i] = uint32(i)
	}
	return r, nil
}

func mmap(fd int, offset int64, size uintptr) ([]byte, error) {
	return unix.Mmap(fd, offset, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
}

// Entries is how many sends there may be at a time.
func (r *Ring) Entries() int { return len(r.sends) }

// Send queues a send of b to the socket, of which there should be one at a time, since their order is not promised. It keeps b alive until
// its outcome is handed over with the tag. False: as many are queued as there may be, and Submit comes first.
func (r *Ring) Send(fd int, b []byte, tag uint64) bool {
	last := len(r.free) - 1
	if last < 0 {
		return false
	}
	slot := r.free[last]
	r.free = r.free[:last]
	r.sends[slot] = send{bytes: b, tag: tag, fd: fd, used: true}
	r.sqes[r.tail&uint32(len(r.sqes)-1)] = sqe{
		opcode: opSend, fd: int32(fd), msgFlags: sendFlags, userData: uint64(slot),
		addr: uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))), len: uint32(min(len(b), math.MaxInt32)),
	}
	r.tail++
	return true
}

// Submit sends what is queued, and what done queues meanwhile, and has handed over the outcome of each once when it returns: how many
// bytes the kernel took, or a [unix.Errno], which is EAGAIN where the socket is full.
//
// An error is of the ring itself. Nothing is lost by it: what the kernel did not take is sent in the plain
// way, now and ever after; only the outcome of what it took and never reported is that error. The ring is of no more use then.
func (r *Ring) Submit(done func(tag uint64, n int, err error)) error {
	for r.tail != r.taken || r.flying > 0 {
		if r.broken != nil {
			r.sendWithout(done)
			continue
		}
		errno := r.exchange()
		taken := atomic.LoadUint32(r.sqHead) - r.taken // also where there is an error the ring itself tells
		r.taken += taken
		r.flying += int(taken)
		came := r.reap(done)
		// EAGAIN, EBUSY: no memory, or no room for outcomes; reading those that are there helps.
		if taken == 0 && !came && errno != unix.EINTR {
			r.broken = fmt.Errorf("io_uring: sending: %w", errno)
		}
	}
	return r.broken
}

// exchange enters the kernel, and waits there only when there is nothing else to do.
func (r *Ring) exchange() unix.Errno {
	if queued := r.tail - r.taken; queued > 0 {
		atomic.StoreUint32(r.sqTail, r.tail)
		return r.enter(r.fd, queued, 0, 0)
	}
	return r.enter(r.fd, 0, 1, enterGetEvents) // which also brings what there was no room for
}

// reap hands over the outcomes that are there, and reports whether there were any.
func (r *Ring) reap(done func(tag uint64, n int, err error)) bool {
	from := r.seen
	for to := atomic.LoadUint32(r.cqTail); r.seen != to; {
		c := r.cqes[r.seen&uint32(len(r.cqes)-1)]
		r.seen++
		if c.userData >= uint64(len(r.sends)) || !r.sends[c.userData].used {
			continue // not of ours
		}
		r.flying--
		switch {
		case c.res >= 0:
			r.finish(uint32(c.userData), int(c.res), nil, done)
		case unix.Errno(-c.res) == unix.EINTR: // nothing was sent; a socket that is not full would never be told of again
			r.finishPlain(uint32(c.userData), done)
		default:
			r.finish(uint32(c.userData), 0, unix.Errno(-c.res), done)
		}
	}
	atomic.StoreUint32(r.cqHead, r.seen)
	return r.seen != from
}

// finish hands over one outcome. The order's place is free before, for what done queues.
func (r *Ring) finish(slot uint32, n int, err error, done func(tag uint64, n int, err error)) {
	tag := r.sends[slot].tag
	r.sends[slot] = send{}
	r.free = append(r.free, slot)
	done(tag, n, err)
}

func (r *Ring) finishPlain(slot uint32, done func(tag uint64, n int, err error)) {
	n, err := plain(r.sends[slot].fd, r.sends[slot].bytes)
	r.finish(slot, n, err, done)
}

// sendWithout does what the ring would have done.
func (r *Ring) sendWithout(done func(tag uint64, n int, err error)) {
	for r.tail != r.taken {
		slot := uint32(r.sqes[r.taken&uint32(len(r.sqes)-1)].userData)
		r.taken++
		r.finishPlain(slot, done)
	}
	// Nobody knows what went out of the others. Their bytes stay alive, since the kernel may still read them.
	var unknown []uint64
	for i := range r.sends {
		if r.sends[i].used {
			r.sends[i].used = false
			unknown = append(unknown, r.sends[i].tag)
		}
	}
	r.flying = 0
	for _, tag := range unknown {
		done(tag, 0, r.broken)
	}
}

func plain(fd int, b []byte) (int, error) {
	for {
		n, err := unix.SendmsgN(fd, b, nil, nil, sendFlags)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, err
		default:
			return n, nil
		}
	}
}

// Close gives the ring back. What is queued is not sent.
func (r *Ring) Close() error {
	if r.fd < 0 {
		return nil
	}
	for _, m := range [][]byte{r.rings, r.order} {
		if m != nil {
			_ = unix.Munmap(m)
		}
	}
	fd := r.fd
	r.fd = -1
	return unix.Close(fd)
}
