package relay_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/relay"
)

// records is a table in memory.
type records struct {
	wake chan struct{}

	mu     sync.Mutex
	rows   []relay.RecordRow
	nextID int64
	calls  int                     // of RecordsDone
	access map[string]relay.Record // what was said last of each key

	// done may fail a call of RecordsDone before it does its work.
	done func(call int) error
	// read may fail a call of PendingRecords.
	read func() error
}

func newRecords() *records {
	return &records{wake: make(chan struct{}, 1), nextID: 1, access: map[string]relay.Record{}}
}

func (r *records) add(all ...relay.Record) {
	r.mu.Lock()
	r.append(all...)
	r.mu.Unlock()
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// append adds records. The caller holds mu.
func (r *records) append(all ...relay.Record) {
	for _, record := range all {
		r.rows = append(r.rows, relay.RecordRow{ID: r.nextID, Record: record})
		r.nextID++
		if record.Topic == relay.Access {
			r.access[record.Key] = record
		}
		if record.Topic == relay.Access && record.Value == nil {
			delete(r.access, record.Key)
		}
	}
}

func (r *records) RepeatAccess(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.append(slices.Collect(maps.Values(r.access))...)
	return ctx.Err()
}

func (r *records) left() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.rows)
}

func (r *records) PendingRecords(ctx context.Context, limit int) ([]relay.RecordRow, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read != nil {
		if err := r.read(); err != nil {
			return nil, err
		}
	}
	return slices.Clone(r.rows[:min(limit, len(r.rows))]), ctx.Err()
}

func (r *records) RecordsDone(ctx context.Context, ids []int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if r.done != nil {
		if err := r.done(r.calls); err != nil {
			return err
		}
	}
	r.rows = slices.DeleteFunc(r.rows, func(row relay.RecordRow) bool { return slices.Contains(ids, row.ID) })
	return ctx.Err()
}

func (r *records) RecordsWake() <-chan struct{} { return r.wake }

// topic opens a topic of records as a log of its own.
func topic(t *testing.T, brokers []string, l *kafkalog.Log, name string) *kafkalog.Log {
	t.Helper()
	o := kafkalog.Options{Brokers: brokers, Topic: name, SpotsTopic: l.SpotsTopic(), RejectedTopic: l.RejectedTopic(),
		AuditTopic: l.AuditTopic(), AccessTopic: l.AccessTopic(), Logger: logtest.Logger()}
	if name == o.AuditTopic {
		o.AuditTopic = l.Topic()
	} else {
		o.AccessTopic = l.Topic()
	}
	opened := logtest.Open(t, o)
	logtest.Ensure(t, opened)
	return opened
}

// numbered are n records about some things in turn, each with its number.
func numbered(from, n int, things ...string) (all []relay.Record) {
	for i := from; i < from+n; i++ {
		all = append(all, relay.Record{Topic: relay.Audit, Key: things[i%len(things)], Value: fmt.Appendf(nil, `{"id":"%06d"}`, i)})
	}
	return all
}

// newestLast checks that every record is there, that none of a key stands first behind a newer one, and that the last of each is the newest.
// It returns how many are there again.
func newestLast(t *testing.T, got []kafkalog.Record, want []relay.Record) (again int) {
	t.Helper()
	seen, last, newest := map[string]bool{}, map[string]string{}, map[string]string{}
	for _, r := range got {
		value := string(r.Value)
		if value < newest[string(r.Key)] && !seen[value] {
			t.Errorf("%s of %s stands first behind %s", value, r.Key, newest[string(r.Key)])
		}
		if seen[value] {
			again++
		}
		seen[value], last[string(r.Key)] = true, value
		newest[string(r.Key)] = max(newest[string(r.Key)], value)
	}
	for _, r := range want {
		if !seen[string(r.Value)] {
			t.Errorf("%s of %s is missing", r.Value, r.Key)
		}
	}
	for key, value := range newest {
		if last[key] != value {
			t.Errorf("%s ends with %s, and had %s", key, last[key], value)
		}
	}
	return again
}

func recordsGone(t *testing.T, r *records) {
	t.Helper()
	logtest.Eventually(t, "the records to be sent", func() bool { return r.left() == 0 })
}

func TestARecordGoesToItsTopicAtOnceAndIsRemoved(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, r := logtest.Log(t, brokers), newRecords()
		run(t, relay.Options{Outbox: newOutbox(), Records: r, Log: l, PollInterval: time.Hour})
		r.add(relay.Record{Topic: relay.Audit, Key: "lot/l", Value: []byte(`{"id":"1"}`)},
			relay.Record{Topic: relay.Access, Key: "key/k", Value: []byte(`{"id":"2"}`)}, relay.Record{Topic: relay.Access, Key: "key/k"})
		recordsGone(t, r)
		audit, access := logtest.All(t, topic(t, brokers, l, l.AuditTopic())), logtest.All(t, topic(t, brokers, l, l.AccessTopic()))
		if len(audit) != 1 || string(audit[0].Key) != "lot/l" || string(audit[0].Value) != `{"id":"1"}` {
			t.Errorf("the topic of changes has %v", audit)
		}
		if kind, _ := audit[0].Header("content-type"); string(kind) != "application/json" {
			t.Errorf("it says to be %q", kind)
		}
		if len(access) != 2 || string(access[0].Value) != `{"id":"2"}` || string(access[1].Key) != "key/k" || access[1].Value != nil || access[1].Partition != 0 {
			t.Errorf("the topic of access has %v", access)
		}
		if all := logtest.All(t, l); len(all) != 0 {
			t.Errorf("the event log has %v", all)
		}
	})
}

func TestRecordsThatCannotBeRemovedComeAgainAndEndWithTheNewest(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, r := logtest.Log(t, brokers), newRecords()
		r.done = func(call int) error {
			if call%3 == 1 {
				return errDatabase
			}
			return nil
		}
		want := numbered(0, 2000, "a", "b", "c")
		r.add(want...)
		run(t, relay.Options{Outbox: newOutbox(), Records: r, Log: l, Batch: 300})
		recordsGone(t, r)
		if again := newestLast(t, logtest.All(t, topic(t, brokers, l, l.AuditTopic())), want); again == 0 {
			t.Error("nothing came again: what was to be shown was not")
		}
	})
}

func TestAnotherProcessGoesOnWithTheRecords(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, o, r := logtest.Log(t, brokers), newOutbox(), newRecords()
	_, endFirst := run(t, relay.Options{Outbox: o, Records: r, Log: l, Batch: 10})
	run(t, relay.Options{Outbox: o, Records: r, Log: l, Batch: 10})
	want := numbered(0, 1000, "a", "b", "c")
	r.add(want...)
	logtest.Eventually(t, "some records to go", func() bool { return r.left() < 900 })
	endFirst()
	recordsGone(t, r)
	newestLast(t, logtest.All(t, topic(t, brokers, l, l.AuditTopic())), want)
}

func TestEventsGoOnWhereRecordsCannot(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, o, r := logtest.Log(t, brokers), newOutbox(), newRecords()
	away := errDatabase
	r.read = func() error { return away }
	relaying, _ := run(t, relay.Options{Outbox: o, Records: r, Log: l})
	logtest.Eventually(t, "readiness to tell of the records", func() bool {
		err := relaying.Ready()
		return err != nil && strings.Contains(err.Error(), "records wait")
	})
	o.add(t, 100, "A", "B")
	emptied(t, o)
	complete(t, l, o)
	want := numbered(0, 10, "a")
	r.add(want...)
	r.mu.Lock()
	away = nil
	r.mu.Unlock()
	recordsGone(t, r)
	logtest.Eventually(t, "readiness", func() bool { return relaying.Ready() == nil })
	newestLast(t, logtest.All(t, topic(t, brokers, l, l.AuditTopic())), want)
}

func TestRecordsWaitWhileKafkaIsAwayAndComeInOrder(t *testing.T) {
	dir := t.TempDir()
	broker := logtest.BrokerIn(t, dir, "")
	brokers := []string{broker.Addr()}
	l, r := logtest.Log(t, brokers), newRecords()
	relaying, _ := run(t, relay.Options{Outbox: newOutbox(), Records: r, Log: l, Batch: 20, Patience: 500 * time.Millisecond})
	want := numbered(0, 200, "a", "b", "c")
	r.add(want...)
	broker.Close() // somewhere in the middle
	more := numbered(200, 200, "a", "b", "c")
	r.add(more...)
	logtest.Eventually(t, "patience to be over", func() bool {
		err := relaying.Ready()
		return err != nil
	})
	if r.left() == 0 {
		t.Fatal("records went though Kafka is away")
	}
	logtest.BrokerIn(t, dir, broker.Addr())
	recordsGone(t, r)
	logtest.Eventually(t, "readiness", func() bool { return relaying.Ready() == nil })
	newestLast(t, logtest.All(t, topic(t, brokers, l, l.AuditTopic())), append(want, more...))
}

func TestALostTopicOfAccessIsToldEverythingByTheNextLeader(t *testing.T) {
	r := newRecords()
	said := []relay.Record{
		{Topic: relay.Access, Key: "key:a", Value: []byte(`{"id":"1"}`)}, {Topic: relay.Access, Key: "key:b", Value: []byte(`{"id":"2"}`)},
		{Topic: relay.Access, Key: "key:a", Value: []byte(`{"id":"3"}`)}, {Topic: relay.Access, Key: "key:c", Value: []byte(`{"id":"4"}`)}, {Topic: relay.Access, Key: "key:c"},
	}
	first := []string{logtest.Broker(t, "").Addr()}
	_, end := run(t, relay.Options{Outbox: newOutbox(), Records: r, Log: logtest.Log(t, first)})
	r.add(said...)
	recordsGone(t, r)
	end()

	other := []string{logtest.Broker(t, "").Addr()} // it has nothing of that
	l := logtest.Log(t, other)
	run(t, relay.Options{Outbox: newOutbox(), Records: r, Log: l})
	access := topic(t, other, l, l.AccessTopic())
	logtest.Eventually(t, "everything to be told again", func() bool {
		last := map[string]string{}
		for _, record := range logtest.All(t, access) {
			last[string(record.Key)] = string(record.Value)
		}
		return maps.Equal(last, map[string]string{"key:a": `{"id":"3"}`, "key:b": `{"id":"2"}`})
	})
}

func TestSomethingOldOfAccessThatCameInLastDoesNotStayTheLast(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, r := logtest.Log(t, brokers), newRecords()
	access := topic(t, brokers, l, l.AccessTopic())
	run(t, relay.Options{Outbox: newOutbox(), Records: r, Log: l, RepeatAccess: 500 * time.Millisecond})
	r.add(relay.Record{Topic: relay.Access, Key: "key:a", Value: []byte("old")}, relay.Record{Topic: relay.Access, Key: "key:a", Value: []byte("new")})
	logtest.Eventually(t, "the new", func() bool { return len(logtest.All(t, access)) >= 2 })
	logtest.Write(t, brokers, &kgo.Record{Topic: l.AccessTopic(), Key: []byte("key:a"), Value: []byte("old")}) // by a process that stood still
	all := len(logtest.All(t, access))
	logtest.Eventually(t, "the new behind it", func() bool {
		now := logtest.All(t, access)
		return len(now) > all && string(now[len(now)-1].Value) == "new"
	})
}

func TestWhatIsSaidAgainDoesNotPileUpWhileKafkaIsAway(t *testing.T) {
	dir := t.TempDir()
	broker := logtest.BrokerIn(t, dir, "")
	brokers := []string{broker.Addr()}
	l, r := logtest.Log(t, brokers), newRecords()
	relaying, _ := run(t, relay.Options{Outbox: newOutbox(), Records: r, Log: l, RepeatAccess: time.Millisecond, Settle: 10 * time.Millisecond, Patience: 50 * time.Millisecond})
	r.add(relay.Record{Topic: relay.Access, Key: "key:a", Value: []byte("a")}, relay.Record{Topic: relay.Access, Key: "key:b", Value: []byte("b")})
	logtest.Eventually(t, "them to be said again", func() bool { return len(logtest.All(t, topic(t, brokers, l, l.AccessTopic()))) > 2 })
	broker.Close()
	logtest.Eventually(t, "that to be noticed", func() bool { return relaying.Ready() != nil && r.left() > 0 })
	r.mu.Lock()
	reads := 0
	r.read = func() error { reads++; return nil }
	before := len(r.rows)
	r.mu.Unlock()
	logtest.Eventually(t, "some more attempts", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return reads > 10
	})
	if after := r.left(); after > before+len(r.access) {
		t.Errorf("%d records wait, and before %d", after, before)
	}
	logtest.BrokerIn(t, dir, broker.Addr())
	logtest.Eventually(t, "readiness", func() bool { return relaying.Ready() == nil })
}

func TestARecordThatIsTooLargeForKafkaIsGivenUpAndTheOthersGo(t *testing.T) {
	brokers := []string{logtest.Broker(t, "").Addr()}
	l, r := logtest.Log(t, brokers), newRecords()
	logtest.Ensure(t, l)
	const most = 10_000 // bytes that the topic takes: less than a batch of what follows, and more than each by itself
	client, limit := logtest.Client(t, brokers), fmt.Sprint(most)
	defer client.Close()
	altered, err := kadm.NewClient(client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, l.AuditTopic())
	for _, a := range altered {
		err = errors.Join(err, a.Err)
	}
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	large := func(n int) relay.Record {
		return relay.Record{Topic: relay.Audit, Key: "lot/large", Value: fmt.Appendf(nil, `{"id":"%s"}`, strings.Repeat("9", n))}
	}
	want := numbered(0, 500, "a", "b", "c")
	r.add(want[:200]...)
	r.add(large(2_000_000)) // more than a producer sends
	r.add(want[200:400]...)
	r.add(large(2 * most)) // more than the topic takes
	r.add(want[400:]...)
	relaying, _ := run(t, relay.Options{Outbox: newOutbox(), Records: r, Log: l, Registerer: registry})
	recordsGone(t, r)
	logtest.Eventually(t, "readiness", func() bool { return relaying.Ready() == nil })
	newestLast(t, logtest.All(t, topic(t, brokers, l, l.AuditTopic())), want)
	const told = `
		# HELP parkwire_relay_too_large_records_total Records that were given up because they are too large for Kafka.
		# TYPE parkwire_relay_too_large_records_total counter
		parkwire_relay_too_large_records_total 2
	`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(told), "parkwire_relay_too_large_records_total"); err != nil {
		t.Error(err)
	}
}
