package live

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// Each client is visited at the tick at which it is due, or where that is past at the next one, once; however far the hand
// moves at a time, and whoever is set anew or removed.
func TestTheWheelVisitsEachWhenItIsDue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWheel(time.Hour)
		var clients []*client
		due := map[*client]uint32{}
		turnTo := func(tick uint32) {
			w.turn(w.began.Add(time.Duration(tick)*w.tick), func(c *client) {
				if want, ok := due[c]; !ok || want != w.now {
					t.Fatalf("at tick %d comes one that is due at %d", w.now, want)
				}
				delete(due, c)
				w.remove(c)
			})
			for _, d := range due {
				if d <= tick {
					t.Fatalf("one that was due at %d did not come until %d", d, tick)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"somebody comes": func(t *rapid.T) { clients = append(clients, &client{}) },
			"somebody is set": func(t *rapid.T) {
				if len(clients) > 0 {
					c, at := rapid.SampledFrom(clients).Draw(t, "client"), rapid.Uint32Range(0, w.now+3*wheelSlots).Draw(t, "tick")
					w.set(c, at)
					due[c] = max(at, w.now+1)
				}
			},
			"somebody is removed": func(t *rapid.T) {
				if len(clients) > 0 {
					c := rapid.SampledFrom(clients).Draw(t, "client")
					w.remove(c)
					delete(due, c)
				}
			},
			"time passes": func(t *rapid.T) { turnTo(w.now + rapid.Uint32Range(0, 2*wheelSlots).Draw(t, "ticks")) },
		})
		turnTo(w.now + 4*wheelSlots)
		for i, slot := range w.slots {
			if slot != nil || len(due) > 0 {
				t.Fatalf("slot %d holds one still, %d did not come", i, len(due))
			}
		}
	})
}

// What the wheel is told in times comes no earlier, and at most a tick later.
func TestTheWheelIsNeverEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, interval := range []time.Duration{time.Millisecond, time.Second, 30 * time.Second, time.Hour} {
			w := newWheel(interval)
			for _, after := range []time.Duration{0, 1, interval, interval + 1, 3 * interval} {
				at := w.began.Add(time.Duration(w.at(w.began.Add(after))) * w.tick)
				if late := at.Sub(w.began.Add(after)); late < 0 || late > w.tick {
					t.Errorf("of %v, %v come %v late", interval, after, late)
				}
			}
			if w.tick > maxTick || w.at(w.began.Add(-time.Hour)) != 1 || int32(w.at(w.began.Add(1<<62))) < 0 {
				t.Errorf("of %v: a tick is %v, the past %d, the far future %d", interval, w.tick, w.at(w.began.Add(-time.Hour)), w.at(w.began.Add(1<<62)))
			}
		}
	})
}
