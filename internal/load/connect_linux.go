package load

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connect begins a connection.
func (l *loop) connect(i int32, c *client) {
	c.gen++
	c.state = connecting
	l.under++
	l.deadline = append(l.deadline, due{l.now + int64(handshakeTimeout), i, c.gen})
	fd, err := l.dial(int(i))
	if err != nil {
		l.fail(i, c, reasonOf(err), 0)
		return
	}
	c.fd = int32(fd)
	err = unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: i, Pad: int32(c.gen),
	})
	if err != nil {
		l.fail(i, c, reasonOf(err), 0)
	}
}

// dial makes a socket whose connection is under way.
func (l *loop) dial(i int) (fd int, err error) {
	to := l.task.targetOf(i).Address
	family := unix.AF_INET
	if to.Addr().Is6() {
		family = unix.AF_INET6
	}
	if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0); err != nil {
		return -1, err
	}
	if from := l.task.sourceOf(i); from.IsValid() {
		// The kernel picks the port when it knows the destination too, and so uses each once for every pair of addresses.
		_ = unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
		err = unix.Bind(fd, sockaddr(netip.AddrPortFrom(from, 0)))
	}
	if err == nil {
		if err = unix.Connect(fd, sockaddr(to)); errors.Is(err, unix.EINPROGRESS) {
			err = nil
		}
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// connected goes on when TCP has connected, or has failed to.
func (l *loop) connected(i int32, c *client) {
	if code, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR); err != nil || code != 0 {
		l.fail(i, c, reasonOf(syscall.Errno(code)), 0)
		return
	}
	c.state = asked
	after := ""
	if c.ever && l.task.Protocol != v1 {
		after = l.cursorFor(c)
	}
	l.send(i, c, l.task.request(int(i), after))
}

// cursorFor is the cursor with which a client comes back; empty where there is none, or where it was not taken.
func (l *loop) cursorFor(c *client) string {
	after := ""
	if !c.stale {
		after = l.cursors.at(c.lot, c.last)
	}
	c.blind = after == ""
	return after
}

// answered reads the answer to the handshake, and returns what stands behind it; whole is false where it is not all there.
func (l *loop) answered(i int32, c *client, data []byte) (rest []byte, whole bool) {
	head, rest, whole := bytes.Cut(data, []byte("\r\n\r\n"))
	if !whole {
		if len(data) > 64<<10 {
			l.fail(i, c, "no HTTP", 0)
			return nil, true
		}
		return data, false
	}
	status, _, _ := strings.Cut(strings.TrimPrefix(string(head), "HTTP/1.1 "), " ")
	want := "101"
	if l.task.Protocol == sse {
		want = "200"
	}
	header := func(name string) string {
		for line := range strings.SplitSeq(string(head), "\r\n") {
			if n, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
				return strings.TrimSpace(value)
			}
		}
		return ""
	}
	switch {
	case status != want:
		seconds, _ := strconv.ParseUint(header("Retry-After"), 10, 16)
		if len(status) != 3 {
			status = "no HTTP"
		}
		c.stale = c.stale || status == "410"
		l.fail(i, c, "HTTP "+status, time.Duration(seconds)*time.Second)
		return nil, true
	case l.task.Protocol == sse && header("Transfer-Encoding") != "":
		l.fail(i, c, "events in chunks, which are not read", 0)
		return nil, true
	}
	l.greet(i, c)
	return rest, true
}

// isSubscribed notes that a client gets everything from now on.
func (l *loop) isSubscribed(i int32, c *client) {
	published := uint32(l.board.published[c.lot].Load())
	switch {
	case !c.ever:
		c.ever = true
		l.book.subscribed(&c.place, published)
		subs := &l.board.subs[l.task.Child][c.lot]
		subs.Store(subs.Load() + 1)
		l.mine.ever.Store(l.mine.ever.Load() + 1)
	case c.blind:
		l.book.subscribedAgain(i, &c.place, published, c.stale)
	}
	c.blind, c.stale = false, false
	c.state, c.tries = open, 0
	l.under--
	l.mine.open.Store(l.mine.open.Load() + 1)
	l.mine.opened.Store(l.now)
}

// fail ends a connection that the server, the network or the kernel has ended, tells why, and lets its client come back.
func (l *loop) fail(i int32, c *client, why string, hint time.Duration) {
	if c.state == open {
		l.mine.closed.Store(l.mine.closed.Load() + 1)
		why = "lost: " + why
	} else {
		why = "refused: " + why
	}
	l.hangUp(i, c)
	l.report(message{Ending: why})
	l.comeBack(i, c, hint)
}

// hangUp ends a connection.
func (l *loop) hangUp(i int32, c *client) {
	switch c.state {
	case away:
		return
	case open:
		l.mine.open.Store(l.mine.open.Load() - 1)
	default:
		l.under--
	}
	if c.half {
		c.half = false
		delete(l.halves, i)
	}
	if c.fd >= 0 {
		unix.Close(int(c.fd))
	}
	c.fd, c.state = -1, away
}

// send writes a few bytes to a socket that has nothing else to write, and so takes them.
func (l *loop) send(i int32, c *client, text []byte) {
	if n, err := unix.Write(int(c.fd), text); err != nil {
		l.fail(i, c, reasonOf(err), 0)
	} else if n < len(text) {
		l.fail(i, c, "the server reads nothing", 0)
	}
}

// cutOff ends a share of the clients' connections; with a close, unless it is abrupt. They come back after the pause.
func (l *loop) cutOff(o order) {
	l.urgent = o.Abrupt
	n := 0
	for i := range l.clients {
		c := &l.clients[i]
		if c.state != open || rand.Float64() >= o.Share {
			continue
		}
		n++
		if o.Abrupt {
			resetOnClose(int(c.fd))
		} else if l.task.Protocol != sse {
			_, _ = unix.Write(int(c.fd), []byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}) // 1000
		}
		l.hangUp(int32(i), c)
		if o.Away > 0 {
			l.comeBack(int32(i), c, o.Away)
		} else {
			l.ready = append(l.ready, int32(i))
		}
	}
	l.mine.cut.Store(l.mine.cut.Load() + int64(n))
	l.mine.cuts.Store(l.mine.cuts.Load() + 1)
}

// resetOnClose lets a connection end without the exchange after which its port stays taken for a minute.
func resetOnClose(fd int) {
	_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
}

func abort(fd int) {
	resetOnClose(fd)
	unix.Close(fd)
}

func reasonOf(err error) string {
	var e syscall.Errno
	if !errors.As(err, &e) {
		return err.Error()
	}
	switch e {
	case unix.EMFILE, unix.ENFILE:
		return "no more files may be opened here"
	case unix.EADDRNOTAVAIL:
		return "no more ports are free here"
	case 0:
		return "ended"
	}
	return fmt.Sprint(e)
}
