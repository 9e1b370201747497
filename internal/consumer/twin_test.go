package consumer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
)

// listing remembers what it was given, as KEY VALUE or KEY VALUE@OFFSET.
type listing struct {
	*chain
	mu  sync.Mutex
	all []string
}

func (l *listing) Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	if err := l.chain.Apply(ctx, tx, records); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range records {
		text := fmt.Sprintf("%s %s", r.Key, r.Value)
		if r.Offset >= 0 {
			text += fmt.Sprintf("@%d", r.Offset)
		}
		l.all = append(l.all, text)
	}
	return nil
}

func (l *listing) given() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// twin writes six events of one spot and others into the log, and the newest into the twin.
func (w *world) twin() {
	w.t.Helper()
	var records []*kgo.Record
	for i := range 6 {
		records = append(records, &kgo.Record{Topic: w.log.Topic(), Partition: 0, Value: fmt.Appendf(nil, "event %d", i)})
	}
	covered := event.Cursor{Topic: w.log.TopicID(), Offsets: event.Offsets{3, -1, -1}}
	records = append(records,
		&kgo.Record{Topic: w.log.SpotsTopic(), Key: []byte("A"), Value: []byte("old")},
		&kgo.Record{Topic: w.log.SpotsTopic(), Key: []byte("A"), Value: []byte("new"), Headers: []kgo.RecordHeader{{Key: kafkalog.CoveredHeader, Value: []byte(covered.String())}}},
		&kgo.Record{Topic: w.log.SpotsTopic(), Key: []byte("B"), Value: []byte("gone")},
		&kgo.Record{Topic: w.log.SpotsTopic(), Key: []byte("B")},
		&kgo.Record{Topic: w.log.SpotsTopic(), Key: []byte("C"), Value: []byte("bad")})
	logtest.Write(w.t, w.brokers, records...)
}

func TestTheTwinComesFirst(t *testing.T) {
	events := []string{" event 0@0", " event 1@1", " event 2@2", " event 3@3", " event 4@4", " event 5@5"}
	for name, test := range map[string]struct {
		from From
		want []string
	}{
		"with what the log has behind it":  {Twin, append([]string{"A new"}, events[4:]...)},
		"with everything that the log has": {Whole, append([]string{"A new"}, events...)},
		"not, where it is not wanted":      {Beginning, events},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				w.twin()
				faults := func(r kafkalog.Record) error {
					if string(r.Value) == "bad" {
						return fmt.Errorf("it fails")
					}
					return nil
				}
				effect := &listing{chain: &chain{name: testName, faults: faults}}
				from := func(o *Options) { o.From = test.from }
				stop := w.running(w.consumer(effect, from))
				w.eventually("the last event", func() bool { return slices.Contains(effect.given(), events[5]) })
				got := effect.given()
				// What was looked for in transactions that were not committed came more than once.
				got = got[slices.Index(got, test.want[0]):]
				if i := slices.Index(got[1:], test.want[0]); i >= 0 {
					got = got[i+1:]
				}
				w.same("what came", got, test.want)
				if test.from != Beginning {
					aside := w.rejected()
					if len(aside) != 1 || !strings.Contains(aside[0], "@-1: ") || !strings.HasSuffix(aside[0], "it fails") {
						t.Errorf("set aside: %v", aside)
					}
				}
				stop()
				again := &listing{chain: &chain{name: testName}}
				w.running(w.consumer(again, from))
				logtest.Write(t, w.brokers, &kgo.Record{Topic: w.log.Topic(), Partition: 0, Value: []byte("event 6")})
				w.eventually("what came later", func() bool { return len(again.given()) > 0 })
				w.same("what came after a second start", again.given(), []string{" event 6@6"})
			})
		})
	}
}
