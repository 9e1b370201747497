package relay_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/relay"
)

// A frozen outbox belongs to a process that stands still while it looks for rows: another one leads meanwhile, and
// the process has not heard of that when it goes on.
type frozen struct {
	*outbox
	stands chan struct{} // closed when it stands still
	once   sync.Once
	thawed chan struct{}
	led    atomic.Int32
}

func (f *frozen) Lead(ctx context.Context, lead func(context.Context) error) error {
	if f.led.Add(1) > 1 {
		return f.outbox.Lead(ctx, lead)
	}
	return lead(ctx)
}

func (f *frozen) Pending(ctx context.Context, limit int) ([]relay.OutboxRow, error) {
	rows, err := f.outbox.Pending(ctx, limit)
	if f.led.Load() == 1 && len(rows) > 0 {
		f.once.Do(func() { close(f.stands) })
		select {
		case <-f.thawed:
		case <-ctx.Done():
		}
	}
	return rows, err
}

func TestALeaderThatStoodStillWritesNothingBeforeItLeadsAgain(t *testing.T) {
	l, o := logtest.Log(t, []string{logtest.Broker(t, "").Addr()}), newOutbox()
	f := &frozen{outbox: o, stands: make(chan struct{}), thawed: make(chan struct{})}
	first, _ := run(t, relay.Options{Outbox: f, Log: l})
	logtest.Eventually(t, "the first to lead", func() bool { return f.led.Load() == 1 })
	time.Sleep(200 * time.Millisecond)
	o.add(t, 30, "A", "B")
	<-f.stands
	second, endSecond := run(t, relay.Options{Outbox: o, Log: l})
	emptied(t, o)
	time.Sleep(5500 * time.Millisecond)
	close(f.thawed)
	logtest.Eventually(t, "the first to want to lead again", func() bool { return f.led.Load() == 2 })
	complete(t, l, o)
	if second.Ready() != nil {
		t.Error(second.Ready())
	}
	logtest.Eventually(t, "the first to be ready, since another one leads", func() bool { return first.Ready() == nil })
	o.add(t, 2, "A", "B")
	emptied(t, o)
	endSecond()
	o.add(t, 2, "A", "B")
	emptied(t, o)
	complete(t, l, o)
}

// Behind the transaction of another program no reader sees anything until it ends; what a leader wrote stands there all the same.
func TestWhatStandsBehindAnOpenTransactionIsNotWrittenAgain(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, o := logtest.Log(t, brokers), newOutbox()
		client := logtest.Client(t, brokers, kgo.TransactionalID(l.Topic()), kgo.DefaultProduceTopic(l.Topic()))
		defer client.Close()
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("A"), Value: []byte(`{"spotId":"foreign"}`)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		o.done = func(call int) (before, after error) {
			if call == 1 {
				return errDatabase, nil
			}
			return nil, nil
		}
		o.add(t, 10, "A")
		run(t, relay.Options{Outbox: o, Log: l})
		logtest.Eventually(t, "the rows to be written", func() bool {
			o.mu.Lock()
			defer o.mu.Unlock()
			return o.calls > 0
		})
		time.Sleep(500 * time.Millisecond)
		if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
		emptied(t, o)
		logtest.Eventually(t, "the end of the transaction", func() bool { // Kafka writes it after it has answered
			heads, err := l.Heads(t.Context())
			ends, err2 := l.Ends(t.Context())
			return err == nil && err2 == nil && heads.Contains(ends)
		})
		complete(t, l, o)
	})
}

// unseen is an outbox with a row that another leader writes to the log, and does not remove yet, when this one has found nothing.
type unseen struct {
	*outbox
	write   func() (partition int32, offset int64)
	looked  atomic.Int32
	claimed atomic.Bool
	at      event.Offsets // of the row
}

func (u *unseen) Pending(ctx context.Context, limit int) ([]relay.OutboxRow, error) {
	rows, err := u.outbox.Pending(ctx, limit)
	if u.looked.Add(1) == 2 { // the first look is for what is written already
		u.at = u.at.Advance(u.write())
	}
	return rows, err
}

func (u *unseen) Done(ctx context.Context, ids []int64, upTo event.Cursor) error {
	if len(ids) == 0 && u.left() > 0 && upTo.Offsets.Contains(u.at) {
		u.claimed.Store(true)
	}
	return u.outbox.Done(ctx, ids, upTo)
}

func TestAnIdleLeaderDoesNotClaimWhatAnotherOneHasUnderWay(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, o := logtest.Log(t, brokers), newOutbox()
	u := &unseen{outbox: o}
	u.write = func() (int32, int64) {
		o.add(t, 1, "A")
		r := logtest.Write(t, brokers, &kgo.Record{Topic: l.Topic(), Key: []byte("A"), Value: o.rows[0].Value})[0]
		return r.Partition, r.Offset
	}
	run(t, relay.Options{Outbox: u, Log: l})
	logtest.Eventually(t, "the row to be found", func() bool { return u.looked.Load() > 2 && o.left() == 0 })
	if u.claimed.Load() {
		t.Error("it claims to have done what stands in the log, but waits in the outbox")
	}
}
