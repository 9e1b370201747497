package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// serve does what an event of epoll asks for.
func (l *loop) serve(i int32, c *client, events uint32) {
	if c.state == connecting {
		if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) == 0 {
			return
		}
		if l.connected(i, c); c.state != asked {
			return
		}
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		// The end of the connection makes no event of its own where it came together with data.
		l.read(i, c, events&(unix.EPOLLRDHUP|unix.EPOLLERR|unix.EPOLLHUP) != 0)
	}
}

// read takes what is there.
func (l *loop) read(i int32, c *client, toEnd bool) {
	for {
		have := 0
		if c.half {
			have = copy(l.buf, l.halves[i])
		}
		n, err := receive(c.fd, l.buf[have:])
		switch {
		case err == unix.EAGAIN:
			return
		case err == unix.EINTR:
			continue
		case err != 0:
			l.fail(i, c, reasonOf(err), 0)
			return
		case n == 0:
			l.fail(i, c, "ended", 0)
			return
		}
		full := have+n == len(l.buf)
		gen := c.gen
		rest := l.take(i, c, l.buf[:have+n])
		if c.fd < 0 || c.gen != gen {
			return
		}
		l.keep(i, c, rest)
		if full && len(rest) == len(l.buf) {
			if len(l.buf) >= maxFrame {
				l.fail(i, c, "a frame of more than 16 MB", 0)
				return
			}
			l.buf = make([]byte, 2*len(l.buf))
		}
		if !full && !toEnd {
			return
		}
	}
}

// receive never waits, and so need not tell the runtime that it might.
func receive(fd int32, buf []byte) (int, syscall.Errno) {
	n, _, e := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0, 0)
	return int(n), e
}

// keep holds the beginning of what has not come whole.
func (l *loop) keep(i int32, c *client, rest []byte) {
	switch {
	case len(rest) > 0:
		l.halves[i] = append(l.halves[i][:0], rest...)
		c.half = true
	case c.half:
		delete(l.halves, i)
		c.half = false
	}
}

// take serves what is whole, and returns the rest.
func (l *loop) take(i int32, c *client, data []byte) []byte {
	if c.state == asked {
		rest, whole := l.answered(i, c, data)
		if !whole || c.fd < 0 {
			return rest
		}
		data = rest
	}
	l.bytes += uint64(len(data))
	if l.task.Protocol == sse {
		return l.lines(i, c, data)
	}
	for len(data) >= 2 {
		header, length := 2, int(data[1])
		switch {
		case length == 126 && len(data) >= 4:
			header, length = 4, int(binary.BigEndian.Uint16(data[2:]))
		case length == 127 && len(data) >= 10:
			header, length = 10, int(min(binary.BigEndian.Uint64(data[2:]), maxFrame+1))
		case length == 126, length == 127:
			return data
		case length > 127:
			l.fail(i, c, "a masked frame", 0)
			return nil
		}
		if length > maxFrame {
			l.fail(i, c, "a frame of more than 16 MB", 0)
			return nil
		}
		if len(data) < header+length {
			break
		}
		l.frame(i, c, data[0], data[header:header+length])
		if c.fd < 0 {
			return nil
		}
		data = data[header+length:]
	}
	return data
}

func (l *loop) frame(i int32, c *client, first byte, payload []byte) {
	switch first {
	case 0x81:
		l.frames++
		l.text(i, c, payload)
	case 0x89:
		l.send(i, c, clientFrame(0xA, payload))
	case 0x8A:
	case 0x88:
		l.closing(i, c, payload)
	default:
		l.fail(i, c, fmt.Sprintf("a frame of kind %#x, which is not read", first), 0)
	}
}

// cursorExpired is the code of a close after a cursor that the log no longer reaches back to.
const cursorExpired = 4410

// closing answers a close.
func (l *loop) closing(i int32, c *client, payload []byte) {
	why, hint := "closed without a code", time.Duration(0)
	if len(payload) >= 2 {
		code := binary.BigEndian.Uint16(payload)
		why = fmt.Sprint("closed with ", code)
		c.stale = c.stale || code == cursorExpired
		_, after, _ := strings.Cut(string(payload[2:]), " retry-after-ms=")
		ms, _ := strconv.ParseUint(after, 10, 31)
		hint = time.Duration(ms) * time.Millisecond
		payload = payload[:2]
	}
	_, _ = unix.Write(int(c.fd), clientFrame(0x8, payload))
	l.fail(i, c, why, hint)
}

// lines reads server-sent events: what is checked stands in one line.
func (l *loop) lines(i int32, c *client, data []byte) []byte {
	for {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			return data
		}
		if line := data[:end]; len(line) > 5 && string(line[:5]) == "data:" {
			l.frames++
			l.takeEvents(i, c, line)
		}
		data = data[end+1:]
	}
}

// clientFrame is a frame as a client sends it: masked, with zeros, which change nothing.
func clientFrame(opcode byte, payload []byte) []byte {
	frame := []byte{0x80 | opcode}
	if n := len(payload); n < 126 {
		frame = append(frame, 0x80|byte(n))
	} else {
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	}
	frame = append(frame, 0, 0, 0, 0)
	return append(frame, payload...)
}
