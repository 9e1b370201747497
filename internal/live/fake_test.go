package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"parkwire/internal/bus"
	memorybus "parkwire/internal/bus/memory"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog is a log in memory, which can be away, lose its oldest records, or keep readers waiting.
type fakeLog struct {
	mu         sync.Mutex
	topic      event.TopicID
	partitions [][]kafkalog.Record
	tails      event.Offsets
	twin       []kafkalog.Record
	covered    event.Offsets // up to where twin follows the log
	hidden     int           // of each partition so many of the newest records stand behind an open transaction
	away       bool
	broken     bool          // Range fails
	gate       chan struct{} // Range waits for it where set
	ranges     int
}

func newFakeLog(partitions int) *fakeLog {
	return &fakeLog{topic: event.TopicID{1}, partitions: make([][]kafkalog.Record, partitions), tails: event.NewOffsets(partitions)}
}

var errAway = errors.New("the log is away")

func (l *fakeLog) append(partition int, value string) event.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	offset := int64(len(l.partitions[partition]))
	l.partitions[partition] = append(l.partitions[partition], kafkalog.Record{Partition: int32(partition), Offset: offset, Value: []byte(value)})
	return event.Position{Partition: int32(partition), Offset: offset, After: offset - 1, Topic: l.topic.Short()}
}

func (l *fakeLog) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

func (l *fakeLog) EnsureTopics(context.Context) error { return nil }
func (l *fakeLog) TopicID() event.TopicID             { return l.topic }
func (l *fakeLog) Partitions() int                    { return len(l.partitions) }

func (l *fakeLog) Heads(context.Context) (event.Offsets, error) { return l.newest(true) }
func (l *fakeLog) Ends(context.Context) (event.Offsets, error)  { return l.newest(false) }

func (l *fakeLog) newest(readable bool) (event.Offsets, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return nil, errAway
	}
	newest := event.Offsets{}
	for _, p := range l.partitions {
		n := len(p)
		if readable {
			n = max(0, n-l.hidden)
		}
		newest = append(newest, int64(n)-1)
	}
	return newest, nil
}

func (l *fakeLog) Tails(context.Context) (event.Offsets, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return nil, errAway
	}
	return append(event.Offsets{}, l.tails...), nil
}

func (l *fakeLog) Range(ctx context.Context, from, to event.Offsets, fn func(kafkalog.Record) error) error {
	l.mu.Lock()
	gate, away := l.gate, l.away || l.broken
	l.ranges++
	var records []kafkalog.Record
	for i := 0; ; i++ { // turn about, as partitions come in any order
		more := false
		for p := range l.partitions {
			if at := from.At(int32(p)) + 1 + int64(i); at <= to.At(int32(p)) {
				more = true
				if at > l.tails[p] {
					records = append(records, l.partitions[p][at])
				}
			}
		}
		if !more {
			break
		}
	}
	l.mu.Unlock()
	if away {
		return errAway
	}
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, r := range records {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func (l *fakeLog) Spots(_ context.Context, fn func(kafkalog.Record) error) (event.Offsets, error) {
	l.mu.Lock()
	twin, covered, away := slices.Clone(l.twin), slices.Clone(l.covered), l.away || l.broken
	l.mu.Unlock()
	if away {
		return nil, errAway
	}
	for _, r := range twin {
		if err := fn(r); err != nil {
			return nil, err
		}
	}
	return covered, nil
}

// fakeBus is a bus with one subscriber, whose connection the test rules.
type fakeBus struct {
	mu      sync.Mutex // held while handle runs, so that messages come one after the other
	handle  func([]byte)
	status  func(bool)
	away    bool
	started chan struct{}
}

func newFakeBus() *fakeBus { return &fakeBus{started: make(chan struct{})} }

func (b *fakeBus) Publish(_ context.Context, messages ...[]byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away || b.handle == nil {
		return nil
	}
	for _, m := range messages {
		b.handle(m)
	}
	return nil
}

func (b *fakeBus) Subscribe(ctx context.Context, handle func([]byte), status func(bool)) error {
	b.mu.Lock()
	b.handle, b.status = handle, status
	if !b.away {
		status(true)
	}
	close(b.started)
	b.mu.Unlock()
	<-ctx.Done()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handle = nil
	return ctx.Err()
}

func (b *fakeBus) cut(away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = away
	b.status(!away)
}

func (b *fakeBus) Ready() error { return nil }
func (b *fakeBus) Close() error { return nil }

var _ bus.Bus = (*fakeBus)(nil)

// A city writes events of spots as the parking service, the relay and the bridge do together.
type city struct {
	log *fakeLog
	bus bus.Bus

	mu       sync.Mutex
	versions map[string]int64
}

// change makes the next event of a spot, and puts it into the log. The spot's number decides its partition, lot and zone.
func (c *city) change(spot int) (message []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := spotID(spot)
	c.versions[id]++
	v := c.versions[id]
	change, status := event.ChangeOccupied, event.Occupied
	if v%2 == 0 {
		change, status = event.ChangeReleased, event.Free
	}
	value, err := json.Marshal(event.Event{Type: event.Type, SpotID: id, Status: status, Change: change, Version: v,
		LotID: fmt.Sprint("lot-", spot%3), ZoneID: fmt.Sprint("zone-", spot%6)})
	if err != nil {
		panic(err)
	}
	position := c.log.append(spot%len(c.log.partitions), string(value))
	return event.AppendLogPosition(nil, value, position)
}

// write changes spots and publishes that.
func (c *city) write(spots ...int) {
	for _, spot := range spots {
		_ = c.bus.Publish(context.Background(), c.change(spot))
	}
}

func spotID(n int) string { return fmt.Sprintf("s-%03d", n) }

func memoryBus() bus.Bus { return memorybus.New() }
