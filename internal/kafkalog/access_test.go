package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
)

func TestTheTopicOfAccessIsReadWholeAndThenFollowed(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		for round, there := range []int{0, 701} { // one from the round before
			var records []*kgo.Record
			for i := range there - round {
				records = append(records, &kgo.Record{Topic: l.AccessTopic(), Key: fmt.Appendf(nil, "key:%d", i%50), Value: fmt.Append(nil, i)})
			}
			logtest.Write(t, brokers, records...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			read, whole, ended := make(chan kafkalog.Record, 1000), make(chan int, 1), make(chan error)
			go func() {
				ended <- l.Access(ctx, func(r kafkalog.Record) { read <- r }, func() { whole <- len(read) })
			}()
			if n := <-whole; n != there {
				t.Errorf("%d records of %d were passed when it was said that these are all", n, there)
			}
			for range there {
				<-read
			}
			logtest.Write(t, brokers, &kgo.Record{Topic: l.AccessTopic(), Key: []byte("key:1"), Value: nil})
			if r := <-read; string(r.Key) != "key:1" || r.Value != nil {
				t.Errorf("then came %+v", r)
			}
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
	})
}
