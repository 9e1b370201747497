package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// diary records what parts do, in order.
type diary struct {
	mu      sync.Mutex
	entries []string
}

func (d *diary) write(entry string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, entry)
}

// part is one that writes everything down.
func (d *diary) part(name string) part {
	return part{
		start: func(context.Context) error { d.write(name + " starts"); return nil },
		run:   func(ctx context.Context) error { <-ctx.Done(); d.write(name + " ends"); return nil },
		drain: func(context.Context) { d.write(name + " drains") },
		close: func() error { d.write(name + " closes"); return nil },
	}
}

func TestPartsStartAfterWhatTheyNeedAndEndBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		r := &runner{
			graph: graph{"store": {}, "relay": {needs: []string{"store"}}, "server": {after: []string{"relay"}}},
			names: []string{"store", "relay", "server"},
			parts: map[string]part{"store": d.part("store"), "relay": d.part("relay"), "server": d.part("server")},
		}
		store := r.parts["store"]
		store.start = func(context.Context) error { time.Sleep(time.Second); d.write("store starts"); return nil }
		r.parts["store"] = store
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := r.run(ctx, func() { d.write("leaving") }, time.Minute); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"server starts", "store starts", "relay starts", "leaving", // the server waits for nobody
			"server drains", "server ends", "server closes", "relay drains", "relay ends", "relay closes", "store drains", "store ends", "store closes",
		}
		if !slices.Equal(d.entries, want) {
			t.Errorf("it went\n %s\ninstead of\n %s", strings.Join(d.entries, ", "), strings.Join(want, ", "))
		}
	})
}

func TestAPartThatFailsEndsAllOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		r := &runner{
			graph: graph{"bad": {}, "good": {}, "waiting": {needs: []string{"bad"}}},
			names: []string{"good", "bad", "waiting"},
			parts: map[string]part{
				"good": d.part("good"), "waiting": d.part("waiting"),
				"bad": {start: func(context.Context) error { time.Sleep(time.Second); return errors.New("the port is in use") }},
			},
		}
		err := r.run(t.Context(), func() {}, time.Minute)
		if err == nil || err.Error() != "bad: the port is in use" {
			t.Errorf("the run ended with %v", err)
		}
		if want := []string{"good starts", "waiting closes", "good drains", "good ends", "good closes"}; !slices.Equal(d.entries, want) {
			t.Errorf("it went %q instead of %q", d.entries, want)
		}
	})
}

func TestAPartThatDoesNotEndIsNamedAndWaitedForNoLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &runner{
			graph: graph{"stuck": {}}, names: []string{"stuck"},
			parts: map[string]part{"stuck": {run: func(context.Context) error { <-release; return nil }}},
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := r.run(ctx, func() {}, 20*time.Second)
		if err == nil || !strings.Contains(err.Error(), "stuck did not end") {
			t.Errorf("the run ended with %v", err)
		}
		close(release)
	})
}

func TestEveryFailureIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := func(text string) part { return part{start: func(context.Context) error { return errors.New(text) }} }
		r := &runner{
			graph: graph{"a": {}, "b": {}}, names: []string{"a", "b"},
			parts: map[string]part{"a": failing("one port is in use"), "b": failing("another one too")},
		}
		err := r.run(t.Context(), synctest.Wait, time.Minute)
		if err == nil || !strings.Contains(err.Error(), "a: one port is in use") || !strings.Contains(err.Error(), "b: another one too") {
			t.Errorf("the run ended with %v", err)
		}
	})
}

func TestAPartThatIsStuckKeepsNoOtherFromClosingWhatItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		release := make(chan struct{})
		store := d.part("store")
		store.run = func(ctx context.Context) error { <-ctx.Done(); time.Sleep(lastChance / 2); return nil }
		r := &runner{
			graph: graph{"store": {}, "stuck": {}}, names: []string{"store", "stuck"},
			parts: map[string]part{"store": store, "stuck": {run: func(context.Context) error { <-release; return nil }}},
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := r.run(ctx, func() {}, 20*time.Second)
		if err == nil || strings.Contains(err.Error(), "store") || !slices.Contains(d.entries, "store closes") {
			t.Errorf("it went %q and ended with %v", d.entries, err)
		}
		close(release)
	})
}

func TestReadinessAsksVitalPartsAlwaysAndOthersUntilTheyWereReadyOnce(t *testing.T) {
	var database, kafka error
	h := &health{}
	h.add("store", part{ready: func() error { return database }, vital: true})
	h.add("relay", part{ready: func() error { return kafka }})
	expect := func(when string, ready bool, troubles int) {
		t.Helper()
		got, all := h.report()
		if got != ready || len(all) != troubles {
			t.Errorf("%s: ready is %v with %d troubles; it should be %v with %d", when, got, len(all), ready, troubles)
		}
	}
	away := errors.New("away")
	kafka = away
	expect("Kafka has not come yet", false, 1)
	kafka = nil
	expect("everything is there", true, 0)
	kafka = away
	expect("Kafka is lost, which the outbox bridges", true, 1)
	database = away
	expect("the database is lost too", false, 2)
	if err := h.err(); err == nil || strings.Contains(err.Error(), "relay") {
		t.Errorf("the reason is %v; only the store makes the process unfit", err)
	}
	database, kafka = nil, nil
	expect("both are back", true, 0)
	h.leave()
	expect("it ends", false, 1)
}

func TestAPartThatIsBridgedIsToldAndNotWaitedFor(t *testing.T) {
	h := &health{}
	h.add("bus", part{ready: func() error { return errors.New("away") }, bridged: true})
	if ready, troubles := h.report(); !ready || len(troubles) != 1 {
		t.Errorf("ready is %v with %d troubles", ready, len(troubles))
	}
}
