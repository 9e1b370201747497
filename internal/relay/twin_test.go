package relay_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/relay"
)

// observe reads the twin, then the log, and checks what they promise those who read them in this order.
func observe(t *testing.T, l *kafkalog.Log) (newest map[string]int64, covered event.Offsets) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
	defer cancel()
	newest = map[string]int64{}
	covered, err := l.Spots(ctx, func(r kafkalog.Record) error {
		if e, err := event.Decode(r.Value); err == nil {
			newest[e.SpotID] = max(newest[e.SpotID], e.Version)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	ends, err := l.Ends(ctx)
	if err != nil {
		t.Fatal(err)
	}
	logged := map[string]int64{}
	err = l.RangeUncommitted(ctx, nil, ends, func(r kafkalog.Record) error {
		e, err := event.Decode(r.Value)
		if err != nil {
			return err
		}
		logged[e.SpotID] = max(logged[e.SpotID], e.Version)
		if covered.Covers(r.Partition, r.Offset) && newest[e.SpotID] < e.Version {
			t.Errorf("the twin is said to cover %v, and lacks version %d of %s at %d of %d: it has %d", covered, e.Version, e.SpotID, r.Offset, r.Partition, newest[e.SpotID])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for spot, version := range newest {
		if version > logged[spot] {
			t.Errorf("the twin has version %d of %s; the log %d", version, spot, logged[spot])
		}
	}
	return newest, covered
}

func TestTheTwinIsNeverAheadOfTheLogAndSaysTrulyHowFarItFollows(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, o := logtest.Log(t, brokers), newOutbox()
		// The database goes away now and then, before the rows are removed or after.
		o.done = func(call int) (before, after error) {
			switch call % 8 {
			case 3:
				return errDatabase, nil
			case 6:
				return nil, errDatabase
			}
			return nil, nil
		}
		var spots []string
		for i := range 30 {
			spots = append(spots, fmt.Sprint("S-", i))
		}
		run(t, relay.Options{Outbox: o, Log: l, Batch: 20})
		for range 15 {
			o.add(t, 90, spots...)
			observe(t, l)
		}
		emptied(t, o)
		newest, covered := observe(t, l)
		for spot, version := range o.versions {
			if newest[spot] != version {
				t.Errorf("in the end the twin has version %d of %s; the outbox had %d", newest[spot], spot, version)
			}
		}
		if len(covered) == 0 {
			t.Error("it does not say how far it follows")
		}
	})
}

// While the log takes nothing, the twin would.
func TestWhatTheLogDoesNotTakeIsNotInTheTwin(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, o := logtest.Log(t, brokers), newOutbox()
		client := logtest.Client(t, brokers, kgo.RecordPartitioner(kgo.ManualPartitioner()))
		defer client.Close()
		limit := func(bytes string) {
			t.Helper()
			if _, err := kadm.NewClient(client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &bytes}}, l.Topic()); err != nil {
				t.Fatal(err)
			}
		}
		limit("20")
		for p := range l.Partitions() { // led by brokers that hear of it each in its own time
			logtest.Eventually(t, "a partition to take nothing", func() bool {
				err := client.ProduceSync(t.Context(), &kgo.Record{Topic: l.Topic(), Partition: int32(p), Value: []byte(`{"spotId":"other","status":"free","timestamp":"2026-11-24T03:35:00.123Z"}`)}).FirstErr()
				return errors.Is(err, kerr.MessageTooLarge)
			})
		}
		r, _ := run(t, relay.Options{Outbox: o, Log: l})
		o.add(t, 3, "A", "B")
		logtest.Eventually(t, "the relay to fail", func() bool { return r.Ready() != nil })
		time.Sleep(100 * time.Millisecond)
		if newest, _ := observe(t, l); len(newest) > 0 {
			t.Errorf("the twin has %v", newest)
		}
		limit("1000000")
		emptied(t, o)
		complete(t, l, o)
		if newest, _ := observe(t, l); newest["A"] != 2 || newest["B"] != 1 {
			t.Errorf("in the end the twin has %v", newest)
		}
	})
}

// A twin that says nothing for long lets those who read it read all that other programs wrote since.
func TestALeaderWithoutRowsTellsTheTwinHowFarItFollows(t *testing.T) {
	l, o := logtest.Log(t, []string{logtest.Broker(t, "").Addr()}), newOutbox()
	o.add(t, 5, "A", "B", "C")
	run(t, relay.Options{Outbox: o, Log: l})
	emptied(t, o)
	heads, err := l.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	logtest.Eventually(t, "the twin to say that it has all", func() bool { _, covered := observe(t, l); return covered.Contains(heads) })
	newest, _ := observe(t, l)
	for spot := range newest {
		if o.versions[spot] == 0 {
			t.Errorf("what tells it is taken for a spot %q", spot)
		}
	}
}
