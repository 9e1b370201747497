package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// Without Redis altogether: every instance follows Kafka, and a client whose instance is killed goes on with another.
func TestInstancesThatFollowKafkaNeedNoRedis(t *testing.T) {
	servers := stack.RealServers(t)
	s := stack.Assemble(t, servers, stack.Layout{Gateways: 1, Parking: 1, Live: 2,
		Env: func(string) []string { return []string{"PARKWIRE_LIVE_FANOUT=kafka", "PARKWIRE_REDIS_URL="} }})
	s.StartAll(t)
	s.WaitAllReady(t)
	killed, stays := stack.ListenWebSocket(t, s.Live[0].URL, nil), stack.ListenWebSocket(t, s.Live[1].URL, nil)
	s.AddLot(t, "fanout", "fanout-1")
	spot := s.Spot(t, "fanout-1")
	for range 20 {
		spot = s.Toggle(t, spot)
		killed.Spot(t, "fanout-1", spot.Version)
		stays.Spot(t, "fanout-1", spot.Version)
	}
	for _, n := range s.Live { // by following, not by the comparison of heads, which fills whatever is missing a second later
		if n, followed := n.Name, counted(t, n.Metrics(t), `parkwire_live_events_total{source="bus"}`); followed < 10 {
			t.Errorf("%s heard of %v of 21 events by following Kafka", n, followed)
		}
	}

	s.Live[0].Kill(t)
	killed.Ended(t, time.Minute)
	before := killed.Frames()
	for range 5 {
		spot = s.Toggle(t, spot)
	}
	resumed := stack.ListenWebSocket(t, s.Live[1].URL, stack.Query(t, "after", before[len(before)-1].Cursor))
	resumed.Spot(t, "fanout-1", spot.Version)
	s.Live[0].Restart(t)
	back := stack.ListenWebSocket(t, s.Live[0].URL, stack.Query(t, "after", before[len(before)-1].Cursor))
	for range 5 {
		spot = s.Toggle(t, spot)
	}
	for i, c := range []*stack.Listener{resumed, back} {
		c.Spot(t, "fanout-1", spot.Version)
		noHole(t, fmt.Sprintf("client %d of an instance that was killed", i+1), append(before[:len(before):len(before)], c.Frames()...), "fanout-1", 1, spot.Version)
	}
	stays.Spot(t, "fanout-1", spot.Version)
	noHole(t, "the client of the other instance", stays.Frames(), "fanout-1", 1, spot.Version)
}

// counted returns a metric of those that a process gives; 0 where it gives none of that name.
func counted(t *testing.T, metrics, name string) (value float64) {
	t.Helper()
	for line := range strings.Lines(metrics) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			if _, err := fmt.Sscan(text, &value); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
	}
	return value
}
