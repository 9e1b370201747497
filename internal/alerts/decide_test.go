package alerts_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parkwire/internal/alerts"
	"parkwire/internal/alerts/delivery"
	"parkwire/internal/event"
	"parkwire/internal/sqldb"
	"parkwire/internal/trace/tracetest"
)

func TestSubjectsAreToldWhatTheirRulesWaitFor(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.lot("x", "Europe/Berlin")
		w.describe("spot", "e1", "x", body{"spotId": "e1", "lotId": "x", "zoneId": "1", "name": "", "category": "electric"})
		in := w.start()
		for _, path := range []string{"x/1/a", "x/1/b", "x/1/e1", "x/1/u"} {
			w.occupied(path)
		}
		in.settle()
		w.until("categories are known", func() bool {
			described := by("scout")
			id := in.rule(described, body{"target": body{"lotId": "x", "category": "electric"}, "condition": body{"type": "occupancy_above", "percent": 0}})
			defer in.ask(described, "DELETE", "/rules/"+id, nil)
			in.settle()
			return len(in.decisions(described)) > 0
		})
		ada, bert := by("ada"), by("bert")
		in.rule(ada, body{"name": "any"})
		in.rule(ada, body{"target": body{"spotId": "b"}})
		in.rule(ada, body{"target": body{"lotId": "x", "category": "electric"}})
		in.rule(bert, body{"condition": body{"type": "free_at_least", "count": 2}})
		in.rule(bert, body{"condition": body{"type": "silent", "minutes": 0}})
		w.free("x/1/a")
		in.says(ada, 1)
		w.free("x/1/e1")
		w.free("x/1/b")
		w.becomes("x/1/u", event.Unknown, event.ChangeSignalLost)
		if texts := in.says(ada, 3); fmt.Sprint(texts) != "[Lot x: spot a is free. Lot x, category electric: spot e1 is free. Spot b (Lot x) is free.]" {
			t.Errorf("ada was told %q", texts)
		}
		if texts := in.says(bert, 2); fmt.Sprint(texts) != "[Lot x: 2 spots are free. The sensor of Spot u (Lot x) has been silent for 0 minutes.]" {
			t.Errorf("bert was told %q", texts)
		}
		if a := in.ask(by("ada", "y"), "GET", "/decisions", nil); len(a.body["items"].([]any)) != 0 {
			t.Errorf("a token for other lots is told %v", a.body)
		}
		if a := in.ask(ada, "GET", "/decisions?rule=zzz", nil); len(a.body["items"].([]any)) != 0 {
			t.Errorf("of a rule that is not there is told %v", a.body)
		}
	})
}

func TestWhoIsLimitedToLotsIsToldOfNoOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start()
		w.describe("spot", "e1", "x", body{"spotId": "e1", "lotId": "x", "category": "electric"})
		w.describe("spot", "e2", "y", body{"spotId": "e2", "lotId": "y", "category": "electric"})
		w.occupied("x/1/e1")
		w.occupied("y/1/e2")
		in.settle()
		limited, all := by("ada", "y"), by("bert")
		everywhere := body{"target": body{"category": "electric"}, "condition": body{"type": "occupancy_above", "percent": 0}}
		in.rule(all, everywhere)
		in.rule(limited, everywhere)
		seen := in.says(all, 1)
		if fmt.Sprint(in.says(limited, 1)) == fmt.Sprint(seen) {
			t.Errorf("both were told %q", seen)
		}
		w.until("both spots are counted", func() bool {
			d := in.decisions(limited)
			return fmt.Sprint(d[0]["counted"]) == "1"
		})
		in.rule(all, body{"target": body{"category": "electric"}})
		in.rule(limited, body{"target": body{"category": "electric"}})
		w.free("x/1/e1")
		in.says(all, 2)
		w.free("y/1/e2")
		in.settle()
		if d := in.decisions(limited); len(d) != 2 || d[1]["spotId"] != "e2" || d[1]["lotId"] != "y" {
			t.Errorf("who is limited was told %v", d)
		}
		if a := in.ask(by("bert", "y"), "GET", "/decisions", nil); len(a.body["items"].([]any)) != 0 {
			t.Errorf("a limited token of who is not is told %v", a.body)
		}
	})
}

func TestAnEditReachesTheProcessThatDecides(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		one, other := w.start(), w.start()
		w.occupied("x/1/a")
		one.settle()
		ada := by("ada")
		id := other.rule(ada, nil)
		w.free("x/1/a")
		other.says(ada, 1)
		one.says(ada, 1)
		w.occupied("x/1/a")
		if a := one.ask(ada, "PATCH", "/rules/"+id, body{"enabled": false}); a.status != 200 {
			t.Fatalf("%d %v", a.status, a.body)
		}
		w.free("x/1/a")
		other.settle()
		other.says(ada, 1)
		if a := other.ask(ada, "PATCH", "/rules/"+id, body{"enabled": true}); a.status != 200 {
			t.Fatalf("%d %v", a.status, a.body)
		}
		one.says(ada, 2) // without any event: it is free when the rule begins anew
		one.ask(ada, "DELETE", "/rules/"+id, nil)
		w.occupied("x/1/a")
		w.free("x/1/a")
		one.settle()
		one.says(ada, 2)
		var left int
		w.until("the rule is forgotten", func() bool {
			err := one.db.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				n, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int, err error) { return n, r.Scan(&n) }, "select count(*) from alert_rules where id = ?", id)
				left = n
				return err
			})
			return err == nil && left == 0
		})
	})
}

// Any program may write to the log, with headers of its own.
func TestAChangeWhoseTraceparentIsNoneIsToldOf(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start()
		w.occupied("x/1/a")
		in.settle()
		ada := by("ada")
		hook := in.ask(ada, "POST", "/channels", body{"kind": "webhook", "url": "https://hook.invalid/"}).field("id")
		in.rule(ada, body{"channels": []any{hook}})
		for i, header := range tracetest.Foreign() {
			w.header = header
			w.free("x/1/a")
			in.says(ada, i+1)
			w.occupied("x/1/a")
		}
		if n := in.count("select count(*) from alert_deliveries where traceparent <> ''"); n > 0 {
			t.Errorf("%d deliveries are of traces that are none", n)
		}
	})
}

// count returns the number that a query says.
func (in *instance) count(query string, args ...any) (n int) {
	in.w.t.Helper()
	err := in.db.View(in.w.t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		n, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (n int, err error) { return n, r.Scan(&n) }, query, args...)
		return err
	})
	if err != nil {
		in.w.t.Fatal(err)
	}
	return n
}

// A rule is changed while nobody decides, and begins anew in a process that ends before the rule speaks: what the rule had said before is no
// reason to be silent in the next process.
func TestWhatARuleHadSaidBeforeAnEditIsNotKeptAcrossRestarts(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ada := by("ada")
		in := w.start()
		w.occupied("x/1/a")
		in.settle()
		id := in.rule(ada, body{"condition": body{"type": "overstay", "minutes": 60}})
		in.settle()
		w.pass(61 * time.Minute)
		in.says(ada, 1)
		in.stop()
		if a := w.reader().ask(ada, "PATCH", "/rules/"+id, body{"condition": body{"type": "overstay", "minutes": 120}}); a.status != 200 {
			t.Fatalf("%d %v", a.status, a.body)
		}
		in = w.start()
		w.until("the rule has begun anew", func() bool {
			return in.count("select count(*) from alert_rule_states where rule_id = ? and epoch = 2", id) == 1
		})
		if n := in.count("select count(*) from alert_rule_spots where rule_id = ?", id); n != 0 {
			t.Errorf("%d things are kept that it said before", n)
		}
		in.stop()
		in = w.start()
		in.settle()
		in.says(ada, 1)
		w.pass(60 * time.Minute)
		in.says(ada, 2)
	})
}

func TestARuleThatIsRemovedWhileNobodyDecidesIsForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ada := by("ada")
		in := w.start()
		w.free("x/1/a")
		in.settle()
		id := in.rule(ada, nil)
		in.says(ada, 1)
		in.stop()
		if a := w.reader().ask(ada, "DELETE", "/rules/"+id, nil); a.status != 204 {
			t.Fatalf("%d %v", a.status, a.body)
		}
		in = w.start()
		w.until("nothing of the rule is left", func() bool {
			return in.count("select (select count(*) from alert_rules where id = ?) + (select count(*) from alert_rule_states where rule_id = ?)", id, id) == 0
		})
	})
}

func TestTimeThatPassesWhileNobodyRunsCounts(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ada := by("ada")
		in := w.start()
		w.occupied("x/1/a")
		in.settle()
		in.rule(ada, body{"condition": body{"type": "overstay", "minutes": 60}})
		in.settle()
		in.stop()
		w.pass(59 * time.Minute)
		in = w.start()
		in.settle()
		in.says(ada, 0)
		in.stop()
		w.pass(2 * time.Minute)
		for range 3 { // and once
			in = w.start()
			in.says(ada, 1)
			in.settle()
			in.says(ada, 1)
			in.stop()
		}
	})
}

func TestARebuildTellsNothingAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ada := by("ada")
		in := w.start()
		w.occupied("x/1/a")
		w.occupied("x/1/b")
		in.settle()
		in.rule(ada, nil)
		in.rule(ada, body{"condition": body{"type": "overstay", "minutes": 60}})
		w.free("x/1/a")
		in.says(ada, 1)
		w.pass(61 * time.Minute)
		in.says(ada, 2)                                        // of b
		w.becomes("x/1/b", event.Occupied, event.ChangeEdited) // which does not say since when
		in.settle()
		in.stop()
		db, err := sqldb.Open(w.options)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		s, err := alerts.New(alerts.Options{Log: w.log, DB: db, Clock: w.clock, Delivery: delivery.Options{}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range s.Consumers() {
			if err := c.Rebuild(t.Context(), func(int64, int64) {}); err != nil {
				t.Fatal(err)
			}
		}
		in = w.start()
		in.settle()
		in.says(ada, 2)
		w.occupied("x/1/a")
		w.free("x/1/a")
		in.says(ada, 3)
	})
}

// What the log has of a spot from before it was removed is read again by the next process, as after a rebuild.
func TestASpotThatWasRemovedIsNotThereAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ada := by("ada")
		in := w.start()
		w.free("x/1/a")
		w.occupied("x/1/b")
		in.settle()
		in.rule(ada, nil)
		in.says(ada, 1)
		w.becomes("x/1/a", event.Removed, event.ChangeRemoved)
		in.settle()
		in.stop()
		in = w.start()
		w.versions["a"] = 0
		w.free("x/1/a")
		in.settle()
		in.says(ada, 1)
		w.versions["a"] = 2
		w.free("x/1/a") // it is added
		in.says(ada, 2)
	})
}

func TestEventsOfOtherProgramsCount(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start()
		w.occupied("x/1/a")
		in.settle()
		ada := by("ada")
		in.rule(ada, nil)
		in.rule(ada, body{"target": body{"spotId": "a"}})
		w.foreign(`{"type":"ParkingSpotUpdated","spotId":"a","status":"free","timestamp":"2026-01-01T00:00:00Z"}`)
		in.says(ada, 2)
		w.foreign(`{"type":"ParkingSpotUpdated","spotId":"stray","status":"free"}`)
		w.foreign(`no event`)
		in.settle()
		in.says(ada, 2)
	})
}
