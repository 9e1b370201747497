package city

import (
	"slices"
	"testing"
	"time"
)

// life lets a city live at its own pace, with sensors that report changes alone, and returns what changed.
func life(seed uint64, days int) (*Plan, []Action) {
	plan := NewPlan(seed)
	return plan, NewWorld(plan, Conditions{Seed: seed, Speed: 1}).Advance(time.Duration(days) * day)
}

func TestStaysLastAsLongAsInARealCarPark(t *testing.T) {
	for _, seed := range []uint64{1, 7, 42} {
		_, actions := life(seed, 4)
		since := map[int]time.Duration{}
		var stays []time.Duration
		var total time.Duration
		for _, a := range actions {
			if a.Occupied {
				since[a.Spot] = a.At
			} else if came, seen := since[a.Spot]; seen && came >= day && came/day == a.At/day {
				stays = append(stays, a.At-came)
				total += a.At - came
			}
		}
		slices.Sort(stays)
		median, mean := stays[len(stays)/2].Minutes(), total.Minutes()/float64(len(stays))
		t.Logf("seed %d: %d stays, median %.0f, mean %.0f minutes", seed, len(stays), median, mean)
		if median < 120 || median > 140 || mean < 153 || mean > 177 {
			t.Errorf("seed %d: stays that end on the same day last %.0f minutes in the median and %.0f in the mean; it should be about 130 and 165", seed, median, mean)
		}
	}
}

func TestChangesAreAsFrequentAsInRealCities(t *testing.T) {
	for _, seed := range []uint64{1, 7, 42} {
		plan, actions := life(seed, 3)
		var perHour [24]float64 // a second, for 1,000 spots
		for _, a := range actions {
			if a.At >= day {
				perHour[int(a.At%day/time.Hour)] += 1 / 2. / 3600 / float64(len(plan.Spots)) * 1000
			}
		}
		t.Logf("seed %d: %.3f", seed, perHour)
		for hour := 11; hour < 15; hour++ {
			if perHour[hour] < 0.07 || perHour[hour] > 0.30 {
				t.Errorf("seed %d: %.3f changes a second for 1,000 spots between %d and %d h; 0.07 to 0.30 were measured", seed, perHour[hour], hour, hour+1)
			}
		}
		// What the demo promises: something is to be seen each second.
		for hour, rate := range perHour {
			if visible := rate * float64(len(plan.Spots)) / 1000 * DefaultSpeed; visible < 1 {
				t.Errorf("seed %d: between %d and %d h the demo shows %.2f changes a second; it should be 1 at least", seed, hour, hour+1, visible)
			}
		}
	}
}
