package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parkwire/test/e2e/stack"
)

// The library of clients/typescript, in Node, while the instances that it is connected to are killed one after the other.
func TestTheTypeScriptClientMissesNothingAndRepeatsNothing(t *testing.T) {
	forEach(t, func(t *testing.T, s *stack.Stack) {
		if _, err := os.Stat(filepath.Join(stack.Root(), "clients", "typescript", "dist", "index.js")); err != nil {
			absent(t, "clients/typescript is not built: npm ci && npm run build there")
		}
		spots := map[string][]string{"ts-1": {"ts-1-a", "ts-1-b"}, "ts-2": {"ts-2-a"}}
		s.AddLot(t, "ts-1", spots["ts-1"]...)
		s.AddLot(t, "ts-2", spots["ts-2"]...)
		client := start(t, "parkwire-client.js", strings.Join(s.Instances(), ","))
		client.ready(t)

		var all, lot, freed []string
		expect := func(spot string, version int, change string) {
			line := fmt.Sprintf("%s %d %s", spot, version, change)
			all = append(all, "all "+line)
			if strings.HasPrefix(spot, "ts-1-") {
				lot = append(lot, "lot "+line)
			}
			if change == "released" {
				freed = append(freed, "freed "+line)
			}
		}
		version := 1
		change := func() { // every spot twice
			for i, action := range []string{"occupy", "release"} {
				for _, spot := range slices.Concat(spots["ts-1"], spots["ts-2"]) {
					s.Act(t, spot, action)
					expect(spot, version+1+i, []string{"occupied", "released"}[i])
				}
			}
			version += 2
		}
		change()
		nodes := s.Live
		if s.One != nil {
			nodes = []*stack.Node{s.One}
		}
		for _, node := range nodes {
			node.Kill(t)
			if s.One == nil { // what nobody sees at the killed instance
				change()
			}
			node.Restart(t)
			change()
		}

		want := map[string][]string{"all": all, "lot": lot, "freed": freed}
		client.until(t, "every subscription has got what it is owed", func() bool {
			for name := range want {
				if len(given(client, name)) < len(want[name]) {
					return false
				}
			}
			return true
		})
		client.Stop(t) // closed, the library leaves nothing that keeps the process alive
		for name := range want {
			// Among different spots no order is promised.
			bySpot := func(a, b string) int { return strings.Compare(strings.Fields(a)[1], strings.Fields(b)[1]) }
			got := given(client, name)
			slices.SortStableFunc(got, bySpot)
			slices.SortStableFunc(want[name], bySpot)
			if !slices.Equal(got, want[name]) {
				t.Errorf("the subscription %q was given\n  %s\ninstead of\n  %s", name, strings.Join(got, "\n  "), strings.Join(want[name], "\n  "))
			}
		}
	})
}

// given is what a subscription was given, but for the spots' beginning, which comes in the snapshot or after it, or before a subscription.
func given(client *program, name string) []string {
	var got []string
	for _, l := range client.lines() {
		if strings.HasPrefix(l.Message, name+" ") && !strings.HasSuffix(l.Message, " 1 added") {
			got = append(got, l.Message)
		}
	}
	return got
}
