package parking

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parkwire/internal/event"
)

// Whatever happens to a spot in whatever order, its versions have no hole, each event tells the change from the status
// before it, readings that say nothing new raise none, and those that are older change nothing.
func TestAnySequenceKeepsThePromises(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runSequence(t, rand.New(rand.NewPCG(seed, 1)), 400) })
	}
}

func runSequence(t *testing.T, random *rand.Rand, steps int) {
	now := noon
	spot := Spot{ID: "p", LotID: "lot", Category: Standard}
	spot.begin([]event.Status{event.Free, event.Occupied, event.Unknown, event.Closed, event.OutOfService}[random.IntN(5)], time.Time{})
	newest := spot.add(Spot{}, now)
	for step := range steps {
		now = now.Add(time.Duration(random.IntN(90)-20) * time.Second) // the clock is set back now and then
		before := spot
		name, events := act(t, random, &spot, now)
		for _, e := range events {
			switch {
			case e.Version != newest.Version+1:
				t.Fatalf("step %d, %s: version %d follows version %d", step, name, e.Version, newest.Version)
			case e.Change == event.ChangeAdded && (newest.Status != event.Removed || e.PreviousStatus != ""):
				t.Fatalf("step %d, %s: added again after %s, from %q", step, name, newest.Status, e.PreviousStatus)
			case e.Change != event.ChangeAdded && e.PreviousStatus != newest.Status:
				t.Fatalf("step %d, %s: the event goes on from %s; the one before ended in %s", step, name, e.PreviousStatus, newest.Status)
			case e.Timestamp.Before(newest.Timestamp.Time):
				t.Fatalf("step %d, %s: the event is of %v, after one of %v", step, name, e.Timestamp, newest.Timestamp)
			}
			newest = e
		}
		if spot.Version != newest.Version || spot.Status() != newest.Status || !spot.ChangedAt.Equal(newest.Timestamp.Time) {
			t.Fatalf("step %d, %s: the newest event %+v is not what the spot is: %+v", step, name, newest, spot)
		}
		if spot.LastObservedAt.Before(before.LastObservedAt) && !before.Removed {
			t.Fatalf("step %d, %s: the last observation went from %v to %v", step, name, before.LastObservedAt, spot.LastObservedAt)
		}
		if spot.SignalLost && spot.Occupancy != NotKnown {
			t.Fatalf("step %d, %s: the signal is lost, but the spot is %s", step, name, spot.Occupancy)
		}
	}
}

// act does one thing at random and checks what can be checked of it alone.
func act(t *testing.T, random *rand.Rand, spot *Spot, now time.Time) (name string, events []*event.Event) {
	if spot.Removed {
		again := Spot{ID: "p", LotID: "lot", Category: Standard}
		again.begin(event.Free, now)
		e := again.add(*spot, now)
		*spot = again
		return "add", []*event.Event{e}
	}
	operator := []string{"occupy", "release", "close", "reopen", "fault", "repair"}
	before := *spot
	var e *event.Event
	var err error
	switch choice := random.IntN(100); {
	case choice < 50:
		name = "reading"
		o := Observation{
			SpotID: "p", Occupied: random.IntN(2) == 0, Sequence: int64(random.IntN(3)),
			ObservedAt: now.Add(time.Duration(random.IntN(20)-16) * 10 * time.Second),
		}
		if random.IntN(4) == 0 {
			o.ObservedAt = spot.LastObservedAt
		}
		var outcome outcome
		outcome, e = spot.observe(o, now)
		checkReading(t, o, outcome, e, before, *spot)
		again := *spot
		if repeated, second := again.observe(o, now); outcome != inFuture && (second != nil || again != *spot || repeated == accepted) {
			t.Fatalf("the reading %+v, sent again, is %v, raised %+v and made %+v of %+v", o, repeated, second, again, *spot)
		}
	case choice < 80:
		name = operator[random.IntN(len(operator))]
		e, err = actions[name](spot, now)
		again := *spot
		if second, _ := actions[name](&again, now); second != nil || again != *spot {
			t.Fatalf("to %s again raised %+v and made %+v of %+v", name, second, again, *spot)
		}
	case choice < 88:
		name = "reserve"
		e, err = spot.reserve(fmt.Sprint("R-", random.IntN(2)), now.Add(time.Duration(random.IntN(100))*time.Second), now)
	case choice < 91:
		name = "end the reservation"
		e = spot.endReservation(SourceOperator, now)
	case choice < 97:
		return "time passes", spot.elapse(time.Duration(random.IntN(3))*time.Minute, now)
	case choice < 99:
		name = "edit"
		to := *spot
		to.Name = fmt.Sprint(random.IntN(2))
		e = spot.edit(to, now)
	default:
		name = "remove"
		e = spot.remove(now)
	}
	if err != nil && (*spot != before || e != nil) {
		t.Fatalf("to %s was refused (%v), but %+v became %+v", name, err, before, *spot)
	}
	if e != nil {
		events = append(events, e)
	}
	return name, events
}

func checkReading(t *testing.T, o Observation, outcome outcome, e *event.Event, before, after Spot) {
	switch outcome {
	case late, inFuture:
		if after != before {
			t.Fatalf("the reading %+v is %v, but %+v became %+v", o, outcome, before, after)
		}
	case unchanged:
		if e != nil || after.Occupancy != before.Occupancy {
			t.Fatalf("the reading %+v changes nothing, but raised %+v", o, e)
		}
	case accepted:
		if published := !before.Closed && !before.Faulted; published != (e != nil) {
			t.Fatalf("the reading %+v of %+v raised %+v", o, before, e)
		}
	}
	if o.ObservedAt.Before(before.LastObservedAt) && outcome == accepted {
		t.Fatalf("the reading %+v is older than the last of %+v and was accepted", o, before)
	}
}
