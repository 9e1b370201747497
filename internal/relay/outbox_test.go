package relay_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/event"
	"parkwire/internal/relay"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// outbox is a table in memory. Several relays may share it, as processes share a database.
type outbox struct {
	wake    chan struct{}
	leading chan struct{}

	mu        sync.Mutex
	rows      []relay.OutboxRow
	versions  map[string]int64
	nextID    int64
	positions map[event.TopicID]event.Offsets
	calls     int // of Done with rows

	// done may fail a call of Done before or after it did its work.
	done func(call int) (before, after error)
}

func newOutbox() *outbox {
	return &outbox{wake: make(chan struct{}, 1), leading: make(chan struct{}, 1), versions: map[string]int64{}, nextID: 1,
		positions: map[event.TopicID]event.Offsets{}}
}

// add commits n changes, of the given spots in turn.
func (o *outbox) add(t *testing.T, n int, spots ...string) {
	t.Helper()
	o.mu.Lock()
	for i := range n {
		spot := spots[i%len(spots)]
		o.versions[spot]++
		e := event.Event{SpotID: spot, Status: event.Occupied, Change: event.ChangeOccupied, Timestamp: event.At(time.Now()),
			EventID: fmt.Sprintf("%s-%d", spot, o.versions[spot]), Version: o.versions[spot], LotID: "lot"}
		o.append(t, e)
	}
	o.mu.Unlock()
	o.wakeUp()
}

func (o *outbox) append(t *testing.T, e event.Event) {
	value, err := event.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	o.rows = append(o.rows, relay.OutboxRow{ID: o.nextID, SpotID: e.SpotID, EventID: e.EventID, Value: value, Tombstone: e.Change == event.ChangeRemoved})
	o.nextID++
}

func (o *outbox) wakeUp() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) left() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.rows)
}

func (o *outbox) Lead(ctx context.Context, lead func(context.Context) error) error {
	select {
	case o.leading <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-o.leading }()
	return lead(ctx)
}

func (o *outbox) Pending(ctx context.Context, limit int) ([]relay.OutboxRow, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.rows[:min(limit, len(o.rows))]), ctx.Err()
}

func (o *outbox) Done(ctx context.Context, ids []int64, upTo event.Cursor) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var before, after error
	if len(ids) > 0 {
		o.calls++
		if o.done != nil {
			before, after = o.done(o.calls)
		}
	}
	if before != nil {
		return before
	}
	o.rows = slices.DeleteFunc(o.rows, func(r relay.OutboxRow) bool { return slices.Contains(ids, r.ID) })
	o.positions[upTo.Topic] = o.positions[upTo.Topic].Join(upTo.Offsets)
	return after
}

func (o *outbox) Positions(ctx context.Context, topic event.TopicID) (event.Offsets, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.positions[topic]), ctx.Err()
}

func (o *outbox) Wake() <-chan struct{} { return o.wake }

var errDatabase = errors.New("the database is away")
