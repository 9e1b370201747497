package e2e

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/test/e2e/stack"
)

// Two notification instances behind NGINX, each client in one of the ways that deploy/nginx offers. Whatever happens to an
// instance, its clients come back through NGINX and lack nothing.
func TestBothWaysThroughNGINXLoseNothing(t *testing.T) {
	t.Parallel()
	all := stack.Embedded(t)
	s := stack.Assemble(t, stack.Servers{Kafka: all.Kafka}, stack.Layout{Gateways: 1, Parking: 1, Live: 2,
		Env: func(string) []string { return []string{"PARKWIRE_LIVE_FANOUT=kafka", "PARKWIRE_REDIS_URL="} }})
	edge := stack.NGINXFor(t, stack.NGINXL4, s.Upstreams())
	ways := []struct {
		name string
		open func(after string) *stack.Listener
	}{
		{"WebSocket over HTTP", func(after string) *stack.Listener {
			return stack.ListenWebSocket(t, edge.URL, since(t, after))
		}},
		{"WebSocket over the stream", func(after string) *stack.Listener {
			return stack.ListenWebSocket(t, edge.L4, since(t, after))
		}},
		{"SSE over HTTP", func(after string) *stack.Listener { return stack.ListenSSE(t, edge.URL, nil, after) }},
		{"SSE over the stream", func(after string) *stack.Listener { return stack.ListenSSE(t, edge.L4, nil, after) }},
	}

	// The second instance is not there yet: NGINX passes it over.
	for _, n := range s.Nodes() {
		if n != s.Live[1] {
			n.Restart(t)
		}
	}
	edge.Restart(t)
	clients := make([]*stack.Listener, len(ways))
	frames := make([][]stack.Frame, len(ways))
	for i, way := range ways {
		clients[i] = way.open("")
	}
	s.AddLot(t, "edge", "edge-1")
	spot := s.Spot(t, "edge-1")
	happens := func(what string, end func()) {
		t.Helper()
		for range 5 {
			spot = s.Toggle(t, spot)
		}
		for i := range ways {
			clients[i].Spot(t, "edge-1", spot.Version)
		}
		end()
		for i, way := range ways {
			err := clients[i].Ended(t, time.Minute)
			if code := websocket.CloseStatus(err); what == "is restarted" && i < 2 && code != websocket.StatusServiceRestart {
				t.Errorf("%s: an instance %s and the client is closed with %v; 1012 was promised", way.name, what, err)
			}
			frames[i] = append(frames[i], clients[i].Frames()...)
		}
		spot = s.Toggle(t, spot)
		for i, way := range ways {
			clients[i] = way.open(frames[i][len(frames[i])-1].Cursor)
			clients[i].Spot(t, "edge-1", spot.Version)
			noHole(t, fmt.Sprintf("%s, an instance %s", way.name, what), append(frames[i][:len(frames[i]):len(frames[i])], clients[i].Frames()...), "edge-1", 1, spot.Version)
		}
	}
	happens("is killed", func() { s.Live[1].Restart(t); s.Live[0].Kill(t) })
	happens("is restarted", func() { s.Live[0].Restart(t); s.Live[1].Stop(t) })
}

// since is the query of a client with a cursor, or without.
func since(t *testing.T, cursor string) url.Values {
	if cursor == "" {
		return nil
	}
	return stack.Query(t, "after", cursor)
}
