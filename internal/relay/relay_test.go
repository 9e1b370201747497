package relay_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/relay"
)

// run starts a relay and returns what ends it.
func run(t *testing.T, o relay.Options) (r *relay.Relay, end func()) {
	t.Helper()
	o.Logger = logtest.Logger()
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
	if o.Settle == 0 {
		o.Settle = 50 * time.Millisecond
	}
	if o.Records == nil {
		o.Records = newRecords()
	}
	r = relay.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	finished := false
	end = func() {
		if finished {
			return
		}
		finished = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the relay ended with %v", err)
			}
		case <-time.After(logtest.Patience):
			t.Error("the relay does not end")
		}
	}
	t.Cleanup(end)
	return r, end
}

func emptied(t *testing.T, o *outbox) {
	t.Helper()
	logtest.Eventually(t, "the outbox to be empty", func() bool { return o.left() == 0 })
}

// complete checks that the log has every version of every spot once, in order.
func complete(t *testing.T, l *kafkalog.Log, o *outbox) {
	t.Helper()
	next := map[string]int64{}
	for _, r := range logtest.All(t, l) {
		e, err := event.Decode(r.Value)
		if err == nil && e.Version == 0 { // another program's
			continue
		}
		if err != nil || string(r.Key) != e.SpotID {
			t.Fatalf("%q under key %q: %v", r.Value, r.Key, err)
		}
		if next[e.SpotID]++; e.Version != next[e.SpotID] {
			t.Fatalf("version %d of %s stands where %d was to come", e.Version, e.SpotID, next[e.SpotID])
		}
	}
	for spot, newest := range o.versions {
		if next[spot] != newest {
			t.Errorf("%s ends at version %d, want %d", spot, next[spot], newest)
		}
	}
}

// twin opens the compacted topic as a log of its own.
func twin(t *testing.T, brokers []string, l *kafkalog.Log) *kafkalog.Log {
	t.Helper()
	o := kafkalog.Options{Brokers: brokers, Topic: l.SpotsTopic(), SpotsTopic: l.Topic(), RejectedTopic: l.RejectedTopic(), AuditTopic: l.AuditTopic(), AccessTopic: l.AccessTopic(), Logger: logtest.Logger()}
	w := logtest.Open(t, o)
	logtest.Ensure(t, w)
	return w
}

func TestARowBecomesACloudEventAndTheNewestStateOfItsSpot(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, o := logtest.Log(t, brokers), newOutbox()
		_, end := run(t, relay.Options{Outbox: o, Log: l, PollInterval: time.Hour})
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		o.add(t, 1, "A") // found at once, though nobody polls
		emptied(t, o)
		if d := time.Since(began); d > 30*time.Second {
			t.Errorf("a lone row took %v", d)
		}
		o.mu.Lock()
		o.rows = append(o.rows, relay.OutboxRow{ID: 90, SpotID: "A", EventID: "id-2", Traceparent: "00-trace-01",
			Value: []byte(`{"type":"ParkingSpotUpdated","spotId":"A","status":"free","timestamp":"2026-11-24T03:35:00.123Z","version":2}`)})
		o.versions["A"] = 2
		o.mu.Unlock()
		o.wakeUp()
		emptied(t, o)
		all := logtest.All(t, l)
		if len(all) != 2 {
			t.Fatalf("%d records", len(all))
		}
		for key, want := range map[string]string{
			"ce_specversion": "1.0", "ce_id": "id-2", "ce_type": event.Type, "ce_source": relay.Source, "ce_subject": "A",
			"ce_time": "2026-11-24T03:35:00.123Z", "content-type": "application/json", "traceparent": "00-trace-01",
		} {
			if got, ok := all[1].Header(key); !ok || string(got) != want {
				t.Errorf("header %s is %q, want %q", key, got, want)
			}
		}
		if _, ok := all[0].Header("traceparent"); ok {
			t.Error("a traceparent that nobody sent")
		}
		complete(t, l, o)
		if p, _ := o.Positions(t.Context(), l.TopicID()); !p.Covers(all[1].Partition, all[1].Offset) || p.Covers(all[1].Partition, all[1].Offset+1) {
			t.Errorf("recorded are %v, the event stands at %d of %d", p, all[1].Offset, all[1].Partition)
		}

		o.mu.Lock()
		o.append(t, event.Event{SpotID: "A", EventID: "id-3", Status: event.Removed, Change: event.ChangeRemoved, Version: 3})
		o.mu.Unlock()
		o.wakeUp()
		emptied(t, o)
		end()
		spots := logtest.All(t, twin(t, brokers, l))
		if n := len(spots); n == 0 || string(spots[n-1].Key) != "A" || spots[n-1].Value != nil {
			t.Errorf("behind a removal the twin ends with %v", spots)
		}
		for _, r := range spots[:len(spots)-1] {
			if e, err := event.Decode(r.Value); err != nil || e.SpotID != "A" {
				t.Errorf("the twin has %q", r.Value)
			}
		}
	})
}

func TestThousandsOfRowsKeepTheirOrder(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, o := logtest.Log(t, brokers), newOutbox()
		var spots []string
		for i := range 500 {
			spots = append(spots, fmt.Sprintf("S-%d", i))
		}
		o.add(t, 20_000, spots...)
		began := time.Now()
		run(t, relay.Options{Outbox: o, Log: l})
		emptied(t, o)
		t.Logf("%.0f rows/s", 20_000/time.Since(began).Seconds())
		complete(t, l, o)
	})
}

func TestRowsOfOtherProcessesAreFoundByLooking(t *testing.T) {
	l, o := logtest.Log(t, []string{logtest.Broker(t, "").Addr()}), newOutbox()
	run(t, relay.Options{Outbox: o, Log: l, PollInterval: 20 * time.Millisecond})
	time.Sleep(100 * time.Millisecond)
	o.add(t, 1, "A")
	select {
	case <-o.wake: // nobody was woken
	default:
	}
	emptied(t, o)
}

func TestWhatWasWrittenButNotRemovedIsNotWrittenAgain(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, o := logtest.Log(t, brokers), newOutbox()
		// The database goes away in every third call: before the rows are removed, or after.
		o.done = func(call int) (before, after error) {
			switch call % 6 {
			case 1:
				return errDatabase, nil
			case 4:
				return nil, errDatabase
			}
			return nil, nil
		}
		r, _ := run(t, relay.Options{Outbox: o, Log: l, Batch: 50})
		for range 10 {
			o.add(t, 100, "A", "B", "C", "D", "E", "F", "G")
			// Another program writes what looks like ours, and what does not.
			logtest.Write(t, brokers, &kgo.Record{Topic: l.RejectedTopic(), Value: []byte("x")})
			time.Sleep(5 * time.Millisecond)
		}
		emptied(t, o)
		complete(t, l, o)
		logtest.Eventually(t, "the relay to be ready", func() bool { return r.Ready() == nil })
		newest := map[string]int64{}
		for _, r := range logtest.All(t, twin(t, brokers, l)) {
			if e, err := event.Decode(r.Value); err == nil {
				newest[e.SpotID] = e.Version
			}
		}
		for spot, want := range o.versions {
			if newest[spot] != want {
				t.Errorf("the twin's newest of %s is version %d, want %d", spot, newest[spot], want)
			}
		}
	})
}

func TestAnotherProcessGoesOnWhereTheLeaderDied(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		o := newOutbox()
		options := logtest.Options(t, brokers)
		for i := range 5 {
			l := logtest.Open(t, options) // each process has its own connections
			logtest.Ensure(t, l)
			dead := i%2 == 0
			o.mu.Lock()
			o.done = func(call int) (before, after error) {
				if dead {
					return errDatabase, nil // it wrote, and died before it could say so
				}
				return nil, nil
			}
			o.mu.Unlock()
			o.add(t, 300, "A", "B", "C")
			_, end := run(t, relay.Options{Outbox: o, Log: l, Batch: 100})
			if dead {
				logtest.Eventually(t, "the leader to write", func() bool {
					o.mu.Lock()
					defer o.mu.Unlock()
					return o.calls > i
				})
			} else {
				emptied(t, o)
				complete(t, l, o)
			}
			end()
		}
	})
}

func TestOneOfSeveralLeads(t *testing.T) {
	l, o := logtest.Log(t, []string{logtest.Broker(t, "").Addr()}), newOutbox()
	_, endFirst := run(t, relay.Options{Outbox: o, Log: l, Batch: 20})
	second, _ := run(t, relay.Options{Outbox: o, Log: l, Batch: 20})
	o.add(t, 1000, "A", "B", "C")
	logtest.Eventually(t, "some rows to go", func() bool { return o.left() < 900 })
	endFirst()
	emptied(t, o)
	complete(t, l, o)
	if err := second.Ready(); err != nil {
		t.Error(err)
	}
}

func TestRowsWaitWhileKafkaIsAwayAndComeInOrder(t *testing.T) {
	dir := t.TempDir()
	broker := logtest.BrokerIn(t, dir, "")
	l, o := logtest.Log(t, []string{broker.Addr()}), newOutbox()
	// Patience is over before Kafka is back, in the second round.
	r, _ := run(t, relay.Options{Outbox: o, Log: l, Batch: 50, Patience: 1500 * time.Millisecond})
	o.add(t, 100, "A", "B", "C")
	emptied(t, o)
	for range 2 {
		o.add(t, 1000, "A", "B", "C")
		broker.Close() // in the middle
		o.add(t, 500, "A", "B", "C")
		logtest.Eventually(t, "readiness to tell that Kafka is away", func() bool {
			err := r.Ready()
			return err != nil && strings.Contains(err.Error(), "the event log (Kafka) cannot be reached")
		})
		time.Sleep(2 * time.Second)
		if o.left() == 0 {
			t.Fatal("rows went though Kafka is away")
		}
		broker = logtest.BrokerIn(t, dir, broker.Addr())
		emptied(t, o)
		logtest.Eventually(t, "the relay to be ready", func() bool { return r.Ready() == nil })
		complete(t, l, o)
	}
}

func TestALeaderRecordsWhereTheLogEndsWhenNothingWaits(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, o := logtest.Log(t, brokers), newOutbox()
	logtest.Write(t, brokers, &kgo.Record{Topic: l.Topic(), Partition: 1, Value: []byte(`{"spotId":"foreign"}`)})
	run(t, relay.Options{Outbox: o, Log: l})
	logtest.Eventually(t, "the end of the log to be recorded", func() bool {
		p, _ := o.Positions(t.Context(), l.TopicID())
		return p.Covers(1, 0)
	})
}
