package audit

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// running runs a service until stop is called, or the test ends.
func running(t *testing.T, o Options) (s *Service, stop func()) {
	t.Helper()
	o.HeadInterval = cmp.Or(o.HeadInterval, 50*time.Millisecond)
	o.Logger = logtest.Logger()
	s = New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the service ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

// write writes events and changes, from one number on.
func write(t *testing.T, brokers []string, l *kafkalog.Log, from, n int) {
	t.Helper()
	var records []*kgo.Record
	for i := from; i < from+n; i++ {
		e := happened(fmt.Sprintf("A-%d", i%5), i)
		records = append(records, &kgo.Record{Topic: l.Topic(), Key: e.Key, Value: e.Value})
		if i%4 == 0 {
			c := changed("anna", "A-1", i)
			records = append(records, &kgo.Record{Topic: l.AuditTopic(), Key: c.Key, Value: c.Value})
		}
	}
	logtest.Write(t, brokers, records...)
}

// Services end and others take over, with two at once at times; the chain has each record once and is one sequence.
func TestTheServiceAppendsEachRecordOnceWhoeverReads(t *testing.T) {
	sqldbtest.Each(t, Sets(), func(t *testing.T, open func() *sqldb.DB) {
		brokers := []string{logtest.Broker(t, "").Addr()}
		l := logtest.Log(t, brokers)
		db := open()
		w := newWorld(t, db)
		reached := func(n int64) {
			t.Helper()
			logtest.Eventually(t, fmt.Sprintf("the chain to have %d records", n), func() bool { return w.head().Sequence >= n })
		}
		write(t, brokers, l, 0, 100)
		_, stopFirst := running(t, Options{Log: l, DB: db})
		reached(125)
		other := logtest.Open(t, logtestOptions(l, brokers))
		logtest.Ensure(t, other)
		second, stopSecond := running(t, Options{Log: other, DB: open()})
		write(t, brokers, l, 100, 100)
		reached(250)
		stopFirst()
		write(t, brokers, l, 200, 100)
		reached(375)
		logtest.Eventually(t, "the other service to be ready", func() bool { return second.Ready() == nil })
		stopSecond()
		write(t, brokers, l, 300, 100)
		_, stopThird := running(t, Options{Log: l, DB: db})
		reached(500)
		stopThird()
		if r := w.whole(); r.Records != 500 || r.Repetitions != 0 || r.Gaps != 0 {
			t.Errorf("the chain is %+v", r)
		}
		places := map[string]bool{}
		for _, e := range w.all() {
			place := fmt.Sprintf("%s/%d/%d", e.Topic, e.Partition, e.Offset)
			if places[place] {
				t.Errorf("%s is in the chain twice", place)
			}
			places[place] = true
		}
	})
}

func logtestOptions(l *kafkalog.Log, brokers []string) kafkalog.Options {
	return kafkalog.Options{
		Brokers: brokers, Topic: l.Topic(), SpotsTopic: l.SpotsTopic(), RejectedTopic: l.RejectedTopic(), AuditTopic: l.AuditTopic(), AccessTopic: l.AccessTopic(),
		Logger: logtest.Logger(),
	}
}

func TestARebuildIsRefusedAndChangesNothing(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l := logtest.Log(t, brokers)
	w := newWorld(t, sqliteDB(t))
	write(t, brokers, l, 0, 20)
	s, stop := running(t, Options{Log: l, DB: w.db})
	logtest.Eventually(t, "the chain to have 25 records", func() bool { return w.head().Sequence >= 25 })
	stop()
	before := w.head()
	for _, c := range s.Consumers() {
		ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
		defer cancel()
		if err := c.Rebuild(ctx, func(int64, int64) {}); !errors.Is(err, ErrAppendOnly) {
			t.Errorf("a rebuild is answered with %v", err)
		}
	}
	if w.whole(); w.head() != before {
		t.Errorf("the head was %v and is %v", before, w.head())
	}
}

// Between an end and the next start nobody can use that what came last was not signed yet.
func TestTheHeadIsSignedALastTimeWhenTheServiceEnds(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l := logtest.Log(t, brokers)
	w := newWorld(t, sqliteDB(t))
	key, keys := newKey(t), Keys{}
	keys.Add(key.Public().(ed25519.PublicKey))
	_, stop := running(t, Options{Log: l, DB: w.db, Key: key, HeadInterval: time.Hour})
	write(t, brokers, l, 0, 20)
	logtest.Eventually(t, "the chain to have 25 records", func() bool { return w.head().Sequence >= 25 })
	stop()
	if r := w.verify(Verification{Keys: keys}); !r.OK || r.SignedUpTo != 25 {
		t.Errorf("verification says %+v", r)
	}
}
