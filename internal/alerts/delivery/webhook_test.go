package delivery_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parkwire/internal/alerts/delivery"
	"parkwire/internal/outward"
	"parkwire/internal/webhook"
)

func TestEachDecisionReachesEachChannelOnce(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		var receivers [3]*receiver
		var ids, secrets []string
		for i := range receivers {
			receivers[i] = newReceiver(t, nil)
			id, secret := s.webhook(receivers[i].URL)
			ids, secrets = append(ids, id), append(secrets, secret)
		}
		decisions := s.decide(40, ids...)
		for i, rec := range receivers {
			s.await(ids[i], "delivered", len(decisions))
			var told []string
			for _, r := range rec.all() {
				told = append(told, decisionOf(t, r))
				if err := webhook.Verify(secrets[i], r.header, []byte(r.body), time.Now()); err != nil {
					t.Errorf("a request is not signed: %v", err)
				}
				if webhook.Verify(secrets[(i+1)%3], r.header, []byte(r.body), time.Now()) == nil {
					t.Error("a request is signed by the secret of another channel")
				}
				if !strings.Contains(r.body, `"type":"alert.fired","timestamp":"`) || r.header.Get("Content-Type") != "application/json" {
					t.Errorf("a request says %s (%s)", r.body, r.header.Get("Content-Type"))
				}
			}
			slices.Sort(told)
			if !slices.Equal(told, slices.Sorted(slices.Values(decisions))) {
				t.Errorf("channel %d was told %d times of %d decisions", i, len(told), len(decisions))
			}
		}
	})
}

func TestWhatFailsComesAgainUnderTheSameID(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		statuses := []int{500, 503, 404, 302, 200}
		rec := newReceiver(t, func(n int, _ received, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(statuses[min(n, len(statuses))-1])
		})
		id, _ := s.webhook(rec.URL)
		s.decide(1, id)
		done := s.await(id, "delivered", 1)[0]
		got := rec.all()
		if len(got) != len(statuses) || done["attempts"] != float64(len(statuses)) || done["status"] != 200.0 {
			t.Fatalf("%d requests came; it says %v", len(got), done)
		}
		for _, r := range got {
			if r.id != got[0].id || r.body != got[0].body {
				t.Errorf("%s comes again as %s", got[0].id, r.id)
			}
		}
	})
}

func TestWhoSaysWhenIsLeftAloneUntilThen(t *testing.T) {
	each(t, func(o *delivery.Options) { o.Sending.LongestBackoff = 10 * time.Second }, func(t *testing.T, s *stand) {
		rec := newReceiver(t, func(n int, _ received, w http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		})
		id, _ := s.webhook(rec.URL)
		s.decide(1, id)
		eventually(t, func() bool { return len(rec.all()) > 0 })
		s.decide(3, id) // they wait as well
		s.await(id, "delivered", 4)
		got := rec.all()
		for _, r := range got[1:] {
			if r.at.Sub(got[0].at) < 900*time.Millisecond { // a second by two clocks
				t.Errorf("a request came %s after it was asked for a second's peace", r.at.Sub(got[0].at))
			}
		}
		if len(got) != 5 {
			t.Errorf("%d requests came", len(got))
		}
	})
}

func TestWhoIsGoneHearsNoMore(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		rec := newReceiver(t, func(_ int, _ received, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
		id, _ := s.webhook(rec.URL)
		s.decide(1, id)
		s.await(id, "dead", 1)
		_, c, _ := s.send(anna, "GET", "/channels/"+id, nil)
		if c["state"] != "disabled" || !strings.Contains(c["reason"].(string), "410") {
			t.Errorf("the channel is %v", c)
		}
		s.decide(5, id)
		if all := s.deliveries(id, ""); len(all) != 1 || len(rec.all()) != 1 {
			t.Errorf("a channel that is disabled is told of %d decisions more", len(all)-1)
		}
		status, c, _ := s.send(anna, "PATCH", "/channels/"+id, object{"state": "active"})
		if status != http.StatusOK || c["state"] != "active" || c["reason"] != nil {
			t.Errorf("it is mended: %d %v", status, c)
		}
		s.decide(1, id)
		s.await(id, "dead", 2)
	})
}

func TestNothingGoesInward(t *testing.T) {
	each(t, func(o *delivery.Options) { o.Allow = loopback[:0] }, func(t *testing.T, s *stand) {
		for _, address := range []string{"http://127.0.0.1:9500/", "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/"} {
			status, p, _ := s.send(anna, "POST", "/channels", object{"kind": "webhook", "url": address})
			if status != http.StatusBadRequest || p["field"] != "url" {
				t.Errorf("%s: %d %v", address, status, p)
			}
		}
		id, _ := s.webhook("https://localhost:8443/") // a name: what it means is seen when it is dialled
		s.decide(1, id)
		dead := s.await(id, "dead", 1)[0]
		if dead["attempts"] != 1.0 || !strings.Contains(dead["error"].(string), "not public") {
			t.Errorf("a name that leads inward: %v", dead)
		}
	})
}

func TestRedirectsLeadNowhere(t *testing.T) {
	each(t, func(o *delivery.Options) { o.Sending.Attempts = 2 }, func(t *testing.T, s *stand) {
		inside := newReceiver(t, nil)
		rec := newReceiver(t, func(_ int, _ received, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, inside.URL, http.StatusTemporaryRedirect)
		})
		id, _ := s.webhook(rec.URL)
		s.decide(1, id)
		dead := s.await(id, "dead", 1)[0]
		if n := len(inside.all()); n > 0 || !strings.Contains(dead["error"].(string), "redirects are not followed") || dead["attempts"] != 2.0 {
			t.Errorf("%d redirects were followed; it says %v", n, dead)
		}
	})
}

// One endpoint hangs, another refuses connections, and a third has hundreds of decisions to be told of.
func TestADeadEndpointCostsLittle(t *testing.T) {
	slow := func(o *delivery.Options) {
		o.HTTP = outward.Options{Connect: 300 * time.Millisecond, Headers: 300 * time.Millisecond, Whole: 600 * time.Millisecond}
		o.Sending.Rest, o.Sending.LongestRest = time.Hour, time.Hour
	}
	each(t, slow, func(t *testing.T, s *stand) {
		release := make(chan struct{})
		hangs := newReceiver(t, func(_ int, _ received, _ http.ResponseWriter, r *http.Request) {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		})
		t.Cleanup(func() { close(release) })
		gone := newReceiver(t, nil)
		gone.Close()
		good := newReceiver(t, nil)
		hanging, _ := s.webhook(hangs.URL)
		refusing, _ := s.webhook(gone.URL)
		working, _ := s.webhook(good.URL)
		s.decide(300, hanging, refusing, working)
		s.await(working, "delivered", 300)
		eventually(t, func() bool { return tried(s, hanging) >= 5 && tried(s, refusing) >= 5 })
		for what, id := range map[string]string{"hangs": hanging, "refuses": refusing} {
			if n := tried(s, id); n > 10 {
				t.Errorf("of 300 deliveries to an endpoint that %s %d were tried", what, n)
			}
		}
	})
}

// tried counts the attempts for a channel.
func tried(s *stand, channel string) (n int) {
	for _, d := range s.deliveries(channel, "") {
		n += int(d["attempts"].(float64))
	}
	return n
}

func TestAnEndpointThatComesBackIsToldOfEverything(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		var down atomic.Bool
		down.Store(true)
		rec := newReceiver(t, func(_ int, _ received, w http.ResponseWriter, _ *http.Request) {
			if down.Load() {
				w.WriteHeader(http.StatusBadGateway)
			}
		})
		id, _ := s.webhook(rec.URL)
		s.decide(60, id)
		eventually(t, func() bool { return len(rec.all()) >= 7 }) // the circuit was open, and tried
		down.Store(false)
		s.await(id, "delivered", 60)
		_, c, _ := s.send(anna, "GET", "/channels/"+id, nil)
		if c["failingSince"] != nil || c["deliveredAt"] == nil {
			t.Errorf("the channel is %v", c)
		}
	})
}

func TestDeliveriesAreGivenUp(t *testing.T) {
	each(t, func(o *delivery.Options) { o.Sending.Attempts = 3 }, func(t *testing.T, s *stand) {
		rec := newReceiver(t, func(_ int, _ received, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		})
		id, _ := s.webhook(rec.URL)
		s.decide(1, id)
		dead := s.await(id, "dead", 1)[0]
		if dead["attempts"] != 3.0 || dead["error"] != "given up after 3 attempts: it answered 500" || dead["status"] != 500.0 || dead["finishedAt"] == nil {
			t.Errorf("it is kept as %v", dead)
		}
	})
	each(t, func(o *delivery.Options) { o.Sending.Age = time.Millisecond }, func(t *testing.T, s *stand) {
		rec := newReceiver(t, func(_ int, _ received, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		})
		id, _ := s.webhook(rec.URL)
		s.decide(1, id)
		if dead := s.await(id, "dead", 1)[0]; !strings.Contains(dead["error"].(string), "given up after 1ms") {
			t.Errorf("it is kept as %v", dead)
		}
	})
}

func TestAChannelThatFailsForDaysIsDisabled(t *testing.T) {
	each(t, func(o *delivery.Options) { o.Sending.DisableAfter = 100 * time.Millisecond }, func(t *testing.T, s *stand) {
		rec := newReceiver(t, func(_ int, _ received, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		})
		id, _ := s.webhook(rec.URL)
		s.decide(2, id)
		eventually(t, func() bool {
			_, c, _ := s.send(anna, "GET", "/channels/"+id, nil)
			return c["state"] == "disabled"
		})
		s.await(id, "dead", 2)
	})
}
