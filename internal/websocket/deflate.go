package websocket

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// compressed marks the first frame of a message that permessage-deflate compressed: RSV1 (RFC 7692, section 6).
const compressed = 0x40

// flushed is what each flush of DEFLATE ends with, and what is left out of a message (RFC 7692, section 7.2.1). With ended
// behind it, it is the end of a stream.
const (
	flushed = "\x00\x00\xff\xff"
	ended   = "\x01" + flushed
)

// What compresses or inflates a message takes 1 MB or 44 KB, belongs to no connection, and knows nothing of the message before. So few
// are needed, and these are kept for whoever comes next.
var (
	deflaters = sync.Pool{New: func() any { return newDeflater() }}
	inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

type deflater struct {
	*flate.Writer
	out bytes.Buffer
}

// maxKept bounds the output that stays with a deflater, in bytes.
const maxKept = 64 << 10

// Events share little within themselves, so that the slower levels gain a hundredth for twice the time.
func newDeflater() *deflater {
	d := &deflater{}
	d.Writer, _ = flate.NewWriter(&d.out, flate.BestSpeed) // the level is a good one
	return d
}

// Deflate compresses the text or binary frame at the end of b, from the given offset on, where that makes it shorter. It is to be one that
// [AppendFrame] could have appended.
func Deflate(b []byte, from int) []byte {
	op, payload := Opcode(b[from]&0x0F), payloadOf(b[from:])
	d := deflaters.Get().(*deflater)
	defer func() {
		if d.out.Cap() <= maxKept {
			deflaters.Put(d)
		}
	}()
	d.out.Reset()
	d.Reset(&d.out)
	_, err := d.Write(payload)
	if err = errors.Join(err, d.Flush()); err != nil {
		panic(err) // writing to memory
	}
	if out := bytes.TrimSuffix(d.out.Bytes(), []byte(flushed)); len(out) < len(payload) {
		b = append(AppendHeader(b[:from], compressed|op, len(out)), out...)
	}
	return b
}

// Inflated returns the payload of a frame that [AppendFrame] or [Deflate] made.
func Inflated(frame []byte) []byte {
	payload := payloadOf(frame)
	if frame[0]&compressed == 0 {
		return payload
	}
	out, err := inflate(payload, maxInflated)
	if err != nil {
		panic(err) // it came out of Deflate
	}
	return out
}

// maxInflated bounds nothing but what this program made itself.
const maxInflated = 1 << 30

func payloadOf(frame []byte) []byte {
	switch frame[1] {
	case 126:
		return frame[4:]
	case 127:
		return frame[10:]
	default:
		return frame[2:]
	}
}

// inflate inflates the payload of a compressed message, which must not exceed most bytes then. Whatever a peer sends, no more than
// that is ever held.
func inflate(payload []byte, most int) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	in := io.MultiReader(bytes.NewReader(payload), strings.NewReader(flushed+ended))
	if err := r.(flate.Resetter).Reset(in, nil); err != nil {
		return nil, fmt.Errorf("preparing to inflate: %w", err)
	}
	out, err := readAtMost(r, most+1, 4*len(payload))
	switch {
	case len(out) > most:
		return nil, tooBig(most)
	case err != nil:
		return nil, &Error{InvalidPayload, "a compressed message cannot be inflated"}
	}
	return out, nil
}

// readAtMost reads until the end, or most bytes. It begins with a buffer of so many as are likely.
func readAtMost(r io.Reader, most, likely int) ([]byte, error) {
	out := make([]byte, 0, min(most, max(512, likely)))
	for len(out) < most {
		if len(out) == cap(out) {
			out = append(out, 0)[:len(out)]
		}
		n, err := r.Read(out[len(out):min(cap(out), most)])
		out = out[:len(out)+n]
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}
