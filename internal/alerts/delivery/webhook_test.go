package delivery_test

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
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
	noNames := &net.Resolver{PreferGo: true, Dial: unknownNames(t)}
	each(t, func(o *delivery.Options) { o.Allow, o.Sending.Attempts, o.HTTP.Resolver = loopback[:0], 2, noNames }, func(t *testing.T, s *stand) {
		for _, address := range []string{"http://127.0.0.1:9500/", "https://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/"} {
			status, p, _ := s.send(anna, "POST", "/channels", object{"kind": "webhook", "url": address})
			if status != http.StatusBadRequest || p["field"] != "url" {
				t.Errorf("%s: %d %v", address, status, p)
			}
		}
		id, _ := s.webhook("https://localhost:8443/") // a name: what it means is seen when it is dialled
		s.decide(1, id)
		dead := s.await(id, "dead", 1)[0]
		if dead["attempts"] != 2.0 || dead["error"] != "given up after 2 attempts: its name leads to no public address" {
			t.Errorf("a name that leads inward: %v", dead)
		}
		other, _ := s.webhook("https://no-such-name.invalid:8443/") // which nobody can tell from it
		s.decide(1, other)
		if unknown := s.await(other, "dead", 1)[0]; unknown["attempts"] != dead["attempts"] || unknown["error"] != dead["error"] {
			t.Errorf("a name that leads inward ends as %v, and one that is none as %v", dead, unknown)
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
	patient := func(o *delivery.Options) { // the test says when it has hung for long enough
		o.HTTP = outward.Options{Connect: time.Minute, Headers: 10 * time.Minute, Whole: 10 * time.Minute}
		o.Sending.Lease = time.Hour
		o.Sending.Rest, o.Sending.LongestRest = time.Hour, time.Hour
	}
	each(t, patient, func(t *testing.T, s *stand) {
		release := make(chan struct{})
		hangUp := sync.OnceFunc(func() { close(release) })
		hangs := newReceiver(t, func(int, received, http.ResponseWriter, *http.Request) {
			<-release
			panic(http.ErrAbortHandler)
		})
		t.Cleanup(hangUp)
		gone := newReceiver(t, nil)
		gone.Close()
		good := newReceiver(t, nil)
		hanging, _ := s.webhook(hangs.URL)
		refusing, _ := s.webhook(gone.URL)
		working, _ := s.webhook(good.URL)
		s.decide(300, hanging, refusing, working)
		s.await(working, "delivered", 300)
		hangUp()
		eventually(t, func() bool { return tried(s, hanging) >= 5 && tried(s, refusing) >= 5 })
		for what, id := range map[string]string{"hangs": hanging, "refuses": refusing} {
			if n := tried(s, id); n > 10 {
				t.Errorf("of 300 deliveries to an endpoint that %s %d were tried", what, n)
			}
		}
	})
}

// Of 300 channels that wait for something, as many as may be are hung on. Nothing can be done then but to wait, which costs nothing.
func TestWaitingForSlotsIsIdle(t *testing.T) {
	var looked atomic.Int64
	few := func(o *delivery.Options) {
		o.HTTP = outward.Options{Connect: time.Minute, Headers: 10 * time.Minute, Whole: 10 * time.Minute}
		o.Sending.Lease, o.Sending.All, o.Sending.PerHost, o.Sending.Poll = time.Hour, 4, 100, time.Second
		o.Now = func() time.Time { looked.Add(1); return time.Now() }
	}
	each(t, few, func(t *testing.T, s *stand) {
		release := make(chan struct{})
		open := sync.OnceFunc(func() { close(release) })
		rec := newReceiver(t, func(int, received, http.ResponseWriter, *http.Request) { <-release })
		t.Cleanup(open)
		s.decideOfMany(300, rec.URL)
		eventually(t, func() bool { return len(rec.all()) == 4 })
		before := looked.Load()
		<-time.After(500 * time.Millisecond) // what is counted is how often it looks in a while
		if n := looked.Load() - before; n > 500 {
			t.Errorf("with nothing to do it looks at its clock %d times in half a second", n)
		}
		open()
		eventually(t, func() bool { return len(rec.all()) > 8 })
	})
}

// Two channels have hundreds of things to be told and take their time; they were there first. The third gets its turn all the same.
func TestSlowChannelsTakeTurnsWithOthers(t *testing.T) {
	few := func(o *delivery.Options) { o.Sending.All, o.Sending.Poll = 2, 10*time.Millisecond }
	each(t, few, func(t *testing.T, s *stand) {
		const many = 200
		slow := newReceiver(t, func(int, received, http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Millisecond) }) // its work
		good := newReceiver(t, nil)
		first, _ := s.webhook(slow.URL)
		second, _ := s.webhook(slow.URL)
		third, _ := s.webhook(good.URL)
		s.decide(many, first, second)
		eventually(t, func() bool { return len(slow.all()) >= 4 })
		s.decide(3, third)
		eventually(t, func() bool { return len(good.all()) == 3 })
		if n := len(slow.all()); n >= 2*many {
			t.Errorf("it waited until the %d of the others were sent", n)
		}
	})
}

// Of one host a path hangs, which is not the matter of who uses another.
func TestAPathThatHangsDoesNotCloseItsHost(t *testing.T) {
	brief := func(o *delivery.Options) {
		o.HTTP = outward.Options{Connect: 10 * time.Second, Headers: time.Second, Whole: 10 * time.Second}
		o.Sending.Lease = time.Minute
		o.Sending.Rest, o.Sending.LongestRest = time.Hour, time.Hour
	}
	each(t, brief, func(t *testing.T, s *stand) {
		release := make(chan struct{})
		host := newReceiver(t, func(_ int, _ received, _ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/hangs" {
				<-release
			}
		})
		t.Cleanup(func() { close(release) })
		hanging, _ := s.webhook(host.URL + "/hangs")
		working, _ := s.webhook(host.URL + "/works")
		s.decide(20, hanging)
		eventually(t, func() bool { return failed(s, hanging) >= 5 }) // its circuit is open
		s.decide(3, working)
		s.await(working, "delivered", 3)
	})
}

// failed counts the deliveries of a channel of which an attempt has failed.
func failed(s *stand, channel string) (n int) {
	for _, d := range s.deliveries(channel, "waiting") {
		if d["error"] != nil {
			n++
		}
	}
	return n
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

// What could not be delivered last week says nothing of today.
func TestAFailureNowAndThenDisablesNothing(t *testing.T) {
	var ahead atomic.Int64 // of the clock
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	each(t, func(o *delivery.Options) {
		o.Now, o.Sending.Attempts, o.Sending.Age = now, 1, 10_000*time.Hour
	}, func(t *testing.T, s *stand) {
		rec := newReceiver(t, func(_ int, _ received, w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
		})
		id, _ := s.webhook(rec.URL)
		for day, want := range []string{"active", "active", "active", "active", "disabled"} {
			s.decide(1, id)
			s.await(id, "dead", day+1)
			if _, c, _ := s.send(anna, "GET", "/channels/"+id, nil); c["state"] != want {
				t.Errorf("after one failure in each of %d weeks it is %v", day+1, c)
			}
			ahead.Add(int64(7 * 24 * time.Hour))
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
