package gateway

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"parkwire/internal/websocket"
)

// follower is what frames and lines have in common.
type follower interface {
	between() bool
	follow([]byte) int
}

// check feeds a stream in pieces and compares what is said with the places in it that are known to be between two messages.
func check(t *rapid.T, f follower, stream []byte, between map[int]bool) {
	for at := 0; at < len(stream); {
		n := rapid.IntRange(1, len(stream)-at).Draw(t, "piece")
		if rapid.Bool().Draw(t, "small") {
			n = min(n, 3)
		}
		want := 0
		for i := 1; i <= n; i++ {
			if between[at+i] {
				want = i
			}
		}
		if got := f.follow(stream[at : at+n]); got != want {
			t.Fatalf("of % x behind %d bytes %d are whole, not %d", stream[at:at+n], at, got, want)
		}
		at += n
		if f.between() != between[at] {
			t.Fatalf("at %d it is said to be between two: %v", at, f.between())
		}
	}
}

func TestFramesAreFollowedThroughWhateverPiecesTheyComeIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		between := map[int]bool{0: true}
		fragmented := false
		for range rapid.IntRange(1, 8).Draw(t, "frames") {
			op := rapid.SampledFrom([]websocket.Opcode{websocket.Text, websocket.Binary, websocket.Ping, websocket.Pong}).Draw(t, "op")
			size := rapid.SampledFrom([]int{0, 1, 125, 126, 127, 300, 65535, 65536, 70000}).Draw(t, "size")
			first := len(stream)
			if op >= websocket.Close {
				size = min(size, 125)
			} else if fragmented {
				op = websocket.Continuation
			}
			stream = websocket.AppendFrame(stream, op, bytes.Repeat([]byte{0x88}, size))
			if op < websocket.Close {
				if fragmented = rapid.Bool().Draw(t, "more"); fragmented {
					stream[first] &^= 0x80
				}
			}
			between[len(stream)] = !fragmented
		}
		var f frames
		check(t, &f, stream, between)
		if f.closed {
			t.Fatal("a close frame was seen that is none")
		}
		f.follow(websocket.AppendClose(nil, websocket.NormalClosure, "bye"))
		if !f.closed {
			t.Fatal("the close frame was not seen")
		}
	})
}

func TestEventsAreFollowedWhateverEndsTheirLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "line end")
		var stream []byte
		between := map[int]bool{0: true}
		for range rapid.IntRange(1, 6).Draw(t, "events") {
			for range rapid.IntRange(1, 3).Draw(t, "lines") {
				stream = append(stream, rapid.SampledFrom([]string{"id: 7", ":", "data: {}"}).Draw(t, "line")+end...)
			}
			stream = append(stream, end...)
			between[len(stream)] = true
			if end == "\r\n" {
				between[len(stream)-1] = true // nothing of the event is missing
			}
		}
		check(t, &lines{}, stream, between)
	})
}

// FuzzFramesNeverPanic: instances are ours, but what they send passes byte by byte.
func FuzzFramesNeverPanic(f *testing.F) {
	f.Add([]byte{0x81, 5, 'H', 'e', 'l', 'l', 'o'})
	f.Add([]byte{0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole, pieces frames
		last := 0
		for i := range b {
			if pieces.follow(b[i:i+1]) > 0 {
				last = i + 1
			}
		}
		if got := whole.follow(b); got != last || whole != pieces {
			t.Errorf("at once %d bytes are whole, byte by byte %d", got, last)
		}
	})
}
