package live

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog/logtest"
)

// counter is somebody who comes back, and counts what comes.
type counter struct {
	got  int
	have event.Offsets
}

func (c *counter) event(*entry, event.Offsets) error { c.got++; return nil }
func (c *counter) flush(context.Context) error       { return nil }
func (c *counter) arrived(have event.Offsets)        { c.have = slices.Clone(have) }

// requests returns how often Kafka was asked for records, and where the log begins or ends.
func requests(t *testing.T, from *prometheus.Registry) (fetch, list float64) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "parkwire_log_requests_total" {
				switch m.GetLabel()[0].GetValue() {
				case "Fetch":
					fetch += m.GetCounter().GetValue()
				case "ListOffsets":
					list += m.GetCounter().GetValue()
				}
			}
		}
	}
	return fetch, list
}

// Their instance was killed, and all come to one that has little in memory, each with a cursor of its own.
func TestTenThousandClientsComeBackWithFewerThanAHundredReads(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		const clients, events = 10_000, 12_000
		o, registry := logtest.Options(t, brokers), prometheus.NewRegistry()
		writer := logtest.Open(t, o)
		logtest.Ensure(t, writer)
		var records []*kgo.Record
		for i := range events {
			id := fmt.Sprintf("s-%d", i%100)
			records = append(records, &kgo.Record{Topic: o.Topic, Key: []byte(id), Value: fmt.Appendf(nil, `{"spotId":%q,"version":%d,"note":"%0300d"}`, id, i/100+1, i)})
		}
		logtest.Write(t, brokers, records...)
		places := make([]event.Offsets, events) // of somebody who has all up to that event
		for i, r := range records {
			var before event.Offsets
			if i > 0 {
				before = slices.Clone(places[i-1])
			}
			places[i] = before.Advance(r.Partition, r.Offset)
		}
		o.Registerer = registry
		log := logtest.Open(t, o)
		s := startOn(t, newFakeLog(1), memoryBus(), func(options *Options) { options.Log, options.CompareInterval = log, time.Minute })
		s.knowsTheState()
		fetchBefore, listBefore := requests(t, registry)
		var all sync.WaitGroup
		var wrong, failed atomic.Int64
		for n := range clients {
			all.Go(func() {
				at := n * (events - 1) / clients
				cursor := event.Cursor{Topic: log.TopicID(), Offsets: places[at]}.String()
				have, err := s.service.parseAfter(t.Context(), cursor)
				var c counter
				if err == nil {
					err = s.service.catchUp(t.Context(), have, nil, &c)
				}
				if err != nil {
					failed.Add(1)
				} else if c.got != events-1-at {
					wrong.Add(1)
				}
			})
		}
		all.Wait()
		if failed.Load() > 0 || wrong.Load() > 0 {
			t.Errorf("%d clients failed, and %d got more or less than they lacked", failed.Load(), wrong.Load())
		}
		fetch, list := requests(t, registry)
		asked := s.service.metrics.logReads
		t.Logf("%d clients: %v Fetch, %v ListOffsets", clients, fetch-fetchBefore, list-listBefore)
		reads := 0.0
		for _, what := range []string{"records", "tails", "ends", "heads"} {
			reads += testutil.ToFloat64(asked.WithLabelValues(what))
		}
		if reads >= clients/100 || fetch-fetchBefore+list-listBefore >= clients/100 {
			t.Errorf("%v reads, %v requests", reads, fetch-fetchBefore+list-listBefore)
		}
	})
}
