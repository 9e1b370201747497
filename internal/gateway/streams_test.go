package gateway

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheClientsOfAGatewayThatEndsDoNotAllComeBackAtOnce(t *testing.T) {
	for _, c := range []struct {
		name    string
		clients int
		window  time.Duration
		took    time.Duration
	}{
		{"a few, quickly", 41, 10 * time.Second, 200 * time.Millisecond},
		{"very many, evenly over the window", 10_001, 10 * time.Second, 10 * time.Second},
		{"without a window at once", 1000, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, began := newStreams(time.Second), time.Now()
				var last time.Duration
				most, at := 0, map[time.Duration]int{}
				for range c.clients {
					_, st, left := s.enter(httptest.NewRequest("GET", "/notifications", nil))
					st.begin(nil, func() {
						last = time.Since(began)
						at[last]++
						most = max(most, at[last])
						left()
					})
				}
				s.end(t.Context(), c.window)
				if off := last - c.took; off < -10*time.Millisecond || off > 10*time.Millisecond {
					t.Errorf("%d clients were sent away within %v instead of %v", c.clients, last, c.took)
				}
				if c.window > 0 && most > 3 {
					t.Errorf("%d clients were sent away at once", most)
				}
			})
		})
	}
}

func TestStreamsThatDoNotEndAreCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStreams(time.Second)
		enter := func(begun bool) {
			r, st, left := s.enter(httptest.NewRequest("GET", "/notifications", nil))
			if begun {
				st.begin(nil, func() {})
			}
			context.AfterFunc(r.Context(), left)
		}
		enter(true)
		enter(false)
		began := time.Now()
		s.end(t.Context(), time.Minute)
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("it took %v, with a second for each", took)
		}
		enter(false) // ends at once

		s = newStreams(time.Hour)
		enter(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began = time.Now()
		s.end(ctx, 0)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %v, with a minute for all", took)
		}
		synctest.Wait()
	})
}
