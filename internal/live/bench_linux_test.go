package live

import (
	"context"
	"fmt"
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"parkwire/internal/event"
)

const benchValue = `{"type":"ParkingSpotUpdated","spotId":"b-17","status":"occupied","timestamp":"2026-11-24T03:35:00.123Z","lotId":"b","zoneId":"b-2","version":12,"change":"occupied","previous":"free"}`

// An op is one event, made for one encoding.
func BenchmarkEncode(b *testing.B) {
	cursor := event.Cursor{Topic: event.TopicID{1}, Offsets: event.Offsets{1, 2, 3}}.String()
	for _, enc := range []encoding{encodingWebSocket, encodingSSE, encodingV1, encodingWebSocketDeflate, encodingV1Deflate} {
		b.Run(enc.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				enc.appendEvent(nil, []byte(benchValue), cursor)
			}
		})
	}
}

// An op is one frame, appended to a log.
func BenchmarkAppend(b *testing.B) {
	l, frame := newFrameLog(), make([]byte, 184)
	b.ReportAllocs()
	for b.Loop() {
		l.append(frame)
	}
}

// An op is one event, for which the subscriptions are found that want it: one, of so many.
func BenchmarkFilter(b *testing.B) {
	for _, lots := range []int{1, 200, 10_000} {
		b.Run(fmt.Sprint("lots=", lots), func(b *testing.B) {
			subs, events := newSubscriptions(1), make([]event.Event, lots)
			for i := range events {
				events[i].LotID = fmt.Sprint("lot-", i)
				subs.acquire(encodingWebSocket, "", filter{lots: []string{events[i].LotID}})
			}
			found, i := 0, 0
			b.ReportAllocs()
			for ; b.Loop(); i++ {
				subs.concerned(&events[i%lots], func(*subscription) { found++ })
			}
			if found != i {
				b.Errorf("%d events concern %d subscriptions", i, found)
			}
		})
	}
}

// An op is one delivery: a frame in the log of a subscription, sent to one of its 256 clients over loopback. Who receives is drained
// between, and that time is not counted.
func BenchmarkSend(b *testing.B) {
	for _, engine := range []string{EngineRing, EngineEpoll} {
		b.Run(engine, func(b *testing.B) {
			const clients = 256
			f := newFollowers(b, engine, clients)
			b.ReportAllocs()
			b.ResetTimer()
			for sent, rounds := 0, 0; sent < b.N; sent += clients {
				f.deliver()
				if rounds++; rounds%32 == 0 { // what the receivers have room for
					b.StopTimer()
					f.drain()
					b.StartTimer()
				}
			}
		})
	}
}

// An op is a client that is given 1,000 events from memory.
func BenchmarkResume(b *testing.B) {
	s := New(optionsOn(newFakeLog(1), memoryBus(), nil))
	s.memory, s.heads = newMemory(64<<20, event.NewOffsets(1)), event.NewOffsets(1)
	from := event.NewOffsets(1)
	for i := range 1000 {
		s.deliver(event.Position{Offset: int64(i)}, []byte(benchValue), "bus")
	}
	b.ReportAllocs()
	for b.Loop() {
		r := &resumption{client: &client{encoding: encodingWebSocket, loop: s.loops[0]}, needs: []need{{[]filter{{}}, from}}, window: 64 << 20}
		r.begin("")
		if err := s.catchUp(context.Background(), from, nil, r); err != nil {
			b.Fatal(err)
		}
	}
}

func TestADeliveryAllocatesNothing(t *testing.T) {
	for _, engine := range engines() {
		if engine == EngineGoroutines {
			continue
		}
		t.Run(engine, func(t *testing.T) {
			const clients = 200
			f := newFollowers(t, engine, clients)
			// A log takes a new segment now and then, which is one allocation for all who follow it.
			if n := testing.AllocsPerRun(100, func() { f.deliver() }); n > 1 {
				t.Errorf("to send an event to %d clients takes %.0f allocations", clients, n)
			}
			f.drain()
		})
	}
}

// followers are clients of one subscription in a loop that the test runs itself.
type followers struct {
	loop  *loop
	sub   *subscription
	frame []byte
	peers []int
	buf   []byte
}

func newFollowers(t testing.TB, engine string, n int) *followers {
	t.Helper()
	service := New(optionsOn(newFakeLog(1), memoryBus(), func(o *Options) { o.Engine, o.Loops = engine, 1 }))
	if err := service.startEngine(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(service.stopEngine)
	f := &followers{loop: service.loops[0], frame: make([]byte, 184), buf: make([]byte, 64<<10)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for range n {
		dialed, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { dialed.Close() })
		accepted, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := service.enter(accepted, encodingWebSocket)
		t.Cleanup(func() { service.leave(c) })
		f.sub = service.subs.acquire(encodingWebSocket, "", filter{})
		c.sub, c.at = f.sub, f.sub.log.end()
		f.loop.place(c)
		raw, err := dialed.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) { f.peers = append(f.peers, int(fd)) }); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (f *followers) deliver() {
	f.sub.log.append(f.frame)
	f.loop.pass(f.sub)
}

func (f *followers) drain() {
	for _, fd := range f.peers {
		for {
			if n, _, _ := unix.Recvfrom(fd, f.buf, unix.MSG_DONTWAIT); n < len(f.buf) {
				break
			}
		}
	}
}
