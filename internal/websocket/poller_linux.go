package websocket

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A Poller tells which of very many connections have news. Each is registered once; to close it is to take it out. Poll and Add are
// for one goroutine, Wait for another.
type Poller struct {
	fd     int
	file   *os.File // the same; in the runtime's own poller, so that a goroutine can wait for it, not a thread
	raw    syscall.RawConn
	look   func(uintptr) bool
	events [256]unix.EpollEvent
}

// NewPoller makes a Poller.
func NewPoller() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // what the runtime takes as the sign that it may poll
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &Poller{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, err
	}
	p.look = func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 || err != nil && err != unix.EINTR
	}
	return p, nil
}

// Add registers a connection, which the next Poll tells of if there is something already.
func (p *Poller) Add(r Raw) error {
	return unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, int(r), &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(r),
	})
}

// Poll calls tell for the connections that have news, and does not wait for any.
func (p *Poller) Poll(tell func(Raw, Ready)) error {
	for {
		n, err := unix.EpollWait(p.fd, p.events[:], 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return os.NewSyscallError("epoll_wait", err)
		}
		for _, e := range p.events[:n] {
			var what Ready
			if e.Events&unix.EPOLLIN != 0 {
				what |= Readable
			}
			if e.Events&unix.EPOLLOUT != 0 {
				what |= Writable
			}
			if e.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
				what |= Ended
			}
			tell(Raw(e.Fd), what)
		}
		if n < len(p.events) {
			return nil
		}
	}
}

// Wait waits until Poll has something to tell. It fails once the Poller is closed.
func (p *Poller) Wait() error { return p.raw.Read(p.look) }

// Close ends it, and Wait. The connections stay open.
func (p *Poller) Close() error { return p.file.Close() }
