package e2e

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// A client that names lots, zones, spots, statuses or changes gets what matches one value of each, and
// nothing else; over WebSocket and as server-sent events.
func TestFiltersSendWhatMatchesAndNothingElse(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		filters := map[string]struct {
			query url.Values
			match func(stack.Frame) bool
		}{
			"lot":                   {url.Values{"lot": {"north"}}, func(f stack.Frame) bool { return f.LotID == "north" }},
			"zone":                  {url.Values{"zone": {"north-l1"}}, func(f stack.Frame) bool { return f.ZoneID == "north-l1" }},
			"spot":                  {url.Values{"spot": {"n-02"}}, func(f stack.Frame) bool { return f.SpotID == "n-02" }},
			"two spots":             {url.Values{"spot": {"n-02", "s-01"}}, func(f stack.Frame) bool { return f.SpotID == "n-02" || f.SpotID == "s-01" }},
			"status":                {url.Values{"status": {"free"}}, func(f stack.Frame) bool { return f.Status == "free" }},
			"change":                {url.Values{"change": {"released"}}, func(f stack.Frame) bool { return f.Change == "released" }},
			"change closed":         {url.Values{"change": {"closed", "reopened"}}, func(f stack.Frame) bool { return f.Change == "closed" || f.Change == "reopened" }},
			"lot and status":        {url.Values{"lot": {"south"}, "status": {"occupied"}}, func(f stack.Frame) bool { return f.LotID == "south" && f.Status == "occupied" }},
			"a lot that is not":     {url.Values{"lot": {"west"}}, func(stack.Frame) bool { return false }},
			"everything by default": {nil, func(stack.Frame) bool { return true }},
		}
		listeners := map[string][]*stack.Listener{}
		for name, f := range filters {
			listeners[name] = []*stack.Listener{stack.ListenWebSocket(t, s.URL, f.query), stack.ListenSSE(t, s.URL, f.query, "")}
		}
		all := s.WebSocket(t)

		s.AddLot(t, "north")
		s.AddLot(t, "south", "s-01", "s-02")
		s.Do(t, 201, "POST", "/api/v1/lots/north/zones", map[string]string{"id": "north-l1", "name": "Level 1"}, nil)
		s.Do(t, 201, "POST", "/api/v1/lots/north/spots", []map[string]string{
			{"spotId": "n-01", "zoneId": "north-l1"}, {"spotId": "n-02", "zoneId": "north-l1"}, {"spotId": "n-03"},
		}, nil)
		for _, spot := range []string{"n-01", "n-02", "n-03", "s-01", "s-02"} {
			s.Act(t, spot, "occupy")
			s.Act(t, spot, "release")
		}
		s.Act(t, "n-02", "close")
		s.Act(t, "n-02", "reopen")
		s.Act(t, "s-01", "fault")
		s.Act(t, "s-01", "repair")
		history := all.Count(t, 5+10+4)
		for name, f := range filters {
			want := slices.DeleteFunc(slices.Clone(history), func(e stack.Frame) bool { return !f.match(e) })
			for _, l := range listeners[name] {
				l.Count(t, len(want))
			}
		}
		time.Sleep(200 * time.Millisecond) // for what should not come
		for name, f := range filters {
			want := slices.DeleteFunc(slices.Clone(history), func(e stack.Frame) bool { return !f.match(e) })
			sameEvents(t, "filter by "+name+" (WebSocket)", listeners[name][0].Frames(), want)
			sameEvents(t, "filter by "+name+" (SSE)", listeners[name][1].Frames(), want)
		}
		p := s.Refused(t, 400, "GET", "/api/v1/events?colour=red", nil)
		if p.Field != "colour" {
			t.Errorf("an unknown filter is refused without its name: %+v", p)
		}
	})
}
