package gateway

import "encoding/binary"

// frames follows the frames of a WebSocket server (RFC 6455, section 5.2) through whatever pieces the network delivers, and knows
// where a frame of ours may stand between them. It keeps the header that is half read and no payload.
type frames struct {
	header [14]byte // of the frame that is being read
	have   int      // bytes of it
	left   uint64   // payload bytes to come
	open   bool     // a message was begun whose last frame did not come
	closed bool     // a close frame began: nothing may follow it
}

// between reports whether no frame and no message is half read.
func (f *frames) between() bool { return f.have == 0 && f.left == 0 && !f.open }

// follow reads b and returns how much of it there is up to the end of the last message that ends in it; 0 where none does.
func (f *frames) follow(b []byte) (whole int) {
	for i := 0; i < len(b); {
		if f.left > 0 {
			n := min(f.left, uint64(len(b)-i))
			f.left -= n
			i += int(n)
		} else {
			f.header[f.have] = b[i]
			f.have++
			i++
			f.start()
		}
		if f.between() {
			whole = i
		}
	}
	return whole
}

// start begins the payload once the header is whole.
func (f *frames) start() {
	if f.have < 2 {
		return
	}
	first, size, length := f.header[0], 2, uint64(f.header[1]&0x7F)
	switch length {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	extended := f.header[2:size]
	if f.header[1]&0x80 != 0 {
		size += 4 // no server masks, and if one did its frames would still be followed
	}
	if f.have < size {
		return
	}
	switch len(extended) {
	case 2:
		length = uint64(binary.BigEndian.Uint16(extended))
	case 8:
		length = binary.BigEndian.Uint64(extended)
	}
	f.have, f.left = 0, length
	switch op := first & 0x0F; {
	case op == 0x8:
		f.closed = true
	case op < 0x8:
		f.open = first&0x80 == 0
	}
}

// lines follows a stream of server-sent events (WHATWG HTML, section 9.2) and knows where an event has ended.
type lines struct {
	last  byte // 0: nothing came yet
	begun bool // a line of an event came whose end did not
}

// between reports whether no event is half read.
func (l *lines) between() bool { return !l.begun }

// follow reads b and returns how much of it there is up to the end of the last event that ends in it; 0 where none does.
func (l *lines) follow(b []byte) (whole int) {
	for i, c := range b {
		fresh := l.last == '\n' || l.last == '\r' || l.last == 0 // c begins a line
		switch {
		case c == '\n' && l.last == '\r': // the second half of a line's end
		case (c == '\n' || c == '\r') && fresh:
			l.begun = false
		default:
			l.begun = true
		}
		l.last = c
		if !l.begun {
			whole = i + 1
		}
	}
	return whole
}
