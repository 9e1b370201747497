package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"parkwire/internal/kafkalog"
	"parkwire/test/e2e/stack"
)

// Kafka, Redis and the database come after the platform: it waits, says for what, is not ready, and then works.
func TestServersThatAppearAfterTheStart(t *testing.T) {
	servers := stack.RealServers(t)
	layout := stack.Layout{Gateways: 1, Parking: 1, Live: 1,
		Kafka: stack.ProxyTo(t, servers.Kafka), Redis: stack.ProxyTo(t, servers.Redis), Database: stack.ProxyTo(t, servers.Database)}
	s := stack.Assemble(t, servers, layout)
	s.StartAll(t)
	mentionsOne(t, s.Parking[0].WaitNotReady(t), "kafka", "event log", "database", "postgres")
	mentionsOne(t, s.Live[0].WaitNotReady(t), "kafka", "event log", "redis", "bus")
	s.Gateways[0].WaitNotReady(t)

	layout.Database.Open(t)
	time.Sleep(200 * time.Millisecond)
	mentionsOne(t, s.Parking[0].WaitNotReady(t), "kafka", "event log")
	layout.Kafka.Open(t)
	s.Parking[0].WaitReady(t)
	s.WaitAllReady(t) // without Redis: the log does instead

	client := s.WebSocket(t)
	s.AddLot(t, "late", "late-1")
	client.Spot(t, "late-1", 1)
	layout.Redis.Open(t)
	client.Spot(t, s.Toggle(t, s.Spot(t, "late-1")).SpotID, 2)
}

// Without Redis clients notice nothing: the instance follows the log itself, and goes back when Redis returns.
func TestRedisLostWhileRunning(t *testing.T) {
	servers := stack.RealServers(t)
	layout := stack.Layout{Gateways: 1, Parking: 1, Live: 2, Redis: stack.ProxyTo(t, servers.Redis)}
	layout.Redis.Open(t)
	s := stack.Assemble(t, servers, layout)
	s.StartAll(t)
	s.WaitAllReady(t)
	clients := []*stack.Listener{stack.ListenWebSocket(t, s.Live[0].URL, nil), stack.ListenWebSocket(t, s.Live[1].URL, nil)}
	s.AddLot(t, "redis", "redis-1")
	spot := s.Spot(t, "redis-1")
	for round := range 2 {
		for range 5 {
			spot = s.Toggle(t, spot)
		}
		layout.Redis.Cut()
		for range 5 {
			spot = s.Toggle(t, spot)
			time.Sleep(20 * time.Millisecond)
		}
		began := time.Now()
		for _, c := range clients {
			c.Spot(t, "redis-1", spot.Version)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("round %d: without Redis the events came after %v", round, took)
		}
		layout.Redis.Open(t)
		for range 5 {
			spot = s.Toggle(t, spot)
		}
		for _, c := range clients {
			c.Spot(t, "redis-1", spot.Version)
		}
	}
	s.WaitAllReady(t)
	for i, c := range clients {
		noHole(t, fmt.Sprintf("client of instance %d", i+1), c.Frames(), "redis-1", 1, spot.Version)
	}
}

// Without the database a write is refused with 503 or kept, and never half done: state and events agree afterwards.
func TestTheDatabaseLostWhileRunning(t *testing.T) {
	servers := stack.RealServers(t)
	layout := stack.Layout{Gateways: 1, Parking: 2, Live: 1, Database: stack.ProxyTo(t, servers.Database)}
	layout.Database.Open(t)
	s := stack.Assemble(t, servers, layout, "--rate-limit", "0")
	s.StartAll(t)
	s.WaitAllReady(t)
	client := s.WebSocket(t)
	s.AddLot(t, "database", ids("d", 4)...)
	client.Count(t, 4)
	stop, writes := make(chan struct{}), make(chan int)
	go func() { // writes all the time
		n := 0
		defer func() { writes <- n }()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			answer, err := s.Try("POST", fmt.Sprintf("/api/v1/spots/d-%02d/%s", i%4+1, []string{"occupy", "release"}[i/4%2]), nil)
			if err != nil {
				t.Errorf("a write without the database was not answered: %v", err)
				return
			}
			switch {
			case answer.Status == 200:
				n++
			case answer.Status != 503 || answer.Header.Get("Content-Type") != "application/problem+json":
				t.Errorf("a write without the database was answered with %d: %s; 503 and a problem was promised", answer.Status, answer.Body)
				return
			}
		}
	}()
	for range 3 {
		time.Sleep(300 * time.Millisecond)
		layout.Database.Cut()
		time.Sleep(500 * time.Millisecond)
		layout.Database.Open(t)
	}
	time.Sleep(time.Second)
	close(stop)
	t.Logf("%d writes were answered with 200", <-writes)
	s.WaitAllReady(t)
	for _, id := range ids("d", 4) {
		var spot stack.Spot
		eventually(t, time.Minute, "a write after the database's return", func() bool {
			answer, err := s.Try("GET", "/api/v1/spots/"+id, nil)
			return err == nil && answer.Status == 200 && json.Unmarshal(answer.Body, &spot) == nil
		})
		spot = s.Toggle(t, spot)
		noHole(t, "the client", client.Spot(t, id, spot.Version), id, 1, spot.Version)
	}
	if c := s.Counts(t, "database"); c.Total != 4 {
		t.Errorf("the counts are %+v; 4 spots were added", c)
	}
}

// Kafka is away for a while, before the start and while running: writes go on, clients stay, and everything comes
// in order when it is back. A broker on disk stands in for Kafka, which is taken away and brought back at will.
func TestKafkaLostWhileRunning(t *testing.T) {
	t.Parallel()
	address, dir := stack.Address(stack.Port(t)), t.TempDir()
	ctx := context.Background()
	start := func() *kafkalog.Broker {
		broker, err := kafkalog.StartBroker(ctx, kafkalog.BrokerOptions{Dir: dir, Listen: address, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
		if err != nil {
			t.Fatalf("starting a broker: %v", err)
		}
		return broker
	}
	s := stack.Assemble(t, stack.Servers{Kafka: address}, stack.Layout{Gateways: 1, Parking: 1, Live: 1})
	s.StartAll(t)
	mentionsOne(t, s.Parking[0].WaitNotReady(t), "kafka", "event log")
	mentionsOne(t, s.Live[0].WaitNotReady(t), "kafka", "event log")
	broker := start()
	t.Cleanup(func() { broker.Close() })
	s.WaitAllReady(t)

	client := s.WebSocket(t)
	s.AddLot(t, "kafka", "kafka-1")
	spot := s.Act(t, "kafka-1", "occupy")
	client.Spot(t, "kafka-1", spot.Version)
	for range 2 {
		broker.Close()
		for range 10 {
			spot = s.Toggle(t, spot) // answered, though the event waits
		}
		eventually(t, time.Minute, "readiness to say that Kafka is away", func() bool {
			_, reason := s.Parking[0].Readiness()
			return strings.Contains(strings.ToLower(reason), "kafka") || strings.Contains(reason, "event log")
		})
		broker = start()
		client.Spot(t, "kafka-1", spot.Version)
	}
	s.WaitAllReady(t)
	noHole(t, "the client", client.Frames(), "kafka-1", 1, spot.Version)
}

// noHole checks that of the spot came each version from first to last, once and in order.
func noHole(t *testing.T, who string, frames []stack.Frame, spotID string, first, last int64) {
	t.Helper()
	next := first
	for _, f := range frames {
		if f.SpotID != spotID {
			continue
		}
		if f.Version != next {
			t.Errorf("%s got version %d of %s where %d was to come", who, f.Version, spotID, next)
			return
		}
		next++
	}
	if next != last+1 {
		t.Errorf("%s got %s up to version %d; it is at %d", who, spotID, next-1, last)
	}
}
