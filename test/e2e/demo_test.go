package e2e

import (
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// The demo is a city that lives: lots and thousands of spots at once, changes all the time, counts that add up.
func TestTheDemoIsACityThatLives(t *testing.T) {
	t.Parallel()
	s := stack.Demo(t, "--seed", "7")
	client := s.WebSocket(t)
	var page struct {
		Items []struct {
			ID     string
			Counts stack.Counts
		}
	}
	eventually(t, time.Minute, "a city of several lots and thousands of spots", func() bool {
		s.Do(t, 200, "GET", "/api/v1/lots?limit=1000", nil, &page)
		total := 0
		for _, lot := range page.Items {
			total += lot.Counts.Total
		}
		return len(page.Items) > 2 && total >= 2000
	})
	for _, lot := range page.Items {
		if !lot.Counts.AddUp() {
			t.Errorf("the counts of lot %s do not add up: %+v", lot.ID, lot.Counts)
		}
	}
	moved := map[string]bool{}
	client.Until(t, "20 arrivals and departures", func(frames []stack.Frame) bool {
		for _, f := range frames {
			if f.Change == "occupied" || f.Change == "released" {
				moved[f.EventID] = true
			}
		}
		return len(moved) >= 20
	})
	next := map[string]int64{}
	for _, f := range client.Frames() {
		if want, seen := next[f.SpotID]; seen && f.Version != want {
			t.Errorf("%s: version %d came where %d was to come", f.SpotID, f.Version, want)
		}
		next[f.SpotID] = f.Version + 1
	}
}
