package websocket

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// clientFrame encodes a frame as a client does. first is the whole first byte.
func clientFrame(first byte, payload string) []byte {
	b := AppendHeader(nil, 0, len(payload))
	b[0], b[1] = first, b[1]|0x80
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

func closePayload(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

const (
	fin       = 0x80
	finText   = fin | byte(Text)
	finBinary = fin | byte(Binary)
	finClose  = fin | byte(Close)
	finPing   = fin | byte(Ping)
	finPong   = fin | byte(Pong)
)

// parse feeds b in pieces that cut returns the sizes of, and tells what came of it.
func parse(b []byte, limit int, cut func(left int) int) (messages []string, err error) {
	return parseWith(Parser{MaxMessage: limit}, b, cut)
}

func parseWith(p Parser, b []byte, cut func(left int) int) (messages []string, err error) {
	b = bytes.Clone(b) // it is unmasked in place
	for len(b) > 0 && err == nil {
		n := cut(len(b))
		err = p.Feed(b[:n:n], func(m Message) error {
			text := fmt.Sprintf("%x %q", int(m.Op), m.Payload)
			if m.Op == Close {
				text += fmt.Sprint(" ", m.Code)
			}
			messages = append(messages, text)
			return nil
		})
		b = b[n:]
	}
	return messages, err
}

func whole(left int) int { return left }
func single(int) int     { return 1 }

func join(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func TestFramesBecomeMessages(t *testing.T) {
	long, longest := strings.Repeat("x", 126), strings.Repeat("y", 0x10000)
	for name, c := range map[string]struct {
		in   []byte
		want []string
	}{
		"the masked Hello of RFC 6455, section 5.7": {[]byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58}, []string{`1 "Hello"`}},
		"an empty text":       {clientFrame(finText, ""), []string{`1 ""`}},
		"binary":              {clientFrame(finBinary, "\xff\x00"), []string{`2 "\xff\x00"`}},
		"a length of 16 bits": {clientFrame(finText, long), []string{fmt.Sprintf("1 %q", long)}},
		"a length of 64 bits": {clientFrame(finText, longest), []string{fmt.Sprintf("1 %q", longest)}},
		"two messages":        {join(clientFrame(finText, "a"), clientFrame(finText, "b")), []string{`1 "a"`, `1 "b"`}},
		"fragments":           {join(clientFrame(byte(Text), "Hel"), clientFrame(byte(Continuation), ""), clientFrame(fin, "lo")), []string{`1 "Hello"`}},
		"a ping between fragments": {join(clientFrame(byte(Text), "a"), clientFrame(finPing, "p"), clientFrame(fin, "b")),
			[]string{`9 "p"`, `1 "ab"`}},
		"a character cut by fragments": {join(clientFrame(byte(Text), "\xe2\x82"), clientFrame(fin, "\xac")), []string{`1 "€"`}},
		"a binary message after a text": {join(clientFrame(byte(Text), "a"), clientFrame(fin, "b"), clientFrame(finBinary, "\xff")),
			[]string{`1 "ab"`, `2 "\xff"`}},
		"an unasked pong":           {clientFrame(finPong, ""), []string{`a ""`}},
		"a ping of 125 bytes":       {clientFrame(finPing, long[:125]), []string{fmt.Sprintf("9 %q", long[:125])}},
		"a close without a code":    {clientFrame(finClose, ""), []string{`8 "" 1005`}},
		"a close with a reason":     {clientFrame(finClose, closePayload(1000, "bye")), []string{`8 "bye" 1000`}},
		"a close of an application": {clientFrame(finClose, closePayload(4999, "")), []string{`8 "" 4999`}},
	} {
		t.Run(name, func(t *testing.T) {
			for cutName, cut := range map[string]func(int) int{"whole": whole, "byte by byte": single} {
				got, err := parse(c.in, 1<<20, cut)
				if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("%s: got %.100v, %v; want %.100v", cutName, got, err, c.want)
				}
			}
		})
	}
}

func TestWhatBreaksTheProtocolEndsWithItsCode(t *testing.T) {
	unmasked := AppendFrame(nil, Text, []byte("a"))
	for name, c := range map[string]struct {
		in   []byte
		code CloseCode
	}{
		"an unmasked frame":                   {unmasked, ProtocolError},
		"RSV1 without an extension":           {clientFrame(finText|0x40, "a"), ProtocolError},
		"RSV2":                                {clientFrame(finText|0x20, "a"), ProtocolError},
		"RSV3":                                {clientFrame(finText|0x10, "a"), ProtocolError},
		"opcode 3":                            {clientFrame(fin|3, ""), ProtocolError},
		"opcode 7":                            {clientFrame(fin|7, ""), ProtocolError},
		"opcode 11":                           {clientFrame(fin|11, ""), ProtocolError},
		"opcode 15":                           {clientFrame(fin|15, ""), ProtocolError},
		"a ping in fragments":                 {clientFrame(byte(Ping), "a"), ProtocolError},
		"a ping of 126 bytes":                 {clientFrame(finPing, strings.Repeat("a", 126)), ProtocolError},
		"a continuation of nothing":           {clientFrame(fin, "a"), ProtocolError},
		"a text within a text":                {join(clientFrame(byte(Text), "a"), clientFrame(finText, "b")), ProtocolError},
		"a continuation of a whole message":   {join(clientFrame(finText, "a"), clientFrame(fin, "b")), ProtocolError},
		"a text that is no UTF-8":             {clientFrame(finText, "\xff"), InvalidPayload},
		"a text that ends within a character": {clientFrame(finText, "\xe2\x82"), InvalidPayload},
		"a surrogate":                         {clientFrame(finText, "\xed\xa0\x80"), InvalidPayload},
		"no UTF-8 in an unfinished text":      {clientFrame(byte(Text), "ab\xc0"), InvalidPayload},
		"no UTF-8 across fragments":           {join(clientFrame(byte(Text), "\xe2"), clientFrame(byte(Continuation), "a")), InvalidPayload},
		"a text beyond the bound":             {clientFrame(finText, strings.Repeat("a", 1001)), MessageTooBig},
		"fragments beyond the bound":          {join(clientFrame(byte(Text), strings.Repeat("a", 600)), clientFrame(fin, strings.Repeat("a", 401))), MessageTooBig},
		"a length beyond all bounds":          {[]byte{finText, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, ProtocolError},
		"7 bytes that say so in two":          {[]byte("\x81\xfe\x00\x07\x00\x00\x00\x00pardon?"), ProtocolError},
		"126 bytes that say so in eight":      {append([]byte("\x81\xff\x00\x00\x00\x00\x00\x00\x00\x7e\x00\x00\x00\x00"), make([]byte, 126)...), ProtocolError},
		"a length of 2^63":                    {[]byte("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), ProtocolError},
		"half a close code":                   {clientFrame(finClose, "\x03"), ProtocolError},
		"close code 999":                      {clientFrame(finClose, closePayload(999, "")), ProtocolError},
		"close code 1004":                     {clientFrame(finClose, closePayload(1004, "")), ProtocolError},
		"close code 1005":                     {clientFrame(finClose, closePayload(1005, "")), ProtocolError},
		"close code 1006":                     {clientFrame(finClose, closePayload(1006, "")), ProtocolError},
		"close code 1015":                     {clientFrame(finClose, closePayload(1015, "")), ProtocolError},
		"close code 2999":                     {clientFrame(finClose, closePayload(2999, "")), ProtocolError},
		"close code 5000":                     {clientFrame(finClose, closePayload(5000, "")), ProtocolError},
		"a close reason that is no UTF-8":     {clientFrame(finClose, closePayload(1000, "\xff")), InvalidPayload},
	} {
		t.Run(name, func(t *testing.T) {
			for cutName, cut := range map[string]func(int) int{"whole": whole, "byte by byte": single} {
				_, err := parse(c.in, 1000, cut)
				if broken, ok := errors.AsType[*Error](err); !ok || broken.Code != c.code {
					t.Errorf("%s: got %v; want close code %d", cutName, err, c.code)
				}
			}
		})
	}
}

// What cannot be right any more is refused before all of it has come.
func TestABrokenFrameIsRefusedAtItsFirstBytes(t *testing.T) {
	for name, in := range map[string][]byte{
		"a message too large":     clientFrame(finText, strings.Repeat("a", 1001))[:8],
		"an unmasked frame":       {finText, 5},
		"no UTF-8 within a frame": clientFrame(finText, "\xff"+strings.Repeat("a", 900))[:9],
	} {
		if _, err := parse(in, 1000, single); err == nil {
			t.Errorf("%s: it waits for more", name)
		}
	}
}

func TestTheHandlersErrorEndsTheParsing(t *testing.T) {
	stop := errors.New("stop")
	p, n := Parser{MaxMessage: 100}, 0
	err := p.Feed(join(clientFrame(finText, "a"), clientFrame(finText, "b")), func(Message) error { n++; return stop })
	if !errors.Is(err, stop) || n != 1 {
		t.Errorf("%d messages were handed over, and %v came back", n, err)
	}
}

func TestAnIdleParserHoldsNoBuffer(t *testing.T) {
	p := Parser{MaxMessage: 100}
	if err := p.Feed(join(clientFrame(finText, "abc"), clientFrame(finPing, "x")), func(Message) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if p.message != nil || p.control != nil {
		t.Error("it holds the buffer of a message that is over")
	}
}

// However the network cuts what a client sends, the same comes of it.
func FuzzParserDoesNotDependOnHowItsInputIsCut(f *testing.F) {
	f.Add(join(clientFrame(finText, "Hello"), clientFrame(finPing, "p"), clientFrame(finClose, closePayload(1000, "bye"))), uint64(1))
	f.Add(join(clientFrame(byte(Text), "\xe2\x82"), clientFrame(finPong, ""), clientFrame(fin, "\xac")), uint64(2))
	f.Add(clientFrame(finBinary, strings.Repeat("x", 300)), uint64(3))
	f.Add(clientFrame(finText, "\xed\xa0\x80"), uint64(4))
	f.Add([]byte{finText, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5}, uint64(5))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		want, wantErr := parse(in, 1000, whole)
		for _, cut := range []func(int) int{single, func(left int) int { return 1 + random.IntN(left) }} {
			got, err := parse(in, 1000, cut)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("in pieces: %v, %v; whole: %v, %v", got, err, want, wantErr)
			}
		}
	})
}
