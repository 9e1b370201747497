package city

import (
	"math"
	"reflect"
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
		_, actions := life(seed, 2)
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
		plan, actions := life(seed, 2)
		var perHour [24]float64 // a second, for 1,000 spots
		for _, a := range actions {
			if a.At >= day {
				perHour[int(a.At%day/time.Hour)] += 1. / 3600 / float64(len(plan.Spots)) * 1000
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

// restless is a city in which everything happens that can.
func restless(seed uint64) *World {
	return NewWorld(NewPlan(seed), Conditions{Seed: seed, Speed: DefaultSpeed, Start: 10 * time.Hour, Rhythm: rhythm})
}

func TestTheSameSeedMakesTheSameCity(t *testing.T) {
	if !reflect.DeepEqual(NewPlan(7), NewPlan(7)) {
		t.Error("seed 7 was built in two ways")
	}
	if reflect.DeepEqual(NewPlan(7), NewPlan(8)) {
		t.Error("seeds 7 and 8 make the same city")
	}
	at := restless(7)
	whole := at.Advance(20 * time.Minute)
	if len(whole) < 1000 {
		t.Fatalf("only %d things happened in 20 minutes", len(whole))
	}
	// However often it is asked.
	again := restless(7)
	var steps []Action
	for now := time.Duration(0); now < 20*time.Minute; now += 250 * time.Millisecond {
		steps = append(steps, again.Advance(now)...)
	}
	if steps = append(steps, again.Advance(20*time.Minute)...); !slices.Equal(steps, whole) {
		t.Error("asked in small steps, another thing happens")
	}
	if slices.Equal(restless(8).Advance(20*time.Minute), whole) {
		t.Error("seeds 7 and 8 live the same life")
	}
}

func TestThePlanIsACityThatAPlatformTakes(t *testing.T) {
	for _, seed := range []uint64{0, 1, 7, 1 << 63} {
		p := NewPlan(seed)
		if len(p.Lots) < 8 || len(p.Spots) < 2700 || len(p.Spots) > 3300 {
			t.Errorf("seed %d: %d lots, %d spots; 8 and about 3,000 were promised", seed, len(p.Lots), len(p.Spots))
		}
		ids, zones, places, kinds := map[string]bool{}, map[string]int{}, map[[2]float64]int{}, map[string]int{}
		for i, lot := range p.Lots {
			for _, z := range lot.Zones {
				if zones[z.ID] != 0 || z.ID == "" || z.Name == "" {
					t.Errorf("zone %+v is not one of its own", z)
				}
				zones[z.ID] = i + 1
			}
			for _, s := range p.Spots[lot.First:lot.End] {
				if s.Lot != i || zones[s.ZoneID] != i+1 || ids[s.SpotID] {
					t.Errorf("spot %+v is not one of lot %d of its own", s, i)
				}
				ids[s.SpotID] = true
				kinds[s.Category]++
				places[[2]float64{s.Location.Lat, s.Location.Lon}]++
				if math.Abs(s.Location.Lat-centre.Lat) > 0.03 || math.Abs(s.Location.Lon-centre.Lon) > 0.05 {
					t.Errorf("spot %s stands out of town: %v", s.SpotID, *s.Location)
				}
			}
		}
		for place, n := range places {
			if n > 4 {
				t.Errorf("%d spots stand at %v; only the levels of a garage lie above each other", n, place)
			}
		}
		for _, kind := range []string{"standard", "accessible", "electric", "family", "motorcycle", "short_stay"} {
			if kinds[kind] == 0 {
				t.Errorf("no spot is %s", kind)
			}
		}
	}
}

func TestSomeSensorsAreSilentAndTheOthersRepeatThemselves(t *testing.T) {
	w := restless(3)
	actions := w.Advance(10 * time.Minute)
	heard := make([]time.Duration, len(w.spots))
	silences := 0
	for _, a := range actions {
		if a.Kind != Reading {
			continue
		}
		if heard[a.Spot] > 0 && a.At-heard[a.Spot] > heartbeat {
			silences++
		}
		heard[a.Spot] = a.At
	}
	never := 0
	for _, at := range heard {
		if at < 10*time.Minute-heartbeat {
			never++
		}
	}
	if share := float64(never) / float64(len(heard)); share < 0.012 || share > 0.028 {
		t.Errorf("%.1f %% of the sensors are silent; it should be about 2", share*100)
	}
	if silences > 5 {
		t.Errorf("%d living sensors were silent for longer than the heartbeat", silences)
	}
}

func TestANetworkThatReturnsBringsAStormOfKnownReadings(t *testing.T) {
	w := NewWorld(NewPlan(5), Conditions{Seed: 5, Speed: DefaultSpeed, Start: 12 * time.Hour, Rhythm: Rhythm{Outage: 4 * time.Minute}})
	before := make([]bool, len(w.spots)) // as the platform knows it
	for i := range before {
		before[i] = w.Occupied(i)
	}
	known, changed := map[int]int{}, map[int]int{} // by lot
	for _, a := range w.Advance(30 * time.Minute) {
		lot := w.plan.Spots[a.Spot].Lot
		if before[a.Spot] == a.Occupied {
			known[lot]++
		} else {
			changed[lot]++
		}
		before[a.Spot] = a.Occupied
	}
	if len(known) == 0 {
		t.Fatal("no network returned in half an hour")
	}
	for lot, n := range known {
		if spots := w.plan.Lots[lot].End - w.plan.Lots[lot].First; float64(n) < 0.8*float64(spots) {
			t.Errorf("lot %d repeated %d of %d readings", lot, n, spots)
		}
	}
}

func TestOperatorsGiveBackWhatTheyTook(t *testing.T) {
	w := NewWorld(NewPlan(4), Conditions{Seed: 4, Speed: 1, Start: 12 * time.Hour, Rhythm: Rhythm{Operator: 20 * time.Second}})
	open := map[int]Kind{}
	done := map[Kind]int{}
	ends := map[Kind]Kind{Reopen: Close, Repair: Fault, EndReservation: Reserve}
	for _, a := range w.Advance(2 * time.Hour) {
		if a.Kind == Reading {
			continue
		}
		done[a.Kind]++
		began, isEnd := ends[a.Kind]
		switch was, held := open[a.Spot]; {
		case !isEnd && held:
			t.Errorf("spot %d is withheld twice", a.Spot)
		case !isEnd:
			open[a.Spot] = a.Kind
		case was != began || !held:
			t.Errorf("spot %d: %v ends what did not begin", a.Spot, a.Kind)
		default:
			delete(open, a.Spot)
		}
	}
	for _, kind := range []Kind{Close, Reopen, Fault, Repair, Reserve, EndReservation} {
		if done[kind] < 10 {
			t.Errorf("kind %v happened %d times in two hours", kind, done[kind])
		}
	}
	if len(open) > 60 {
		t.Errorf("%d spots are withheld at once", len(open))
	}
}

func TestAWorldGoesOnFromTheStateThatItFinds(t *testing.T) {
	w := restless(6)
	for i := range w.spots {
		w.Adopt(i, false, i == 10, i == 11, i == 12)
	}
	ended := map[int]Kind{}
	for _, a := range w.Advance(6 * time.Minute) {
		switch a.Kind {
		case Reopen, Repair, EndReservation:
			if _, already := ended[a.Spot]; !already {
				ended[a.Spot] = a.Kind
			}
		}
	}
	if ended[10] != Reopen || ended[11] != Repair || ended[12] != EndReservation {
		t.Errorf("what was withheld before was given back as %v", ended)
	}
}
