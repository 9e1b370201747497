package e2e

import (
	"context"
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/test/e2e/stack"
)

// changeRecord is what other programs read of a change.
type changeRecord struct {
	ID, Subject, Client, Method, Route, RequestID, Outcome string
	Resource                                               struct{ Type, ID, LotID string }
	Before, After                                          map[string]any
}

// Whoever wants to know who changed what finds each change that was answered in the topic, also where the process that
// made it was killed a moment later: at least once, in order for each resource.
func TestWhoChangedWhatIsInItsTopic(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		parkings := s.Parking
		if s.One != nil {
			parkings = []*stack.Node{s.One}
		}
		s.AddLot(t, "audited", "a-01")
		want := []string{"added", "changed", "changed"}
		s.Act(t, "a-01", "close")
		s.Act(t, "a-01", "reopen")
		for range 3 {
			for _, n := range parkings {
				s.Act(t, "a-01", "close")
				n.Kill(t)
				n.Restart(t)
				s.Act(t, "a-01", "reopen")
				want = append(want, "changed", "changed")
			}
		}
		s.Do(t, 204, "DELETE", "/api/v1/spots/a-01", nil, nil)
		want = append(want, "removed")

		kafka := kafkaClient(t, s, kgo.ConsumeTopics(s.AuditTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		seen := map[string]bool{}
		var got []changeRecord
		for len(got) < len(want) {
			kafka.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				var c changeRecord
				if err := json.Unmarshal(r.Value, &c); err != nil {
					t.Fatalf("%s: %v", r.Value, err)
				}
				if string(r.Key) == "spot/a-01" && !seen[c.ID] {
					seen[c.ID] = true
					got = append(got, c)
				}
			})
			if ctx.Err() != nil {
				t.Fatalf("%d of %d changes are told after a minute", len(got), len(want))
			}
		}
		version := 0.0
		for i, c := range got {
			address, err := netip.ParseAddr(c.Client)
			if c.Outcome != want[i] || c.Subject == "" || c.RequestID == "" || c.Route == "" || err != nil || !address.IsLoopback() {
				t.Errorf("change %d is told as %+v; %s was to be", i, c, want[i])
			}
			if c.Before != nil && c.Before["version"] != version {
				t.Errorf("change %d is from version %v, behind %v", i, c.Before["version"], version)
			}
			if c.After != nil {
				version = c.After["version"].(float64)
			}
		}
	})
}
