package websocket

import (
	"bytes"
	"fmt"
	"testing"
)

// An event as plain clients get it, of some 180 bytes.
var benchEvent = []byte(`{"type":"ParkingSpotUpdated","spotId":"A-017","status":"occupied","timestamp":"2026-11-24T03:35:00.123Z",` +
	`"version":42,"lotId":"central","zoneId":"central-L1","cursor":"AbCdEfGhIjKlMnOpQr"}`)

// BenchmarkAppendFrame: what it costs to make a frame of an event, once for all who get it.
func BenchmarkAppendFrame(b *testing.B) {
	for _, size := range []int{len(benchEvent), 4 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			payload, dst := bytes.Repeat(benchEvent, size/len(benchEvent)+1)[:size], make([]byte, 0, size+10)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				dst = AppendFrame(dst[:0], Text, payload)
			}
		})
	}
}

// BenchmarkDeflate: the same where clients agreed on compression.
func BenchmarkDeflate(b *testing.B) {
	dst := make([]byte, 0, 1<<10)
	b.ReportAllocs()
	b.SetBytes(int64(len(benchEvent)))
	for b.Loop() {
		dst = Deflate(AppendFrame(dst[:0], Text, benchEvent), 0)
	}
	b.ReportMetric(float64(len(dst)), "B/frame")
}

// BenchmarkFeed: what it costs to hear a client. A pong is what most have to say.
func BenchmarkFeed(b *testing.B) {
	request := `{"type":"Subscribe","id":"1","filters":[{"lots":["central"]}],"snapshot":true}`
	for name, frame := range map[string][]byte{"pong": clientFrame(0x80|byte(Pong), ""), "request": clientFrame(0x80|byte(Text), request)} {
		b.Run(name, func(b *testing.B) {
			in, p := make([]byte, len(frame)), Parser{MaxMessage: 4 << 10}
			handle := func(Message) error { return nil }
			b.ReportAllocs()
			for b.Loop() {
				copy(in, frame) // Feed unmasks in place
				if err := p.Feed(in, handle); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestAFrameIsMadeAndAPongIsHeardWithoutAllocating(t *testing.T) {
	dst, pong := make([]byte, 0, 1<<10), clientFrame(0x80|byte(Pong), "")
	in, p := make([]byte, len(pong)), Parser{MaxMessage: 4 << 10}
	handle := func(Message) error { return nil }
	if allocs := testing.AllocsPerRun(100, func() {
		dst = AppendFrame(dst[:0], Text, benchEvent)
		dst = AppendClose(dst, ServiceRestart, "restart")
		copy(in, pong)
		if err := p.Feed(in, handle); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Fatalf("%v allocations", allocs)
	}
}
