package e2e

import (
	"errors"
	"io"
	"log/slog"
	"regexp"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/kafkalog"
	"parkwire/test/e2e/stack"
)

// newBroker starts a Kafka server in the process of the test.
func newBroker(t *testing.T) *kafkalog.Broker {
	t.Helper()
	broker, err := kafkalog.StartBroker(t.Context(), kafkalog.BrokerOptions{Dir: t.TempDir(), Listen: stack.Address(stack.Port(t)),
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatalf("starting a broker: %v", err)
	}
	t.Cleanup(func() { broker.Close() })
	return broker
}

// A gateway that ends sends the clients of the notifications that pass through it away in order, and they miss nothing.
func TestAGatewayThatEndsSendsItsClientsAway(t *testing.T) {
	t.Parallel()
	s := stack.Assemble(t, stack.Servers{Kafka: newBroker(t).Addr()}, stack.Layout{Gateways: 1, Parking: 1, Live: 1})
	s.StartAll(t)
	s.WaitAllReady(t)
	gateway := s.Gateways[0]
	clients := make([]*stack.Listener, 20)
	for i := range clients {
		clients[i] = stack.ListenWebSocket(t, gateway.URL, nil)
	}
	s.AddLot(t, "gate", "gate-1", "gate-2")
	for _, c := range clients {
		c.Count(t, 2)
	}
	gateway.Stop(t)
	for i, c := range clients {
		var closed websocket.CloseError
		err := c.Ended(t, 30*time.Second)
		if !errors.As(err, &closed) || closed.Code != websocket.StatusServiceRestart || !regexp.MustCompile(` retry-after-ms=\d+$`).MatchString(closed.Reason) {
			t.Errorf("client %d was ended by %v; 1012 and a hint were promised", i, err)
		}
	}
	gateway.Restart(t)
	frames := clients[0].Frames()
	resumed := stack.ListenWebSocket(t, gateway.URL, map[string][]string{"after": {frames[len(frames)-1].Cursor}})
	spot := s.Act(t, "gate-1", "occupy")
	if f := resumed.Count(t, 1)[0]; f.SpotID != "gate-1" || f.Version != spot.Version {
		t.Errorf("after the restart came %v; the only change was gate-1/%d", f, spot.Version)
	}
}
