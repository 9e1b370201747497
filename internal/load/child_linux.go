package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// boardFile is the descriptor of the board in a child: the first behind the standard ones.
const boardFile = 3

// Child holds a share of the clients. The parent starts it, tells it over its standard input what to do, and ends it by closing that.
func Child() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(400) // there is little to collect
	c := &control{fd: int(os.Stdin.Fd())}
	line, err := c.first()
	if err != nil {
		return fmt.Errorf("this is for `parkwire load` to start: %w", err)
	}
	out := json.NewEncoder(os.Stdout)
	var t task
	if err := json.Unmarshal(line, &t); err != nil {
		return fmt.Errorf("reading the task: %w", err)
	}
	if err := serveTask(t, c, out); err != nil {
		_ = out.Encode(message{Failed: err.Error()})
		return err
	}
	return nil
}

func serveTask(t task, c *control, out *json.Encoder) error {
	if err := schedule(t.Sched); err != nil {
		return err
	}
	b, err := openBoard(os.NewFile(boardFile, "board"), t.Children, t.lots())
	if err != nil {
		return err
	}
	defer b.close()
	if err := unix.SetNonblock(c.fd, true); err != nil {
		return err
	}
	l, err := newLoop(t, b, c, func(m message) { _ = out.Encode(m) })
	if err != nil {
		return err
	}
	defer l.close()
	l.report(message{Hello: &hello{Thread: unix.Gettid()}})
	return l.run()
}

// schedule lets the kernel schedule every thread of this process, and those that they start, in some way.
func schedule(how string) error {
	if how != "batch" {
		return nil
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("scheduling: %w", err)
	}
	const schedBatch = 3
	for _, one := range threads {
		id, _ := strconv.Atoi(one.Name())
		attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: schedBatch}
		if err := unix.SchedSetAttr(id, &attr, 0); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("scheduling with --sched batch: %w", err)
		}
	}
	return nil
}

// control reads the orders of the parent, a line each.
type control struct {
	fd   int
	text []byte
}

// first waits for the first line.
func (c *control) first() ([]byte, error) {
	for {
		if line, ok := c.line(); ok {
			return line, nil
		}
		if err := c.more(); err != nil {
			return nil, err
		}
	}
}

func (c *control) line() (line []byte, ok bool) {
	line, rest, ok := bytes.Cut(c.text, []byte{'\n'})
	if ok {
		c.text = rest
	}
	return line, ok
}

func (c *control) more() error {
	var buf [4096]byte
	n, err := unix.Read(c.fd, buf[:])
	if err == nil && n == 0 {
		return io.EOF
	}
	c.text = append(c.text, buf[:max(n, 0)]...)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	return err
}

// errParentGone ends a child whose parent is no more.
var errParentGone = errors.New("whoever started this is gone")

// obey does what the parent says.
func (l *loop) obey() error {
	if err := l.control.more(); errors.Is(err, io.EOF) {
		return errParentGone
	} else if err != nil && !errors.Is(err, unix.EAGAIN) {
		return fmt.Errorf("reading orders: %w", err)
	}
	return l.obeyLines()
}

// obeyLines does what was read already.
func (l *loop) obeyLines() error {
	for {
		line, ok := l.control.line()
		if !ok {
			return nil
		}
		var o order
		if err := json.Unmarshal(line, &o); err != nil {
			return fmt.Errorf("reading an order: %w", err)
		}
		switch o.Do {
		case "connect":
			l.paced = time.Now().UnixNano()
			for i := range l.clients {
				l.ready = append(l.ready, int32(i))
			}
		case "collect":
			l.report(message{Result: &result{Latency: l.latency}})
			l.latency.reset()
		case "cut":
			l.cutOff(o)
		case "finish":
			l.finish(o.Upto)
		}
	}
}

// finish counts what has not come, and tells the result.
func (l *loop) finish(upto []uint64) {
	for i := range l.clients {
		c := &l.clients[i]
		if !c.ever {
			continue
		}
		published := l.board.published[c.lot].Load()
		if int(c.lot) < len(upto) {
			published = upto[c.lot]
		}
		l.book.end(int32(i), c.place, uint32(published))
	}
	total := l.book.total()
	l.report(message{Result: &result{Tally: &total}})
	l.ended = true
}
