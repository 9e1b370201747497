package websocket

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

const (
	finDeflated = finText | compressed
	hello       = "\xf2\x48\xcd\xc9\xc9\x07\x00" // "Hello": RFC 7692, section 7.2.3.1
)

func TestWhatGetsSmallerIsCompressedAndWhatDoesNotIsLeft(t *testing.T) {
	random := make([]byte, 1000)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	before := []byte("before")
	for name, c := range map[string]struct {
		payload string
		smaller bool
	}{
		"nothing":          {"", false},
		"few bytes":        {`{"type":"Fresh"}`, false},
		"random bytes":     {string(random), false},
		"an event":         {`{"type":"ParkingSpotUpdated","spotId":"A-017","status":"occupied","change":"occupied","previousStatus":"free"}`, true},
		"125 bytes of x":   {strings.Repeat("x", 125), true},
		"70,000 bytes":     {strings.Repeat("parking ", 8750), true},
		"1,000,000 bytes":  {strings.Repeat("parkwire", 125_000), true},
		"a length of 16 b": {strings.Repeat(string(random), 3), true},
	} {
		for _, op := range []Opcode{Text, Binary} {
			plain := AppendFrame(bytes.Clone(before), op, []byte(c.payload))
			got := Deflate(bytes.Clone(plain), len(before))
			frame, ok := bytes.CutPrefix(got, before)
			if !ok || Opcode(frame[0]&0x0F) != op || frame[0]&fin == 0 || frame[0]&0x30 != 0 || string(Inflated(frame)) != c.payload {
				t.Errorf("%s: it became % .20x", name, got)
			}
			if smaller := frame[0]&compressed != 0; smaller != c.smaller || smaller && len(got) >= len(plain) || !smaller && !bytes.Equal(got, plain) {
				t.Errorf("%s: of %d bytes it made %d", name, len(plain), len(got))
			}
			masked := clientFrame(frame[0], string(payloadOf(frame)))
			messages, err := parseWith(Parser{MaxMessage: 1 << 20, Deflate: true}, masked, whole)
			if want := fmt.Sprintf("%x %q", int(op), c.payload); op == Binary && (err != nil || len(messages) != 1 || messages[0] != want) {
				t.Errorf("%s: a peer reads %.100v, %v", name, messages, err)
			}
		}
	}
}

// What a frame costs depends on nothing that was compressed before, nor do its bytes, so that all clients can share them.
func TestTheSameIsAlwaysCompressedToTheSame(t *testing.T) {
	frame := AppendFrame(nil, Text, []byte(strings.Repeat("spot A-017 ", 20)))
	first := Deflate(bytes.Clone(frame), 0)
	Deflate(AppendFrame(nil, Text, []byte(strings.Repeat("spot A-018 ", 2000))), 0)
	if again := Deflate(bytes.Clone(frame), 0); !bytes.Equal(first, again) {
		t.Errorf("% x, then % x", first, again)
	}
}

func TestCompressedMessagesAreInflated(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		want []string
	}{
		"RFC 7692, 7.2.3.1":                     {clientFrame(finDeflated, hello), []string{`1 "Hello"`}},
		"7.2.3.1, in fragments":                 {join(clientFrame(compressed|byte(Text), hello[:3]), clientFrame(fin, hello[3:])), []string{`1 "Hello"`}},
		"7.2.3.3, without compression":          {clientFrame(finDeflated, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), []string{`1 "Hello"`}},
		"7.2.3.4, BFINAL":                       {clientFrame(finDeflated, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), []string{`1 "Hello"`}},
		"7.2.3.5, two blocks":                   {clientFrame(finDeflated, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), []string{`1 "Hello"`}},
		"7.2.3.6, an empty message":             {clientFrame(finDeflated, "\x00"), []string{`1 ""`}},
		"one that is not compressed, and again": {join(clientFrame(finText, "a"), clientFrame(finDeflated, hello), clientFrame(finText, "b")), []string{`1 "a"`, `1 "Hello"`, `1 "b"`}},
		"a ping between":                        {join(clientFrame(compressed|byte(Text), hello[:3]), clientFrame(finPing, "p"), clientFrame(fin, hello[3:])), []string{`9 "p"`, `1 "Hello"`}},
		"binary that is no text":                {clientFrame(finBinary|compressed, string(deflated("\xff\xfe\xff\xfe"))), []string{`2 "\xff\xfe\xff\xfe"`}},
	} {
		for cutName, cut := range map[string]func(int) int{"whole": whole, "byte by byte": single} {
			got, err := parseWith(Parser{MaxMessage: 1000, Deflate: true}, c.in, cut)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%s, %s: got %.100v, %v; want %.100v", name, cutName, got, err, c.want)
			}
		}
	}
}

// deflated is as zlib would send it.
func deflated(text string) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.BestCompression)
	_, _ = w.Write([]byte(text))
	_ = w.Flush()
	return bytes.TrimSuffix(out.Bytes(), []byte(flushed))
}

func TestBrokenCompressionEndsWithItsCode(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		code CloseCode
	}{
		"RSV1 of a continuation":     {join(clientFrame(compressed|byte(Text), hello[:3]), clientFrame(fin|compressed, hello[3:])), ProtocolError},
		"RSV1 within a plain text":   {join(clientFrame(byte(Text), "a"), clientFrame(fin|compressed, hello)), ProtocolError},
		"RSV1 of a ping":             {clientFrame(finPing|compressed, hello), ProtocolError},
		"RSV1 of a close":            {clientFrame(finClose|compressed, hello), ProtocolError},
		"RSV2":                       {clientFrame(finDeflated|0x20, hello), ProtocolError},
		"RSV3":                       {clientFrame(finDeflated|0x10, hello), ProtocolError},
		"what is no DEFLATE":         {clientFrame(finDeflated, "Hello"), InvalidPayload},
		"nothing at all":             {clientFrame(finDeflated, ""), InvalidPayload}, // of an empty message one byte is left
		"a block cut short":          {clientFrame(finDeflated, "\x00\x50\x00\xaf\xffabc"), InvalidPayload},
		"a place before the message": {clientFrame(finDeflated, "\xf2\x00\x11\x00"), InvalidPayload}, // 7.2.3.2, of a context that was not taken over
		"a text that is no UTF-8":    {clientFrame(finDeflated, string(deflated("abc\xff"))), InvalidPayload},
		"half a character":           {clientFrame(finDeflated, string(deflated("abc\xe2\x82"))), InvalidPayload},
		"1,001 bytes":                {clientFrame(finDeflated, string(deflated(strings.Repeat("a", 1001)))), MessageTooBig},
		"1,001 bytes of compression": {clientFrame(finDeflated, strings.Repeat("\x00", 1001)), MessageTooBig},
	} {
		for cutName, cut := range map[string]func(int) int{"whole": whole, "byte by byte": single} {
			_, err := parseWith(Parser{MaxMessage: 1000, Deflate: true}, c.in, cut)
			if broken, ok := errors.AsType[*Error](err); !ok || broken.Code != c.code {
				t.Errorf("%s, %s: got %v; want close code %d", name, cutName, err, c.code)
			}
		}
	}
	if got, err := parseWith(Parser{MaxMessage: 1000, Deflate: true}, clientFrame(finDeflated, string(deflated(strings.Repeat("a", 1000)))), whole); err != nil || len(got) != 1 {
		t.Errorf("a message of as many bytes as there may be: %v, %v", got, err)
	}
}

// 16 KB of a bomb would become 16 MB.
func TestABombIsNotInflated(t *testing.T) {
	bomb := deflated(strings.Repeat("\x00", 16<<20))
	if len(bomb) > 20<<10 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	in := clientFrame(finBinary|compressed, string(bomb))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := parseWith(Parser{MaxMessage: 128 << 10, Deflate: true}, in, whole)
	runtime.ReadMemStats(&after)
	if broken, ok := errors.AsType[*Error](err); !ok || broken.Code != MessageTooBig {
		t.Errorf("it became %v", err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("it took %d bytes", took)
	}
}

// However the network cuts what a client sends, and whatever it is, the same comes of it, and no message is larger than it may be.
func FuzzParserInflates(f *testing.F) {
	f.Add(join(clientFrame(finDeflated, hello), clientFrame(finPing, "p"), clientFrame(finClose, closePayload(1000, "bye"))), uint64(1))
	f.Add(join(clientFrame(compressed|byte(Text), hello[:2]), clientFrame(finPong, ""), clientFrame(fin, hello[2:])), uint64(2))
	f.Add(clientFrame(finBinary|compressed, string(deflated(strings.Repeat("\x00", 100_000)))), uint64(3))
	f.Add(clientFrame(finDeflated, string(deflated("\xed\xa0\x80"))), uint64(4))
	f.Add(clientFrame(finDeflated, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), uint64(5))
	f.Add(clientFrame(finDeflated, "\xf2\x00\x11\x00"), uint64(6))
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		const most = 1000
		want, wantErr := parseWith(Parser{MaxMessage: most, Deflate: true}, in, whole)
		for _, m := range want {
			if len(m) > 20+4*most { // quoted
				t.Fatalf("a message of %d characters came through", len(m))
			}
		}
		for _, cut := range []func(int) int{single, func(left int) int { return 1 + random.IntN(left) }} {
			got, err := parseWith(Parser{MaxMessage: most, Deflate: true}, in, cut)
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("in pieces: %v, %v; whole: %v, %v", got, err, want, wantErr)
			}
		}
	})
}

// Whatever is sent, it comes out as it was.
func FuzzDeflate(f *testing.F) {
	f.Add([]byte(`{"type":"ParkingSpotUpdated","spotId":"A-017","spot":"A-017"}`))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, payload []byte) {
		plain := AppendFrame(nil, Binary, payload)
		frame := Deflate(bytes.Clone(plain), 0)
		if len(frame) > len(plain) || !bytes.Equal(Inflated(frame), payload) {
			t.Fatalf("% x became % x", plain, frame)
		}
	})
}
