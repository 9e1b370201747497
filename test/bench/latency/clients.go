//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// frame is one event that one client got.
type frame struct {
	spot    int
	version int64
	at      time.Time
}

// clients are many WebSocket clients on raw sockets. One thread reads them all.
type clients struct {
	epoll   int
	sockets map[int]*socket // by file descriptor
	frames  []frame
	cpu     time.Duration // of the reading thread
}

type socket struct {
	fd   int
	rest []byte // the beginning of a frame whose end has not come
}

// connect opens n clients, one after the other.
func connect(address string, n int) (*clients, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	c := &clients{epoll: epoll, sockets: map[int]*socket{}}
	for range n {
		if err := c.open(address); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *clients) open(address string) error {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close() // the descriptor is duplicated below
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	fmt.Fprintf(conn, "GET /notifications HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", address)
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		return errors.New(answer.Status)
	}
	file, err := conn.(*net.TCPConn).File()
	if err != nil {
		return err
	}
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	early, _ := reader.Peek(reader.Buffered())
	c.sockets[fd] = &socket{fd: fd, rest: bytes.Clone(early)}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (c *clients) close() {
	for fd := range c.sockets {
		unix.Close(fd)
	}
	unix.Close(c.epoll)
}

// read takes what comes until stop is closed.
func (c *clients) read(stop <-chan struct{}) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	defer func() { c.cpu = threadTime() - began }()
	c.frames = make([]frame, 0, 1<<20)
	events := make([]unix.EpollEvent, 256)
	buf := make([]byte, 64<<10)
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		n, err := unix.EpollWait(c.epoll, events, 50)
		if err != nil && err != unix.EINTR {
			return err
		}
		for _, e := range events[:max(n, 0)] {
			s := c.sockets[int(e.Fd)]
			n, err := unix.Read(s.fd, buf)
			switch {
			case err == unix.EAGAIN || err == unix.EINTR:
				continue
			case err != nil:
				return fmt.Errorf("reading a client's socket: %w", err)
			case n == 0:
				return errors.New("the server has closed a client")
			}
			if err := c.take(s, buf[:n], time.Now()); err != nil {
				return err
			}
		}
	}
}

// take reads the frames of what has come. The server's frames carry no mask.
func (c *clients) take(s *socket, data []byte, at time.Time) error {
	if len(s.rest) > 0 {
		data = append(s.rest, data...)
		s.rest = nil
	}
	for len(data) >= 2 {
		header, length := 2, int(data[1])
		switch {
		case length == 126 && len(data) >= 4:
			header, length = 4, int(binary.BigEndian.Uint16(data[2:]))
		case length == 126:
			length = 1 << 20 // more than there is: wait
		case length > 126:
			return errors.New("a frame of more than 64 KB, or a masked one, came")
		}
		if len(data) < header+length {
			break
		}
		payload := data[header : header+length]
		switch opcode := data[0] & 15; opcode {
		case 1:
			if f, ours := parse(payload); ours {
				f.at = at
				c.frames = append(c.frames, f)
			}
		case 8:
			return fmt.Errorf("the server closes a client: %q", payload)
		}
		data = data[header+length:]
	}
	s.rest = append(s.rest, data...)
	return nil
}

// parse reads spot and version from an event without decoding the rest.
func parse(payload []byte) (frame, bool) {
	spot, ok := number(payload, `"spotId":"latency-`)
	version, also := number(payload, `"version":`)
	return frame{spot: int(spot), version: version}, ok && also
}

func number(payload []byte, before string) (int64, bool) {
	_, rest, ok := bytes.Cut(payload, []byte(before))
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	return n, ok && err == nil
}

func threadTime() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_THREAD, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
