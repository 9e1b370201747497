package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parkwire/internal/alerts/decide"
	"parkwire/internal/event"
)

var monday = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is an engine, and what it said.
type world struct {
	t      *testing.T
	engine *decide.Engine
	now    time.Time
	epoch  int64
	said   []decide.Decision
}

func newWorld(t *testing.T) *world {
	berlin := zone(t, "Europe/Berlin")
	return &world{t: t, now: monday, engine: decide.New(func(lot string) *time.Location {
		if lot == "berlin" {
			return berlin
		}
		return time.UTC
	})}
}

func (w *world) take() {
	w.said = append(w.said, w.engine.Take().Decisions...)
}

// spot says of a spot "lot/zone/id" what it is now.
func (w *world) spot(path string, status event.Status) {
	parts := strings.Split(path, "/")
	s := decide.Spot{LotID: parts[0], ZoneID: parts[1], ID: parts[2], Category: "standard", Status: status, Since: w.now}
	if strings.HasPrefix(s.ID, "e") {
		s.Category = "electric"
	}
	w.engine.Advance(w.now)
	w.engine.Apply(decide.Change{Spot: s, Occurred: w.now}, decide.Moment{Now: w.now})
	w.take()
}

// pass lets time go by, and the engine look whenever it wants to.
func (w *world) pass(d time.Duration) {
	for end := w.now.Add(d); ; {
		next := w.engine.Next()
		if next.IsZero() || next.After(end) {
			w.now = end
			return
		}
		if next.After(w.now) {
			w.now = next
		}
		w.engine.Advance(w.now)
		w.take()
	}
}

func (w *world) rule(change func(*decide.Rule)) {
	w.epoch++
	r := decide.Rule{ID: "r", Subject: "ada", Epoch: w.epoch, Definition: decide.Definition{Name: "n", Enabled: true, Initially: decide.Say, Target: decide.Target{LotID: "x"}}}
	change(&r)
	w.engine.Put(r, decide.Moment{Now: w.now})
	w.take()
}

// says checks what was said since the last time: the spot, or the number of free ones, of each decision.
func (w *world) says(want ...string) {
	w.t.Helper()
	var got []string
	for _, d := range w.said {
		if d.Rule.Condition.Kind.Single() {
			got = append(got, d.SpotID)
		} else {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s", d.Counts.Free, d.SpotID)))
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("at %s: said %q, want %q", w.now.Format(time.RFC3339), got, want)
	}
	w.said = nil
}

func TestAnyFreeSpeaksOnceForEachTimeThatThereWasNone(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) { r.Condition = decide.Condition{Kind: decide.AnyFree} })
	w.spot("x/1/a", event.Occupied)
	w.spot("x/1/b", event.Occupied)
	w.says()
	w.spot("x/1/a", event.Free)
	w.says("1 a")
	w.spot("x/1/b", event.Free)
	w.spot("x/1/a", event.Occupied)
	w.says()
	w.spot("x/1/b", event.Unknown) // of which nobody knows whether it is free
	w.says()
	w.spot("x/1/b", event.Free)
	w.says("1 b")
	w.spot("y/1/c", event.Free)
	w.says()
}

func TestFreeAtLeastIsArmedAgainByTheMargin(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"a", "b", "c", "d"} {
		w.spot("x/1/"+id, event.Occupied)
	}
	w.rule(func(r *decide.Rule) {
		r.Condition = decide.Condition{Kind: decide.FreeAtLeast, Count: 3, Margin: 2}
	})
	w.spot("x/1/a", event.Free)
	w.spot("x/1/b", event.Free)
	w.says()
	w.spot("x/1/c", event.Free)
	w.says("3 c")
	w.spot("x/1/c", event.Occupied) // two are not few enough
	w.spot("x/1/c", event.Free)
	w.says()
	w.spot("x/1/c", event.Reserved)
	w.spot("x/1/b", event.Closed) // one is
	w.spot("x/1/b", event.Free)
	w.says()
	w.spot("x/1/d", event.Free)
	w.says("3 d")
}

func TestOccupancyIsOfSpotsOfWhichItIsKnown(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) {
		r.Condition = decide.Condition{Kind: decide.OccupancyAbove, Percent: 50, Margin: 10}
	})
	w.spot("x/1/a", event.Unknown)
	w.spot("x/1/b", event.Closed)
	w.spot("x/1/c", event.OutOfService)
	w.says() // of none nothing is known
	w.spot("x/1/d", event.Reserved)
	w.spot("x/1/e", event.Occupied)
	w.says() // just 50
	w.spot("x/1/f", event.Occupied)
	w.says("0 f")
	w.spot("x/1/g", event.Free) // 50: not far enough below
	w.spot("x/1/d", event.Occupied)
	w.says()
	w.spot("x/1/d", event.Free)
	w.spot("x/1/e", event.Free) // 25
	w.says()
	w.spot("x/1/e", event.Occupied)
	w.spot("x/1/d", event.Occupied)
	w.says("1 d")
}

func TestOverstayIsOfOneStay(t *testing.T) {
	w := newWorld(t)
	w.spot("x/1/a", event.Occupied)
	w.rule(func(r *decide.Rule) { r.Condition = decide.Condition{Kind: decide.Overstay, Minutes: 60} })
	w.pass(30 * time.Minute)
	w.spot("x/1/b", event.Occupied)
	w.pass(29*time.Minute + 59*time.Second)
	w.says()
	w.pass(time.Second)
	w.says("a")
	w.pass(24 * time.Hour)
	w.says("b")
	w.spot("x/1/a", event.Free)
	w.spot("x/1/a", event.Occupied)
	w.pass(59 * time.Minute)
	w.spot("x/1/a", event.Unknown) // nobody knows whether it is the same car
	w.spot("x/1/a", event.Occupied)
	w.pass(59 * time.Minute)
	w.says()
	w.pass(time.Minute)
	w.says("a")
	w.spot("x/1/c", event.Occupied)
	w.pass(30 * time.Minute)
	w.spot("x/2/c", event.Occupied) // edited: it is still that stay
	w.pass(30 * time.Minute)
	w.says("c")
	w.spot("x/1/c", event.Removed)
	w.spot("x/1/c", event.Occupied)
	w.pass(60 * time.Minute)
	w.says("c")
}

func TestSilenceIsToldOfEachSpot(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) { r.Condition = decide.Condition{Kind: decide.Silent} })
	w.spot("x/1/a", event.Unknown)
	w.says("a")
	w.spot("x/1/b", event.Unknown)
	w.says("b")
	w.spot("x/1/a", event.Free)
	w.spot("x/1/a", event.Unknown)
	w.says("a")
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		what   string
		target decide.Target
		reach  []string
		want   []string
	}{
		{"a spot", decide.Target{SpotID: "a"}, nil, []string{"1 a"}},
		{"a spot of a lot outside", decide.Target{SpotID: "a"}, []string{"y"}, nil},
		{"a lot", decide.Target{LotID: "x"}, nil, []string{"1 a"}},
		{"a zone", decide.Target{LotID: "x", ZoneID: "2"}, nil, []string{"1 b"}},
		{"a category in a lot", decide.Target{LotID: "x", Category: "electric"}, nil, []string{"1 e"}},
		{"a category in a zone", decide.Target{LotID: "x", ZoneID: "2", Category: "electric"}, nil, nil},
		{"a category everywhere", decide.Target{Category: "electric"}, nil, []string{"1 e"}},
		{"a category in what may be seen", decide.Target{Category: "electric"}, []string{"y"}, []string{"1 ee"}},
		{"a category where nothing may be seen", decide.Target{Category: "electric"}, []string{}, nil},
		{"a category in several lots", decide.Target{Category: "standard"}, []string{"w", "y"}, []string{"1 c"}},
	} {
		for _, first := range []bool{true, false} { // the rule, or the spots
			w := newWorld(t)
			rule := func() {
				w.rule(func(r *decide.Rule) {
					r.Target, r.Reach, r.Condition = c.target, c.reach, decide.Condition{Kind: decide.AnyFree}
				})
			}
			if first {
				rule()
			}
			spots := []string{"x/1/a", "x/2/b", "x/1/e", "y/1/c", "y/1/ee"}
			for _, path := range spots {
				w.spot(path, event.Occupied)
			}
			if !first {
				rule()
			}
			for _, path := range spots {
				w.spot(path, event.Free)
			}
			t.Run(fmt.Sprintf("%s/%v", c.what, first), func(t *testing.T) { w.t = t; w.says(c.want...) })
		}
	}
}

func TestWhatARuleSaysThatIsMadeWhileItsConditionHolds(t *testing.T) {
	for _, c := range []struct {
		initially decide.Initially
		want      []string
	}{{decide.Say, []string{"1"}}, {decide.Wait, nil}} {
		w := newWorld(t)
		w.spot("x/1/a", event.Free)
		w.rule(func(r *decide.Rule) {
			r.Condition, r.Initially = decide.Condition{Kind: decide.AnyFree}, c.initially
		})
		w.says(c.want...)
		w.spot("x/1/a", event.Occupied)
		w.spot("x/1/a", event.Free)
		w.says("1 a")
	}
	for _, c := range []struct {
		initially decide.Initially
		want      []string
	}{{decide.Say, []string{"a"}}, {decide.Wait, nil}} {
		w := newWorld(t)
		w.spot("x/1/a", event.Occupied)
		w.pass(40 * time.Minute)
		w.spot("x/1/b", event.Occupied)
		w.rule(func(r *decide.Rule) {
			r.Condition, r.Initially = decide.Condition{Kind: decide.Overstay, Minutes: 30}, c.initially
		})
		w.says(c.want...)
		w.pass(30 * time.Minute)
		w.says("b") // it was not so yet
	}
}

func TestOnceIsOnceUntilTheRuleBeginsAnew(t *testing.T) {
	w := newWorld(t)
	once := func(r *decide.Rule) { r.Condition, r.Once = decide.Condition{Kind: decide.AnyFree}, true }
	w.rule(once)
	for range 3 {
		w.spot("x/1/a", event.Occupied)
		w.spot("x/1/a", event.Free)
	}
	w.says("1 a")
	w.rule(once)
	w.says("1")
	w.spot("x/1/b", event.Occupied)
	w.spot("x/1/c", event.Occupied)
	w.rule(func(r *decide.Rule) {
		r.Condition, r.Once = decide.Condition{Kind: decide.Overstay, Minutes: 1}, true
	})
	w.pass(time.Hour)
	w.says("b") // not c
}

func TestNothingIsSaidByADisabledOrExpiredRule(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) {
		r.Condition, r.Enabled = decide.Condition{Kind: decide.AnyFree}, false
	})
	w.spot("x/1/a", event.Free)
	w.says()
	w.rule(func(r *decide.Rule) {
		r.Condition, r.ExpiresAt = decide.Condition{Kind: decide.Overstay, Minutes: 60}, event.At(w.now.Add(time.Hour))
	})
	w.spot("x/1/a", event.Occupied)
	w.pass(2 * time.Hour)
	w.says()
}

func TestACooldownIsWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) {
		r.Condition, r.Cooldown = decide.Condition{Kind: decide.AnyFree}, 600
	})
	w.spot("x/1/a", event.Free)
	w.says("1 a")
	w.spot("x/1/a", event.Occupied)
	w.spot("x/1/a", event.Free)
	w.pass(9*time.Minute + 59*time.Second)
	w.says()
	w.pass(time.Second)
	w.says("1") // it still holds
	w.spot("x/1/a", event.Occupied)
	w.spot("x/1/a", event.Free)
	w.spot("x/1/a", event.Occupied)
	w.pass(time.Hour)
	w.says() // it does not any more
	w.rule(func(r *decide.Rule) {
		r.Condition, r.Cooldown = decide.Condition{Kind: decide.Overstay, Minutes: 1}, 600
	})
	w.spot("x/1/b", event.Occupied)
	w.pass(11 * time.Minute)
	w.says("a", "b") // one after the other
}

func TestHoursAreWaitedForInTheZoneOfTheLot(t *testing.T) {
	w := newWorld(t) // Monday noon, UTC
	in := func(lot, zone string) func(r *decide.Rule) {
		return func(r *decide.Rule) {
			r.Target, r.TimeZone, r.Condition = decide.Target{LotID: lot}, zone, decide.Condition{Kind: decide.AnyFree}
			r.Hours = []decide.Window{{Days: decide.AllDays, From: 8 * 60, To: 9 * 60}}
		}
	}
	w.spot("berlin/1/a", event.Free)
	w.spot("utc/1/b", event.Free)
	w.rule(in("berlin", ""))
	w.says()
	w.pass(19*time.Hour - time.Second)
	w.says()
	w.pass(time.Second) // 07:00 UTC is 08:00 there
	w.says("1")
	w.rule(in("utc", ""))
	w.says()
	w.pass(time.Hour)
	w.says("1")
	w.rule(in("utc", "Asia/Tokyo"))
	w.pass(15*time.Hour - time.Second)
	w.says()
	w.pass(time.Second)
	w.says("1")
}

func TestWhatIsArmedOutsideOfTheHoursSpeaksWithinThem(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) {
		r.Condition = decide.Condition{Kind: decide.AnyFree}
		r.Hours = []decide.Window{{Days: decide.AllDays, From: 11 * 60, To: 13 * 60}}
	})
	w.spot("x/1/a", event.Free)
	w.says("1 a")
	w.pass(24 * time.Hour)
	w.says() // it was so all the time
	w.pass(6 * time.Hour)
	w.spot("x/1/a", event.Occupied)
	w.spot("x/1/a", event.Free)
	w.says()
	w.pass(17 * time.Hour)
	w.says("1")
}

func TestQuietHoursHoldOrDrop(t *testing.T) {
	for _, c := range []struct {
		then decide.Then
		want []string
	}{{decide.Hold, []string{"1"}}, {decide.Drop, nil}} {
		w := newWorld(t)
		quiet := func(r *decide.Rule) {
			r.Condition, r.QuietHoursThen = decide.Condition{Kind: decide.AnyFree}, c.then
			r.QuietHours = []decide.Window{{Days: decide.AllDays, From: 22 * 60, To: 7 * 60}}
		}
		w.spot("x/1/a", event.Occupied)
		w.rule(quiet)
		w.pass(11 * time.Hour) // 23:00
		w.spot("x/1/a", event.Free)
		w.says()
		w.pass(8 * time.Hour)
		w.says(c.want...)
		w.spot("x/1/a", event.Occupied)
		w.spot("x/1/a", event.Free)
		w.says("1 a") // it is armed again either way
		w.pass(16 * time.Hour)
		w.spot("x/1/a", event.Occupied)
		w.spot("x/1/a", event.Free)
		w.spot("x/1/a", event.Occupied)
		w.pass(10 * time.Hour)
		w.says() // what does not hold any more is not said
		w.rule(func(r *decide.Rule) { quiet(r); r.Condition = decide.Condition{Kind: decide.Overstay, Minutes: 60} })
		w.says("a")
		w.pass(13 * time.Hour)
		w.spot("x/1/b", event.Occupied)
		w.pass(23 * time.Hour)
		if c.then == decide.Hold {
			w.says("b")
		} else {
			w.says()
		}
	}
}

func TestOldEventsArmAndDisarmAndAreNotToldOf(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) { r.Condition = decide.Condition{Kind: decide.AnyFree} })
	late := func(status event.Status) {
		w.engine.Apply(decide.Change{Spot: decide.Spot{ID: "a", LotID: "x", Status: status, Since: w.now.Add(-time.Hour)}, Occurred: w.now.Add(-time.Hour)}, decide.Moment{Now: w.now, Late: true})
	}
	late(event.Free)
	late(event.Occupied)
	w.pass(time.Second)
	w.says() // it was so for some time, long ago
	late(event.Free)
	w.take()
	w.says()
	w.pass(time.Second)
	w.says("1") // it is so
}

func TestANewNameOrChannelChangesNothingOfTheRest(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) { r.Condition = decide.Condition{Kind: decide.AnyFree} })
	w.spot("x/1/a", event.Free)
	w.says("1 a")
	w.epoch--
	w.rule(func(r *decide.Rule) {
		r.Condition, r.Name, r.Channels = decide.Condition{Kind: decide.AnyFree}, "other", []string{"c"}
	})
	w.says()
	w.spot("x/1/a", event.Occupied)
	w.spot("x/1/a", event.Free)
	if len(w.said) != 1 || w.said[0].Rule.Name != "other" || len(w.said[0].Rule.Channels) != 1 || w.said[0].N != 2 {
		t.Errorf("said %+v", w.said)
	}
}

func TestOlderVersionsAreOldNews(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) { r.Condition = decide.Condition{Kind: decide.AnyFree} })
	say := func(version int64, status event.Status) {
		w.engine.Apply(decide.Change{Spot: decide.Spot{ID: "a", LotID: "x", Status: status, Since: w.now, Version: version}}, decide.Moment{Now: w.now})
		w.take()
	}
	say(5, event.Occupied)
	say(4, event.Free)
	say(5, event.Free)
	w.says()
	say(0, event.Free) // another program's
	w.says("1 a")
	say(6, event.Occupied)
	if s, _ := w.engine.Spot("a"); s.Version != 6 || s.Status != event.Occupied {
		t.Errorf("it is %+v", s)
	}
	say(7, event.Removed)
	say(4, event.Free) // which is read again
	say(7, event.Free)
	w.says()
	if _, there := w.engine.Spot("a"); there {
		t.Error("a spot that was removed is there again by an event that is older")
	}
	say(8, event.Free)
	w.says("1 a")
}

// Whoever decides ends, the rule is written anew before the next one begins, and that one ends before the rule speaks again.
func TestWhatARuleHadSaidBeforeItBeganAnewIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.spot("x/1/a", event.Occupied)
	since := w.now
	rule := decide.Rule{ID: "r", Epoch: 2, Definition: decide.Definition{Enabled: true, Initially: decide.Say, Target: decide.Target{LotID: "x"}}}
	rule.Condition = decide.Condition{Kind: decide.Overstay, Minutes: 120}
	w.pass(time.Hour)
	w.engine.Begin(rule, []decide.Mark{{RuleID: "r", SpotID: "a", Since: since}, {RuleID: "r", SpotID: "gone", Since: since}}, decide.Moment{Now: w.now})
	c := w.engine.Take()
	if len(c.Unsaid) != 2 || len(c.Said) != 0 || len(c.States) != 1 || c.States[0].Epoch != 2 || len(c.Decisions) != 0 {
		t.Errorf("it begins with %+v", c)
	}
	w.pass(time.Hour)
	w.says("a")
}

// What was kept of the car before is no reason to be silent of the next one.
func TestWhatWasSaidOfAnotherStayIsNotRestored(t *testing.T) {
	w := newWorld(t)
	w.spot("x/1/a", event.Occupied)
	w.spot("x/1/b", event.Occupied)
	rule := decide.Rule{ID: "r", Epoch: 1, Definition: decide.Definition{Enabled: true, Target: decide.Target{LotID: "x"}}}
	rule.Condition = decide.Condition{Kind: decide.Overstay, Minutes: 60}
	w.engine.Restore(rule, decide.State{Epoch: 1, Armed: true, Said: 2}, []decide.Mark{
		{RuleID: "r", SpotID: "a", Since: w.now.Add(-time.Hour)}, {RuleID: "r", SpotID: "b", Since: w.now}, {RuleID: "r", SpotID: "later", Since: w.now},
	})
	if c := w.engine.Take(); len(c.Unsaid) != 1 || c.Unsaid[0].SpotID != "a" {
		t.Errorf("unsaid is %+v", c.Unsaid)
	}
	w.engine.Keep(decide.Spot{ID: "later", LotID: "x", ZoneID: "1", Category: "standard", Status: event.Occupied, Since: w.now}) // as the twin has it
	w.pass(2 * time.Hour)
	w.says("a")
}

func TestACategoryThatIsLearnedLaterCounts(t *testing.T) {
	w := newWorld(t)
	w.rule(func(r *decide.Rule) {
		r.Target, r.Condition = decide.Target{LotID: "x", Category: "family"}, decide.Condition{Kind: decide.AnyFree}
	})
	w.spot("x/1/a", event.Free)
	w.says()
	w.engine.DescribeAll(func(id string) (string, string, string, bool) { return "x", "1", "family", true }, decide.Moment{Now: w.now})
	w.take()
	w.says("1")
}
