package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// mostStays is how many a page has at most, with some to spare: they are looked at in one.
const mostStays = 4500

// A service is rebuilt while it runs, and while spots change: in the end it knows each stay once. In one process the command shares that one's broker and file.
func TestAServiceIsRebuiltWhileItRuns(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		var spots []string
		for i := range 5 {
			spots = append(spots, fmt.Sprintf("rebuilt-%d", i))
		}
		s.AddLot(t, "rebuilt", spots...)
		stays := 0
		comeAndGo := func() {
			for _, spot := range spots {
				s.Act(t, spot, "occupy")
				s.Act(t, spot, "release")
				stays++
			}
		}
		known := func() (ids []string) {
			var page struct {
				Items []struct{ SpotID, Begin, End string }
			}
			answer, err := s.Try("GET", "/api/v1/lots/rebuilt/stays?limit=5000", nil)
			if err != nil || answer.Status == 503 || answer.Status == 404 { // nothing is known yet, or not of the lot
				return nil
			}
			if err := json.Unmarshal(answer.Body, &page); err != nil || answer.Status != 200 {
				t.Fatalf("stays are answered with %d %s, %v", answer.Status, answer.Body, err)
			}
			for _, stay := range page.Items {
				if stay.End != "" {
					ids = append(ids, stay.SpotID+" "+stay.Begin+" "+stay.End)
				}
			}
			slices.Sort(ids)
			return ids
		}
		all := func() bool { return len(known()) == stays }
		comeAndGo()
		eventually(t, time.Minute, "all stays", all)
		before := known()
		began := time.Now()
		if out := s.Command(t, 2*time.Minute, "rebuild", "history"); !strings.Contains(out, "history is rebuilt") {
			t.Errorf("it said %s", out)
		}
		t.Logf("a rebuild took %v", time.Since(began).Round(time.Millisecond))
		eventually(t, time.Minute, "all stays after a rebuild", all)
		if after := known(); !slices.Equal(after, before) {
			t.Errorf("after a rebuild the stays are %v, and were %v", after, before)
		}
		second := s.CommandBegins(t, "rebuild", "history")
		deadline := time.After(2 * time.Minute)
		for rebuilding := true; rebuilding; {
			pause := 10 * time.Millisecond
			if stays < mostStays {
				comeAndGo()
			} else {
				pause = time.Second
			}
			select {
			case <-second.Exited():
				rebuilding = false
			case <-deadline:
				t.Fatalf("a rebuild has not ended; it says %s", second.Output())
			case <-time.After(pause):
			}
		}
		if code, out := second.Wait(t, time.Second), second.Output(); code != 0 || !strings.Contains(out, "history is rebuilt") {
			t.Errorf("a rebuild meanwhile ended with exit code %d: %s", code, out)
		}
		t.Logf("a rebuild took %d stays", stays-len(before))
		comeAndGo()
		began = time.Now()
		eventually(t, time.Minute, "all stays after a rebuild meanwhile", all)
		t.Logf("and the service %v to go on", time.Since(began).Round(time.Millisecond))
		if code, out := s.CommandEnds(t, time.Minute, "rebuild", "audit"); code != 1 || !strings.Contains(out, "append only") {
			t.Errorf("the audit chain was rebuilt: exit code %d, %s", code, out)
		}
	})
}
