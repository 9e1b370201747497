//go:build linux

package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/websocket"
)

// world is all that surrounds the service, and knows what clients must be told: the log, the bus, two
// instances, and people who listen.
type world struct {
	engine    string
	log       *roughLog
	instances []*instance
	people    []*person
	talkers   []*talker
	written   [][]written // by partition and offset
	versions  map[string]int64
	next      []int64 // of each partition the offset that the bridge publishes next
	said      int     // by other programs
}

// written is a record of the log.
type written struct {
	event event.Event
	value []byte // no event where event.SpotID is empty
}

// roughLog is a log that takes its time, and may break off in the middle.
type roughLog struct {
	*fakeLog
	latency  atomic.Int64 // of each answer and each record
	breakOff atomic.Int64 // after how many records a range fails, and then is 0; 0: not
}

func (l *roughLog) wait() { time.Sleep(time.Duration(l.latency.Load())) }

func (l *roughLog) Heads(ctx context.Context) (event.Offsets, error) {
	l.wait()
	return l.fakeLog.Heads(ctx)
}

func (l *roughLog) Ends(ctx context.Context) (event.Offsets, error) {
	l.wait()
	return l.fakeLog.Ends(ctx)
}

func (l *roughLog) Tails(ctx context.Context) (event.Offsets, error) {
	l.wait()
	return l.fakeLog.Tails(ctx)
}

func (l *roughLog) Range(ctx context.Context, from, to event.Offsets, fn func(kafkalog.Record) error) error {
	l.wait()
	left := l.breakOff.Swap(0)
	return l.fakeLog.Range(ctx, from, to, func(r kafkalog.Record) error {
		l.wait()
		if left--; left == 0 {
			return errAway
		}
		return errors.Join(ctx.Err(), fn(r))
	})
}

// instance is one service with its connection to the bus.
type instance struct {
	*Service
	inbox *bus.Inbox
	up    bool
	tell  func(bool)
	end   context.CancelFunc
	ended chan struct{}

	engine still
	news   func(websocket.Ready) // of its connections

	foreign  []event.Event // what other programs said to it
	passedOn atomic.Int64  // how many of these
}

// Subscribe makes it the bus of its own service.
func (i *instance) Subscribe(ctx context.Context, handle func([]byte), status func(bool)) error {
	i.tell = status
	status(i.up)
	return i.inbox.Serve(ctx, func(m []byte) {
		handle(m)
		if _, _, ours := event.CutLogPosition(m); !ours {
			i.passedOn.Add(1)
		}
	})
}

func (i *instance) Publish(context.Context, ...[]byte) error { panic("not used") }
func (i *instance) Ready() error                             { return nil }
func (i *instance) Close() error                             { return nil }

const partitions = 3

func newWorld(t *rapid.T) *world {
	w := &world{engine: rapid.SampledFrom(stillEngines).Draw(t, "engine"), log: &roughLog{fakeLog: newFakeLog(partitions)}, versions: map[string]int64{},
		written: make([][]written, partitions), next: make([]int64, partitions), instances: make([]*instance, 2)}
	w.write(t, rapid.IntRange(0, 10).Draw(t, "events before"))
	for i := range w.instances {
		w.start(t, i)
	}
	return w
}

// start starts instance n, anew where it ran.
func (w *world) start(t *rapid.T, n int) {
	i := &instance{inbox: bus.NewInbox(), up: true, ended: make(chan struct{})}
	i.Service = New(Options{
		Log: w.log, Bus: i, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Engine: w.engine,
		Authorize:   func(*http.Request) (identity.Principal, error) { return identity.Principal{}, nil },
		MemoryBytes: int64(rapid.SampledFrom([]int{1, 4 * (entryOverhead + 200), 1 << 20}).Draw(t, "memory")),
		RangeBytes:  int64(rapid.SampledFrom([]int{1, 4 * (entryOverhead + 200), 1 << 20}).Draw(t, "ranges")), ClientBytes: 6 << 10, Compression: true,
	})
	i.news = i.engine.stand(i.Service)
	i.shared.ranges.size.offsets = rapid.Int64Range(1, 20).Draw(t, "offsets of a block")
	ctx, cancel := context.WithCancel(context.Background())
	i.end = cancel
	go func() {
		defer close(i.ended)
		_ = i.Run(ctx)
	}()
	w.instances[n] = i
	w.settle()
	for i.admitting() != nil { // the log is away
		time.Sleep(time.Second)
		w.log.set(func() { w.log.away = false })
	}
	w.settle()
}

func (w *world) stop() {
	for _, i := range w.instances {
		if i != nil {
			i.end()
			<-i.ended
		}
	}
	for _, p := range w.people {
		if p.tap != nil {
			p.tap.leave()
		}
	}
	for _, k := range w.talkers {
		k.leave()
	}
}

// pass lets time pass.
func (w *world) pass(ms int) {
	time.Sleep(time.Duration(ms) * time.Millisecond)
	w.settle()
}

// settle lets everything happen that takes no time.
func (w *world) settle() { synctest.Wait() }

func (w *world) heads() event.Offsets {
	heads := event.NewOffsets(partitions)
	for p := range w.written {
		heads[p] = int64(len(w.written[p])) - 1
	}
	return heads
}

func (w *world) tails() event.Offsets { return slices.Clone(w.log.tails) }

// write appends n records, most of them events.
func (w *world) write(t *rapid.T, n int) {
	for range n {
		spot := rapid.IntRange(0, 8).Draw(t, "spot")
		p := spot % partitions
		var r written
		if kind := rapid.IntRange(0, 19).Draw(t, "kind"); kind == 0 {
			r.value = []byte("no event")
		} else {
			r = w.newEvent(t, spot)
			switch kind { // as other programs might write it
			case 1:
				r.value = slices.Concat([]byte("{\r\n "), r.value[1:len(r.value)-1], []byte("\r}\n"))
			case 2:
				r.value = []byte(strings.Replace(string(r.value), `,"lotId"`, "\n,\"log\":{\"partition\":1},\n\n\"lotId\"", 1))
			}
		}
		w.log.append(p, string(r.value))
		w.written[p] = append(w.written[p], r)
	}
}

func (w *world) newEvent(t *rapid.T, spot int) written {
	id := spotID(spot)
	w.versions[id]++
	e := event.Event{
		Type: event.Type, SpotID: id, Version: w.versions[id], LotID: fmt.Sprint("lot-", spot%2), ZoneID: fmt.Sprint("zone-", spot%4),
		Status: event.Status(rapid.SampledFrom([]string{"free", "occupied", "closed"}).Draw(t, "status")),
		Source: strings.Repeat("x", rapid.SampledFrom([]int{0, 10, 500, 5000}).Draw(t, "size")),
	}
	value, err := event.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	return written{e, value}
}

// message is a record as the bridge publishes it, with a given offset before it.
func (w *world) message(p int, offset, after int64) []byte {
	return event.AppendLogPosition(nil, w.written[p][offset].value, event.Position{Partition: int32(p), Offset: offset, After: after})
}

// before is the offset of the event before.
func (w *world) before(p int, offset int64) int64 {
	for offset--; offset >= 0 && w.written[p][offset].event.SpotID == ""; offset-- {
	}
	return offset
}

// send gives a message to the instances whose bus is up.
func (w *world) send(message []byte, to ...*instance) {
	for _, i := range to {
		if i.up {
			i.inbox.Put(slices.Clone(message))
		}
	}
}

// between returns what a filter lets through of the events that to has seen and from has not, by the place in the log.
func (w *world) between(from, to event.Offsets, wants func(event.Event) bool) (events []written) {
	for p, records := range w.written {
		for o := from.At(int32(p)) + 1; o <= to.At(int32(p)); o++ {
			if r := records[o]; r.event.SpotID != "" && wants(r.event) {
				events = append(events, r)
			}
		}
	}
	return events
}
