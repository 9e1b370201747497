package kafkalog_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
)

func TestTheTwinIsReadFromItsBeginningToItsEnd(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		read := func() (state map[string]string, covered event.Offsets) {
			t.Helper()
			state = map[string]string{}
			covered, err := l.Spots(t.Context(), func(r kafkalog.Record) error {
				if r.Value == nil {
					delete(state, string(r.Key))
				} else {
					state[string(r.Key)] = string(r.Value)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return state, covered
		}
		if state, covered := read(); len(state) != 0 || len(covered) != 0 {
			t.Errorf("an empty twin has %v and covers %v", state, covered)
		}
		want := map[string]string{}
		var records []*kgo.Record
		put := func(spot, value string, covered *event.Cursor) {
			r := &kgo.Record{Topic: l.SpotsTopic(), Key: []byte(spot), Value: []byte(value)}
			if want[spot] = value; value == "" {
				r.Value = nil
				delete(want, spot)
			}
			if covered != nil {
				r.Headers = []kgo.RecordHeader{{Key: kafkalog.CoveredHeader, Value: []byte(covered.String())}}
			}
			records = append(records, r)
		}
		for i := range 5000 {
			put(fmt.Sprint("s-", i%700), fmt.Sprintf("%d of many characters %0200d", i, i), nil)
		}
		for i := range 50 {
			put(fmt.Sprint("s-", i), "", nil)
		}
		put("s-60", "A", &event.Cursor{Topic: l.TopicID(), Offsets: event.Offsets{5, 7, -1}})
		put("s-61", "B", &event.Cursor{Topic: l.TopicID(), Offsets: event.Offsets{9, 3, -1}})
		put("s-62", "C", &event.Cursor{Topic: event.TopicID{1}, Offsets: event.Offsets{100, 100, 100}}) // of a log that was there before
		put(kafkalog.Settled, "", &event.Cursor{Topic: l.TopicID(), Offsets: event.Offsets{1, 1, 4}})
		records[len(records)-4].Headers = append(records[len(records)-4].Headers, kgo.RecordHeader{Key: "x", Value: []byte("y")})
		logtest.Write(t, brokers, records...)
		state, covered := read()
		if !maps.Equal(state, want) {
			t.Errorf("%d spots were read, not the %d that there are", len(state), len(want))
		}
		if !slices.Equal(covered, event.Offsets{9, 7, 4}) {
			t.Errorf("it is said to cover %v", covered)
		}
	})
}
