package websocket

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Error ends a connection: Code and Reason are what to tell the peer.
type Error struct {
	Code   CloseCode
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("%s (close code %d)", e.Reason, e.Code) }

// Message is what a [Parser] hands over: a whole text or binary message (its
// fragments joined), or a ping, a pong or a close. The payload is the parser's and
// valid until the handler returns.
type Message struct {
	Op      Opcode
	Payload []byte
	Code    CloseCode // of a close
}

// Parser reads the frames of one client from whatever pieces the network delivers. It
// keeps no buffer while no frame is half read.
type Parser struct {
	// MaxMessage bounds a message in bytes, as it came and inflated; a larger one ends with MessageTooBig.
	MaxMessage int
	// Deflate says that compressed messages may come, see [OffersDeflate].
	Deflate bool

	header  [14]byte // of the frame that is being read
	headerN int
	frame   frame
	inFrame bool

	control   []byte // payload of the control frame that is being read
	message   []byte // payload of the message that is being read
	messageOp Opcode // Continuation between messages
	deflated  bool   // the message is compressed
	checked   int    // bytes of message that are known to be whole characters
}

type frame struct {
	final bool
	op    Opcode
	mask  [4]byte
	left  uint64 // payload bytes to come
	read  int    // payload bytes read, for the mask
}

// Idle reports whether nothing is half read. A new parser does as well then.
func (p *Parser) Idle() bool { return p.headerN == 0 && !p.inFrame && p.messageOp == Continuation }

// Feed parses b, which it unmasks in place, and calls handle for each message that
// it completes. The error is an [*Error], or what handle returned; the parser is
// of no use after it.
func (p *Parser) Feed(b []byte, handle func(Message) error) error {
	for len(b) > 0 || (p.inFrame && p.frame.left == 0) {
		if !p.inFrame {
			n, err := p.readHeader(b)
			if err != nil {
				return err
			}
			b = b[n:]
			continue
		}
		take := b[:min(uint64(len(b)), p.frame.left)]
		b = b[len(take):]
		p.frame.unmask(take)
		if p.frame.op >= Close {
			p.control = append(p.control, take...)
		} else {
			p.message = append(p.message, take...)
			if err := p.checkText(); err != nil {
				return err
			}
		}
		if p.frame.left == 0 {
			p.inFrame = false
			if err := p.endFrame(handle); err != nil {
				return err
			}
		}
	}
	return nil
}

// readHeader takes as much of b as the header of the next frame needs.
func (p *Parser) readHeader(b []byte) (taken int, err error) {
	if p.headerN < 2 {
		taken = copy(p.header[p.headerN:2], b)
		if p.headerN += taken; p.headerN < 2 {
			return taken, nil
		}
		if err := p.checkStart(); err != nil {
			return taken, err
		}
	}
	size := headerSize(p.header[1])
	n := copy(p.header[p.headerN:size], b[taken:])
	if p.headerN += n; p.headerN < size {
		return taken + n, nil
	}
	p.headerN = 0
	return taken + n, p.startFrame(size)
}

// headerSize is the size of a masked frame's header, by its second byte.
func headerSize(second byte) int {
	switch second & 0x7F {
	case 126:
		return 2 + 2 + 4
	case 127:
		return 2 + 8 + 4
	default:
		return 2 + 4
	}
}

// checkStart refuses what the first two bytes of a header already show to be wrong.
func (p *Parser) checkStart() error {
	op, final, length := Opcode(p.header[0]&0x0F), p.header[0]&0x80 != 0, p.header[1]&0x7F
	switch {
	case p.header[0]&0x30 != 0 || p.header[0]&compressed != 0 && !p.Deflate:
		return &Error{ProtocolError, "reserved bits are set, but no extension was agreed on"}
	case p.header[0]&compressed != 0 && op != Text && op != Binary:
		return &Error{ProtocolError, "only the first frame of a message says that it is compressed"}
	case p.header[1]&0x80 == 0:
		return &Error{ProtocolError, "a client must mask its frames"}
	case op > Binary && op < Close || op > Pong:
		return &Error{ProtocolError, fmt.Sprintf("opcode %d is not known", op)}
	case op >= Close && !final:
		return &Error{ProtocolError, "a control frame must not be fragmented"}
	case op >= Close && length > maxControl:
		return &Error{ProtocolError, "a control frame must not exceed 125 bytes"}
	case op == Continuation && p.messageOp == Continuation:
		return &Error{ProtocolError, "a continuation without a message to continue"}
	case (op == Text || op == Binary) && p.messageOp != Continuation:
		return &Error{ProtocolError, "a new message began before the last one ended"}
	}
	return nil
}

func (p *Parser) startFrame(size int) error {
	h := p.header[:size]
	f := frame{final: h[0]&0x80 != 0, op: Opcode(h[0] & 0x0F), left: uint64(h[1] & 0x7F)}
	least := uint64(0)
	switch f.left {
	case 126:
		f.left, least = uint64(binary.BigEndian.Uint16(h[2:])), 126
	case 127:
		f.left, least = binary.BigEndian.Uint64(h[2:]), 1<<16
	}
	if f.left < least || f.left >= 1<<63 {
		return &Error{ProtocolError, "a length must take as few bytes as it needs, and be below 2^63"}
	}
	copy(f.mask[:], h[size-4:])
	if f.op < Close {
		if f.left > uint64(p.MaxMessage-len(p.message)) {
			return tooBig(p.MaxMessage)
		}
		if f.op != Continuation {
			p.messageOp, p.deflated = f.op, h[0]&compressed != 0
		}
	}
	p.frame, p.inFrame = f, true
	return nil
}

func (f *frame) unmask(b []byte) {
	for i := range b {
		b[i] ^= f.mask[(f.read+i)&3]
	}
	f.read += len(b)
	f.left -= uint64(len(b))
}

func (p *Parser) endFrame(handle func(Message) error) error {
	if p.frame.op >= Close {
		payload := p.control
		p.control = nil
		return p.endControl(payload, handle)
	}
	if !p.frame.final {
		return nil
	}
	if p.deflated {
		var err error
		if p.message, err = inflate(p.message, p.MaxMessage); err != nil {
			return err
		}
		p.deflated = false
		if err := p.checkText(); err != nil {
			return err
		}
	}
	m := Message{Op: p.messageOp, Payload: p.message}
	cut := m.Op == Text && p.checked < len(m.Payload)
	p.message, p.messageOp, p.checked = nil, Continuation, 0
	if cut {
		return errNotUTF8
	}
	return handle(m)
}

var errNotUTF8 = &Error{InvalidPayload, "a text message must be UTF-8"}

func tooBig(most int) error {
	return &Error{MessageTooBig, fmt.Sprintf("a message must not exceed %d bytes", most)}
}

// checkText fails as soon as a text message can no longer become UTF-8, as a peer that
// sends much of it would like to know. The last character may still be incomplete. What is compressed is looked at in the end.
func (p *Parser) checkText() error {
	if p.messageOp != Text || p.deflated {
		return nil
	}
	for rest := p.message[p.checked:]; utf8.FullRune(rest); rest = p.message[p.checked:] {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			return errNotUTF8
		}
		p.checked += size
	}
	return nil
}

func (p *Parser) endControl(payload []byte, handle func(Message) error) error {
	m := Message{Op: p.frame.op, Payload: payload}
	if m.Op != Close {
		return handle(m)
	}
	switch {
	case len(payload) == 0:
		m.Code = noStatus
	case len(payload) == 1:
		return &Error{ProtocolError, "a close frame must carry no code or a whole one"}
	default:
		m.Code, m.Payload = CloseCode(binary.BigEndian.Uint16(payload)), payload[2:]
		if !m.Code.sendable() {
			return &Error{ProtocolError, fmt.Sprintf("close code %d must not be sent", m.Code)}
		}
		if !utf8.Valid(m.Payload) {
			return &Error{InvalidPayload, "the reason of a close frame must be UTF-8"}
		}
	}
	return handle(m)
}
