package load

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A loop is one thread with very many clients. Nothing in it waits but the kernel's epoll, a client costs some bytes and has no buffer, and
// what comes is read into one buffer for all.
//
// Sockets are registered once, edge-triggered: one read takes what is there, and as long as it did not fill the buffer
// there is nothing more to ask for.
type loop struct {
	task    task
	board   *board
	mine    *counts
	book    book
	finder  finder
	cursors cursors
	report  func(message) // to the parent
	control *control

	epoll   int
	events  [64]unix.EpollEvent
	buf     []byte
	clients []client
	halves  map[int32][]byte // beginnings of frames whose end has not come
	latency *histogram

	now       int64 // Unix nanoseconds, when a client was served a moment ago
	measuring bool
	round     int64
	moved     bool // something was delivered in this batch
	frames    uint64
	bytes     uint64

	ready    []int32 // clients that connect as soon as they may
	under    int     // handshakes under way
	allowed  float64 // that the pace allows to begin now
	paced    int64   // when that was found out
	urgent   bool    // a storm: no pace
	deadline []due   // of handshakes, in their order
	later    dueHeap // clients that come back later
	ended    bool
}

// A client is small, since there are very many.
type client struct {
	place
	fd    int32 // -1: none
	lot   uint32
	gen   uint16 // counts connections, so that what was due for an older one is known as such
	tries uint8
	state state
	half  bool // there is one in halves
	ever  bool // it has been subscribed
	blind bool // it comes back without a cursor
	stale bool // the server did not take its cursor
}

type state uint8

const (
	away       state = iota // without a connection
	connecting              // TCP
	asked                   // HTTP: the request is on its way
	greeting                // the protocol says what it says first
	open                    // subscribed
)

// due is when something is to be done about a client.
type due struct {
	at     int64
	client int32
	gen    uint16
}

type dueHeap []due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(v any)        { *h = append(*h, v.(due)) }
func (h *dueHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

const (
	bufferSize       = 256 << 10
	maxFrame         = 16 << 20
	handshakeTimeout = 15 * time.Second
	atOnce           = 64 // handshakes under way
	controlEvent     = -1
	// clockEvery is after how many clients the time is asked for anew: often enough for latencies, seldom enough to cost nothing.
	clockEvery = 8
)

func newLoop(t task, b *board, c *control, report func(message)) (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	l := &loop{
		task: t, board: b, mine: b.counts[t.Child], book: newBook(t.Listening), finder: newFinder(t.Run), control: c, report: report,
		epoll: epoll, buf: make([]byte, bufferSize), clients: make([]client, t.Count), halves: map[int32][]byte{}, latency: newHistogram(),
		now: time.Now().UnixNano(), cursors: newCursors(t.Protocol, t.Lots),
	}
	for i := range l.clients {
		l.clients[i].fd = -1
		l.clients[i].lot = t.lotOf(i)
	}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: controlEvent}); err != nil {
		unix.Close(epoll)
		return nil, err
	}
	return l, nil
}

func (l *loop) close() {
	for i := range l.clients {
		if fd := l.clients[i].fd; fd >= 0 {
			abort(int(fd))
		}
	}
	unix.Close(l.epoll)
}

// run serves until the parent has heard the result, or is gone.
func (l *loop) run() error {
	if err := l.obeyLines(); err != nil { // that came together with the task
		return err
	}
	for !l.ended {
		n, err := l.wait()
		if err != nil {
			return fmt.Errorf("waiting for what comes: %w", err)
		}
		l.measuring = l.board.common.measuring.Load() != 0
		for i := range l.events[:n] {
			e := &l.events[i]
			if e.Fd == controlEvent {
				if err := l.obey(); err != nil {
					return err
				}
				continue
			}
			if c := &l.clients[e.Fd]; c.fd >= 0 && c.gen == uint16(e.Pad) {
				l.serve(e.Fd, c, e.Events)
			}
			if i%clockEvery == clockEvery-1 {
				l.now = time.Now().UnixNano()
			}
		}
		l.show()
		l.keepTime()
	}
	return nil
}

// wait asks for what has come and, if there is nothing, waits for it. Which of both it was tells how busy the loop is.
func (l *loop) wait() (int, error) {
	l.mine.waits.Store(l.mine.waits.Load() + 1)
	n, err := l.poll()
	if n > 0 || err != nil {
		l.mine.atOnce.Store(l.mine.atOnce.Load() + 1)
		l.now = time.Now().UnixNano()
		return n, err
	}
	before := time.Now().UnixNano()
	n, err = unix.EpollWait(l.epoll, l.events[:], l.timeout(before))
	l.now = time.Now().UnixNano()
	l.mine.asleep.Store(l.mine.asleep.Load() + l.now - before)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return max(n, 0), err
}

// poll does not wait, and so need not tell the runtime that it might.
func (l *loop) poll() (int, error) {
	n, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(l.epoll), uintptr(unsafe.Pointer(&l.events[0])), uintptr(len(l.events)), 0, 0, 0)
	if e == unix.EINTR {
		return 0, nil
	}
	if e != 0 {
		return 0, e
	}
	return int(n), nil
}

// timeout is how long there is nothing to do but what comes, in milliseconds.
func (l *loop) timeout(now int64) int {
	next := now + int64(time.Second)
	if len(l.ready) > 0 && l.under < atOnce { // only the pace holds them back
		next = now + int64(time.Millisecond)
	}
	if len(l.deadline) > 0 {
		next = min(next, l.deadline[0].at)
	}
	if len(l.later) > 0 {
		next = min(next, l.later[0].at)
	}
	return int(max(0, next-now+int64(time.Millisecond)-1) / int64(time.Millisecond))
}

// show writes to the board what the batch has changed.
func (l *loop) show() {
	if l.moved {
		l.moved = false
		if round := l.board.common.round.Load(); round != l.round || l.mine.first.Load() == 0 {
			l.round = round
			l.mine.first.Store(l.now)
			l.mine.round.Store(round)
		}
		l.mine.last.Store(l.now)
		l.mine.delivered.Store(l.book.Delivered)
		l.mine.wrong.Store(l.book.Repeated + l.book.OutOfOrder + l.book.Strange)
		l.mine.frames.Store(l.frames)
		l.mine.bytes.Store(l.bytes)
	}
	l.mine.position.Store(l.book.position) // last: who sees it sees the others too
}

// keepTime does what is due.
func (l *loop) keepTime() {
	for len(l.deadline) > 0 {
		d := l.deadline[0]
		c := &l.clients[d.client]
		current := c.gen == d.gen && c.state != away && c.state != open
		if current && d.at > l.now {
			break
		}
		if current {
			l.fail(d.client, c, "no answer", 0)
		}
		l.deadline = l.deadline[1:]
	}
	for len(l.later) > 0 && l.later[0].at <= l.now {
		d := heap.Pop(&l.later).(due)
		if c := &l.clients[d.client]; c.gen == d.gen && c.state == away {
			l.ready = append(l.ready, d.client)
		}
	}
	l.connectSome()
}

// connectSome begins as many handshakes as are allowed.
func (l *loop) connectSome() {
	if l.task.Ramp > 0 && !l.urgent {
		l.allowed = min(l.allowed+float64(l.now-l.paced)/1e9*l.task.Ramp, max(1, l.task.Ramp/100))
		l.paced = l.now
	} else {
		l.allowed = atOnce
	}
	for len(l.ready) > 0 && l.under < atOnce && l.allowed >= 1 {
		l.allowed--
		i := l.ready[0]
		l.ready = l.ready[1:]
		if c := &l.clients[i]; c.state == away {
			l.connect(i, c)
		}
	}
}

// comeBack lets a client connect again: as it was asked to, or a random part of a growing pause later.
func (l *loop) comeBack(i int32, c *client, hint time.Duration) {
	if hint <= 0 {
		hint = rand.N(min(250*time.Millisecond<<min(c.tries, 6), 15*time.Second))
	}
	c.tries = min(c.tries+1, 100)
	heap.Push(&l.later, due{l.now + int64(hint), i, c.gen})
}
