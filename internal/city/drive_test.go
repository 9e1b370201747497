package city

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/client"
	"parkwire/internal/client/clienttest"
	"parkwire/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// live lets the city live for a while.
func live(t *testing.T, p *clienttest.Platform, o client.Options, span time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	return Run(ctx, Options{Client: p.Client(o), Seed: 7, Logger: slog.New(slog.DiscardHandler)})
}

func count(events []clienttest.Event) map[string]int {
	n := map[string]int{}
	for _, e := range events {
		n[e.Change]++
	}
	return n
}

func TestTheCityIsBuiltAndLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := clienttest.New()
		began := time.Now()
		if err := live(t, p, client.Options{}, 5*time.Minute); err != nil {
			t.Fatal(err)
		}
		plan := NewPlan(7)
		if lots := p.Lots(); len(lots) != len(plan.Lots) {
			t.Errorf("the lots are %v", lots)
		}
		n := count(p.Events())
		if n["added"] != len(plan.Spots) {
			t.Errorf("%d spots were added, not %d", n["added"], len(plan.Spots))
		}
		if n["occupied"] < 300 || n["released"] < 300 || n["reserved"] == 0 {
			t.Errorf("in five minutes happened %v", n)
		}
		if o := p.Outcome(); o.Late > 0 || o.Rejected > 0 || o.Unchanged < o.Accepted {
			t.Errorf("the readings were judged %+v", o)
		}
		silent := 0
		for _, last := range p.LastObserved() {
			if time.Since(last) > heartbeat {
				silent++
			}
			if last.Before(began) || last.After(time.Now()) {
				t.Fatalf("a spot was observed at %v, between %v and %v", last, began, time.Now())
			}
		}
		if share := float64(silent) / float64(len(plan.Spots)); share < 0.012 || share > 0.028 {
			t.Errorf("%.1f %% of the spots are to become unknown; it should be about 2", share*100)
		}
		if requests := len(p.Requests("POST /api/v1/observations")); requests > 5*60*5 {
			t.Errorf("%d requests in five minutes; four a second and some between acts of operators were promised", requests)
		}
	})
}

func TestACityThatIsThereGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := clienttest.New()
		if err := live(t, p, client.Options{}, 30*time.Second); err != nil {
			t.Fatal(err)
		}
		before := len(p.Events())
		if err := live(t, p, client.Options{}, 30*time.Second); err != nil {
			t.Fatal(err)
		}
		n := count(p.Events()[before:])
		if n["added"] != 0 {
			t.Errorf("%d spots were added again", n["added"])
		}
		// Had it begun with a state of its own, every third spot would have changed at its first report.
		if moved := n["occupied"] + n["released"]; moved < 100 || moved > 600 {
			t.Errorf("%d arrivals and departures in half a minute after a restart", moved)
		}
	})
}

func TestACityThatWasHalfBuiltIsCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, adds := clienttest.New(), 0
		ctx, cancel := context.WithCancel(t.Context())
		p.Swallow = func(r *http.Request) bool {
			if r.Method == "POST" && strings.HasSuffix(r.URL.Path, "/spots") {
				if adds++; adds == 3 {
					cancel()
				}
			}
			return false
		}
		if err := Run(ctx, Options{Client: p.Client(client.Options{}), Seed: 7, Logger: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
		if err := live(t, p, client.Options{}, time.Second); err != nil {
			t.Fatal(err)
		}
		if n := count(p.Events()); n["added"] != len(NewPlan(7).Spots) {
			t.Errorf("%d spots were added in two goes", n["added"])
		}
	})
}

func TestAPlatformThatIsAwayForAWhileDoesNotEndTheCity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := clienttest.New()
		began := time.Now()
		p.Refuse = func(r *http.Request) *problem.Problem {
			if since := time.Since(began); since > 20*time.Second && since < 3*time.Minute {
				no := problem.New(503, "not-ready", "The database cannot be reached.")
				return &no
			}
			return nil
		}
		if err := live(t, p, client.Options{}, 6*time.Minute); err != nil {
			t.Fatal(err)
		}
		recent := 0
		for _, last := range p.LastObserved() {
			if time.Since(last) < heartbeat {
				recent++
			}
		}
		if recent < 2700 {
			t.Errorf("three minutes after the platform returned only %d spots were heard of", recent)
		}
	})
}

func TestARefusedTokenEndsTheCityWithTheRemedy(t *testing.T) {
	p := clienttest.New()
	if err := live(t, p, client.Options{Token: "wrong"}, 10*time.Second); err == nil || !strings.Contains(err.Error(), "PARKWIRE_TOKEN") {
		t.Errorf("%v; PARKWIRE_TOKEN should be named", err)
	}
}

func TestASpeedThatIsNoneIsRefused(t *testing.T) {
	for _, speed := range []float64{-1, 1e6} {
		if err := Run(t.Context(), Options{Client: clienttest.New().Client(client.Options{}), Speed: speed}); err == nil || !strings.Contains(err.Error(), "speed") {
			t.Errorf("speed %v: %v", speed, err)
		}
	}
}
