package live

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/kafkalog/logtest"
)

// Kafka is away for a while: sockets stay, those who ask for the state or come back with a cursor get what the instance has, and
// when Kafka is back everything comes in order.
func TestClientsStayWhileKafkaIsAway(t *testing.T) {
	dir := t.TempDir()
	broker := logtest.BrokerIn(t, dir, "")
	brokers := []string{broker.Addr()}
	log := logtest.Open(t, logtest.Options(t, brokers))
	logtest.Ensure(t, log)
	s := startOn(t, newFakeLog(1), memoryBus(), func(o *Options) { o.Log, o.CompareInterval = log, time.Second })
	version := 0
	write := func(n int) {
		t.Helper()
		var records []*kgo.Record
		for range n {
			version++
			records = append(records, &kgo.Record{Topic: log.Topic(), Key: []byte("s-001"), Value: fmt.Appendf(nil, `{"spotId":"s-001","version":%d}`, version)})
		}
		logtest.Write(t, brokers, records...)
	}
	plain, stream := s.webSocket(), s.sse("")
	write(10)
	cursor := plain.count(10)[4].Cursor
	if snapshot, err := s.service.snapshot(t.Context()); err != nil || len(snapshot.spots) != 1 || snapshot.spots[0].event.Version != 10 {
		t.Fatalf("the state is %v, %v", snapshot, err)
	}
	for range 2 {
		broker.Close()
		s.eventually("that Kafka is away", func() bool { return s.service.staleSeconds() > 0 })
		time.Sleep(2 * time.Second)
		resumed := s.webSocket("after", cursor)
		gapless(t, resumed.name, resumed.count(version-5), map[string]int64{"s-001": 5})
		if snapshot, err := s.service.snapshot(t.Context()); err != nil || snapshot.spots[0].event.Version != int64(version) {
			t.Errorf("while Kafka is away the state is %v, %v", snapshot, err)
		}
		broker = logtest.BrokerIn(t, dir, brokers[0])
		back := time.Now()
		write(5)
		frames := plain.count(version)
		t.Logf("the first event after its return came %v after that", time.Since(back).Round(time.Millisecond))
		gapless(t, plain.name, frames, nil)
		gapless(t, stream.name, stream.count(version), nil)
		gapless(t, resumed.name, resumed.count(version-5), map[string]int64{"s-001": 5})
		s.eventually("that Kafka is back", func() bool { return s.service.staleSeconds() == 0 })
	}
}
