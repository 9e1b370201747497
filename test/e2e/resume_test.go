package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"parkwire/test/e2e/stack"
)

// A client that comes back with a cursor gets exactly what came later: on whichever instance, and
// whether the instance still has it in memory or must read the log.
func TestACursorResumesOnEveryInstance(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		first := stack.ListenWebSocket(t, s.Instances()[0], nil)
		spots := ids("r", 20)
		s.AddLot(t, "resume", spots...)
		for i := range 60 {
			s.Toggle(t, s.Spot(t, spots[i*7%len(spots)]))
		}
		history := first.Count(t, len(spots)+60)
		check := func(t *testing.T) {
			for _, instance := range s.Instances() {
				for _, at := range []int{0, 1, 25, len(history) - 2, len(history) - 1} {
					cursor := history[at].Cursor
					later := history[at+1:]
					resumed := stack.ListenWebSocket(t, instance, url.Values{"after": {cursor}})
					sameEvents(t, fmt.Sprintf("WebSocket on %s behind event %d", instance, at), resumed.Count(t, len(later)), later)
					stream := stack.ListenSSE(t, instance, nil, cursor)
					sameEvents(t, fmt.Sprintf("SSE on %s behind event %d", instance, at), stream.Count(t, len(later)), later)
					sameEvents(t, fmt.Sprintf("GET /api/v1/events behind event %d", at), readEvents(t, s.API, cursor), later)
					filtered := stack.ListenWebSocket(t, instance, url.Values{"after": {cursor}, "spot": {"r-03"}})
					only := slices.DeleteFunc(slices.Clone(later), func(f stack.Frame) bool { return f.SpotID != "r-03" })
					sameEvents(t, fmt.Sprintf("only r-03 on %s behind event %d", instance, at), filtered.Count(t, len(only)), only)
					// What comes next comes once, and nothing comes before it.
					next := s.Toggle(t, s.Spot(t, "r-03"))
					for name, l := range map[string]*stack.Listener{"WebSocket": resumed, "SSE": stream, "only r-03": filtered} {
						before := len(later)
						if name == "only r-03" {
							before = len(only)
						}
						frames := l.Spot(t, next.SpotID, next.Version)
						if len(frames) != before+1 {
							t.Errorf("%s on %s behind event %d: %d events before the next one, not %d", name, instance, at, len(frames)-1, before)
						}
						l.Close()
					}
					history = first.Spot(t, next.SpotID, next.Version)
				}
			}
		}
		t.Run("from memory", check)
		t.Run("a cursor that is none is refused", func(t *testing.T) {
			s.Refused(t, 400, "GET", "/api/v1/events?after=nonsense", nil)
		})
		t.Run("from the log", func(t *testing.T) {
			first.Close()
			restartInstances(t, s)
			first = stack.ListenWebSocket(t, s.Instances()[0], url.Values{"after": {history[0].Cursor}})
			again := first.Count(t, len(history)-1)
			sameEvents(t, "what was kept by the log", again, history[1:])
			first.Close()
			restartInstances(t, s) // the resumption brought nothing back into memory that the next ones could use
			first = stack.ListenWebSocket(t, s.Instances()[0], url.Values{"after": {history[0].Cursor}})
			history = append([]stack.Frame{history[0]}, first.Count(t, len(history)-1)...)
			check(t)
		})
	})
}

// restartInstances ends every live instance without warning and starts it again: its memory is empty.
func restartInstances(t *testing.T, s *stack.Stack) {
	t.Helper()
	nodes := s.Live
	if s.One != nil {
		nodes = []*stack.Node{s.One}
	}
	for _, n := range nodes {
		n.Kill(t)
		n.Restart(t)
	}
}

// readEvents reads everything behind a cursor, in small pages.
func readEvents(t *testing.T, api stack.API, cursor string) []stack.Frame {
	t.Helper()
	var all []stack.Frame
	for {
		var page struct {
			Events []stack.Frame
			Cursor string
		}
		api.Do(t, 200, "GET", "/api/v1/events?limit=50&after="+cursor, nil, &page)
		if len(page.Events) == 0 {
			return all
		}
		all, cursor = append(all, page.Events...), page.Cursor
	}
}

// sameEvents checks that got has the events of want, each once, and in the same order per spot. The order
// among spots of different partitions is nobody's promise.
func sameEvents(t *testing.T, what string, got, want []stack.Frame) {
	t.Helper()
	g, w := perSpot(got), perSpot(want)
	for spot := range w {
		if g[spot] != w[spot] {
			t.Errorf("%s: of %s came %q, not %q", what, spot, g[spot], w[spot])
		}
	}
	for spot := range g {
		if _, expected := w[spot]; !expected {
			t.Errorf("%s: of %s came %q, of which nothing was to come", what, spot, g[spot])
		}
	}
}

func perSpot(frames []stack.Frame) map[string]string {
	versions := map[string]string{}
	for _, f := range frames {
		versions[f.SpotID] += fmt.Sprintf("%d:%s:%s ", f.Version, f.Change, f.EventID)
	}
	return versions
}

// ids returns n ids: prefix-01, prefix-02 …
func ids(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%02d", strings.ToLower(prefix), i+1)
	}
	return all
}
