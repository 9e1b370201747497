package websocket

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf8"
)

// Opcode says what a frame carries (RFC 6455, section 5.2).
type Opcode byte

// The opcodes.
const (
	Continuation Opcode = 0x0
	Text         Opcode = 0x1
	Binary       Opcode = 0x2
	Close        Opcode = 0x8
	Ping         Opcode = 0x9
	Pong         Opcode = 0xA
)

// CloseCode tells the peer why a connection ends (RFC 6455, section 7.4, and the
// registry of codes that it opened; 4000 to 4999 are ours).
type CloseCode uint16

// The close codes that this package and its users send.
const (
	NormalClosure   CloseCode = 1000
	GoingAway       CloseCode = 1001
	ProtocolError   CloseCode = 1002
	UnsupportedData CloseCode = 1003
	noStatus        CloseCode = 1005
	InvalidPayload  CloseCode = 1007
	PolicyViolated  CloseCode = 1008
	MessageTooBig   CloseCode = 1009
	InternalError   CloseCode = 1011
	ServiceRestart  CloseCode = 1012
	TryAgainLater   CloseCode = 1013
)

const maxControl = 125 // bytes of payload in a control frame

// AppendFrame appends one whole frame as a server sends it: final and unmasked.
func AppendFrame(dst []byte, op Opcode, payload []byte) []byte {
	dst = AppendHeader(dst, op, len(payload))
	return append(dst, payload...)
}

// AppendHeader appends the header of a final, unmasked frame whose payload of n bytes
// the caller appends next.
func AppendHeader(dst []byte, op Opcode, n int) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case n <= maxControl:
		return append(dst, byte(n))
	case n <= 0xFFFF:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
}

// WithRetry adds to the reason of a close when to come back, so that a page can read it: a browser shows nothing else of it.
func WithRetry(reason string, after time.Duration) string {
	return reason + " retry-after-ms=" + strconv.FormatInt(after.Milliseconds(), 10)
}

// AppendClose appends a close frame. A reason beyond 123 bytes is cut at a character.
func AppendClose(dst []byte, code CloseCode, reason string) []byte {
	if code == noStatus {
		return AppendHeader(dst, Close, 0)
	}
	const most = maxControl - 2
	for len(reason) > most || !utf8.ValidString(reason) {
		_, size := utf8.DecodeLastRuneInString(reason)
		reason = reason[:min(len(reason)-size, most)]
	}
	dst = AppendHeader(dst, Close, 2+len(reason))
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason...)
}

// sendable reports whether a peer may send the code (RFC 6455, section 7.4.1).
func (c CloseCode) sendable() bool {
	switch {
	case c >= 1000 && c <= 1003, c >= 1007 && c <= 1014, c >= 3000 && c <= 4999:
		return true
	}
	return false
}
