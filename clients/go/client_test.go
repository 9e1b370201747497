package parkwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// connected runs a test with a client of a platform in memory.
func connected(t *testing.T, p *platform, o Options, test func(t *testing.T, c *Client)) {
	synctest.Test(t, func(t *testing.T) {
		p.changed = make(chan struct{}) // in the bubble
		c, err := newClient(o)
		if err != nil {
			t.Fatal(err)
		}
		c.dial = p.dial
		if err := c.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		test(t, c)
	})
}

var one = []string{"http://a"}

// pass lets time pass, and whatever happens then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// collect reads a subscription aside; call the result when all is quiet.
func collect(t *testing.T, s *Subscription) func() ([]Message, error) {
	var mu sync.Mutex
	var all []Message
	var ended error
	var reading sync.WaitGroup
	reading.Go(func() {
		for m, err := range s.Messages(context.Background()) {
			mu.Lock()
			if err != nil {
				ended = err
			} else {
				all = append(all, m)
			}
			mu.Unlock()
		}
	})
	t.Cleanup(reading.Wait)
	return func() ([]Message, error) {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all), ended
	}
}

func mustSubscribe(t *testing.T, c *Client, f Filter, options ...SubscribeOption) *Subscription {
	t.Helper()
	s, err := c.Subscribe(f, options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTriesAreRandomGrowAndGoRoundTheAddresses(t *testing.T) {
	p := newPlatform()
	p.refuse = func(dial int) error {
		if dial > 1 && dial < 200 {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	connected(t, p, Options{URLs: []string{"http://a", "http://b", "http://c"}}, func(t *testing.T, c *Client) {
		p.connection().end(io.ErrUnexpectedEOF)
		pass(time.Hour)
		if n := len(p.dials); n != 200 {
			t.Fatalf("it dialled %d times", n)
		}
		small := false
		for i := 1; i < len(p.dials); i++ {
			wait, most := p.dials[i].Sub(p.dials[i-1]), min(time.Second<<min(i-1, 10), 15*time.Second)
			if wait > most {
				t.Errorf("before try %d it waited %v; %v is the most", i, wait, most)
			}
			small = small || i > 10 && wait < time.Second
			if p.addresses[i] == p.addresses[i-1] {
				t.Errorf("try %d went to %s again", i, p.addresses[i])
			}
		}
		if !small {
			t.Error("of 190 waits of up to 15 s none was shorter than a second: they are not random from zero on")
		}
	})
}

func TestWhatAServerAsksToWaitIsWaited(t *testing.T) {
	for name, cut := range map[string]func(w *memoryWire){
		"a Retry": func(w *memoryWire) {
			w.send(`{"type":"Retry","afterMs":40000,"reason":"restart"}`)
			w.end(websocket.CloseError{Code: 1012})
		},
		"a close reason": func(w *memoryWire) {
			w.end(websocket.CloseError{Code: 1013, Reason: "too many clients retry-after-ms=40000"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlatform()
			connected(t, p, Options{URLs: one}, func(t *testing.T, c *Client) {
				began := time.Now()
				cut(p.connection())
				pass(2 * time.Minute)
				if len(p.dials) != 2 || p.dials[1].Sub(began) != 40*time.Second {
					t.Errorf("it dialled at %v", p.dials)
				}
			})
		})
	}
	if wait, given := hint(&RefusedError{retryAfter: headerHint(http.Header{"Retry-After": {"7"}})}); !given || wait < 7*time.Second || wait >= 8*time.Second {
		t.Errorf("Retry-After: 7 is %v, %v", wait, given)
	}
	for _, reason := range []string{"", "retry-after-ms=", "retry-after-ms=-1", "retry-after-ms=1x"} {
		if _, given := closeHint(reason); given {
			t.Errorf("the reason %q is a hint", reason)
		}
	}
}

func TestSilenceEndsAConnectionAndHeartbeatsKeepIt(t *testing.T) {
	p := newPlatform()
	connected(t, p, Options{URLs: one}, func(t *testing.T, c *Client) {
		pass(10 * time.Minute)
		if len(p.dials) != 1 {
			t.Fatalf("it dialled %d times while heartbeats came", len(p.dials))
		}
		p.mu.Lock()
		p.heartbeat = 0 // of the next connections, that say 1 s and send none
		p.mu.Unlock()
		p.connection().end(io.ErrUnexpectedEOF)
		pass(10 * time.Second)
		if len(p.dials) < 3 {
			t.Errorf("it dialled %d times; nothing came for longer than three heartbeats", len(p.dials))
		}
	})
}

func TestTokensAreRefreshedBeforeTheyExpire(t *testing.T) {
	p := newPlatform()
	var sent []string
	p.answer = func(w *memoryWire, m outgoing) bool {
		if m.Type == "Authenticate" {
			p.mu.Lock()
			sent = append(sent, m.Token)
			p.mu.Unlock()
			w.send(`{"type":"Authenticated"}`)
		}
		return m.Type == "Authenticate"
	}
	n := 0
	source := func(context.Context) (string, time.Time, error) {
		if n++; n == 3 {
			return "", time.Time{}, errors.New("the issuer is away")
		}
		return fmt.Sprint("token-", n), time.Now().Add(10 * time.Minute), nil
	}
	connected(t, p, Options{URLs: one, Token: source}, func(t *testing.T, c *Client) {
		pass(9*time.Minute + time.Second)
		p.connection().send(`{"type":"Error","code":"token-expiring","message":"soon"}`)
		pass(time.Minute)
		p.mu.Lock()
		if got := strings.Join(sent, " "); got != "token-2 token-4" || p.tokens[0] != "token-1" {
			t.Errorf("it dialled with %q, and sent %q later", p.tokens, got)
		}
		p.mu.Unlock()
		p.connection().end(websocket.CloseError{Code: closeTokenExpired})
		pass(time.Minute)
		if got := p.tokens[len(p.tokens)-1]; got != "token-5" {
			t.Errorf("after 4401 it came back with %s", got)
		}
	})
}

func TestARefusedTokenIsTriedAnewOnceAndThenEndsTheClient(t *testing.T) {
	p := newPlatform()
	connected(t, p, Options{URLs: one, Token: StaticToken("t")}, func(t *testing.T, c *Client) {
		p.mu.Lock()
		p.refuse = func(int) error { return &RefusedError{URL: "http://a", StatusCode: 401, Message: "expired"} }
		p.mu.Unlock()
		read := collect(t, mustSubscribe(t, c, Filter{}))
		p.connection().end(websocket.CloseError{Code: 1012})
		pass(time.Minute)
		_, err := read()
		var refused *RefusedError
		if !errors.As(err, &refused) || len(p.dials) != 3 {
			t.Errorf("%v after %d dials", err, len(p.dials))
		}
		if _, err := c.Subscribe(Filter{}); !errors.As(err, &refused) {
			t.Errorf("subscribing to a client that has ended: %v", err)
		}
	})
}

func TestWhatIsRefusedAtFirstEndsConnectingAtOnce(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404} {
		synctest.Test(t, func(t *testing.T) {
			p := newPlatform()
			p.refuse = func(int) error { return &RefusedError{StatusCode: status} }
			c, err := newClient(Options{URLs: one})
			if err != nil {
				t.Fatal(err)
			}
			c.dial = p.dial
			var refused *RefusedError
			if err := c.start(t.Context()); !errors.As(err, &refused) || len(p.dials) != 1 {
				t.Errorf("status %d: %v after %d dials", status, err, len(p.dials))
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // and what is away is waited for
		p := newPlatform()
		p.refuse = func(int) error { return &RefusedError{StatusCode: 503, Message: "full"} }
		c, err := newClient(Options{URLs: one})
		if err != nil {
			t.Fatal(err)
		}
		c.dial = p.dial
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := c.start(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "full") || len(p.dials) < 4 {
			t.Errorf("%v after %d dials", err, len(p.dials))
		}
	})
}

func TestAHoleInTheVersionsOfASpotIsReported(t *testing.T) {
	var log bytes.Buffer
	p := newPlatform()
	connected(t, p, Options{URLs: one, Logger: slog.New(slog.NewTextHandler(&log, nil))}, func(t *testing.T, c *Client) {
		read := collect(t, mustSubscribe(t, c, Filter{Lots: []string{"l"}}))
		some := collect(t, mustSubscribe(t, c, Filter{Statuses: []Status{"free"}}))
		synctest.Wait()
		send := func(version int, cursor string) {
			p.connection().send(`{"type":"Events","events":[{"spotId":"s","lotId":"l","status":"free","version":%d}],"cursor":%q}`, version, cursor)
		}
		send(4, "c4")
		send(7, "c7")
		p.connection().send(`{"type":"Conflated","after":"c7","omitted":2}`)
		send(9, "c9")
		send(10, "c10")
		send(12, "c12")
		got, err := read()
		kinds := ""
		for _, m := range got {
			kinds += strings.TrimPrefix(fmt.Sprintf("%T ", m), "parkwire.")
			if e, ok := m.(Event); ok {
				kinds += fmt.Sprint(e.Version, " ")
			}
		}
		if want := "Event 4 Gap Event 7 Conflated Event 9 Event 10 Gap Event 12 "; kinds != want || err != nil {
			t.Errorf("%q came, %v; it is %q", kinds, err, want)
		}
		if got[1] != (Gap{"s", 4, 7}) || strings.Count(log.String(), "versions of a spot are missing") != 2 {
			t.Errorf("the gap is %v, the log:\n%s", got[1], log.String())
		}
		if got, _ := some(); len(got) != 6 { // of a status the versions have holes by nature
			t.Errorf("%v came to a filter of a status", got)
		}
	})
}

func TestWhatHasNoVersionIsNeverDropped(t *testing.T) {
	p := newPlatform()
	connected(t, p, Options{URLs: one}, func(t *testing.T, c *Client) {
		read := collect(t, mustSubscribe(t, c, Filter{}))
		other := collect(t, mustSubscribe(t, c, Filter{Lots: []string{"l"}}))
		synctest.Wait()
		for range 2 {
			p.connection().send(`{"type":"Events","events":[{"spotId":"s","status":"full","timestamp":7}],"cursor":"c1"}`)
		}
		p.connection().send(`{"type":"Foreign","message":"hello"}`)
		p.connection().send(`{"type":"Foreign","message":{"spotId":"s","lotId":"l"}}`)
		p.connection().send(`{"type":"Later","message":{}}`)
		if got, err := read(); len(got) != 4 || err != nil {
			t.Errorf("%v came, %v", got, err)
		}
		if got, err := other(); len(got) != 1 || err != nil {
			t.Errorf("%v came to a lot, %v", got, err)
		}
	})
}

func TestARefusedSubscriptionEndsAloneAndALogThatIsAwayIsWaitedFor(t *testing.T) {
	p := newPlatform()
	asked := 0
	p.answer = func(w *memoryWire, m outgoing) bool {
		switch {
		case slices.Contains(m.Lot, "forbidden"):
			w.send(`{"type":"Error","code":"forbidden","message":"not yours","field":"lot","id":%q}`, m.ID)
			return true
		case slices.Contains(m.Lot, "late"):
			if asked++; asked < 4 {
				w.send(`{"type":"Error","code":"log-unavailable","message":"wait","id":%q}`, m.ID)
				return true
			}
		}
		return false
	}
	connected(t, p, Options{URLs: one}, func(t *testing.T, c *Client) {
		forbidden := collect(t, mustSubscribe(t, c, Filter{Lots: []string{"forbidden"}}))
		late := collect(t, mustSubscribe(t, c, Filter{Lots: []string{"late"}}))
		pass(time.Minute)
		p.publish("s", "late")
		_, err := forbidden()
		var refused *SubscriptionError
		if !errors.As(err, &refused) || refused.Code != "forbidden" || refused.Field != "lot" || refused.Message != "not yours" {
			t.Errorf("%v", err)
		}
		if got, err := late(); len(got) != 1 || err != nil || len(p.dials) != 1 {
			t.Errorf("%v, %v, %d dials", got, err, len(p.dials))
		}
	})
}

func TestBoundsOfSubscriptionsAreChecked(t *testing.T) {
	p := newPlatform()
	connected(t, p, Options{URLs: one}, func(t *testing.T, c *Client) {
		if _, err := c.Subscribe(Filter{Lots: []string{""}}); !errors.Is(err, ErrFilter) {
			t.Errorf("an empty value: %v", err)
		}
		if _, err := c.Subscribe(Filter{Spots: make([]string, 1001)}); !errors.Is(err, ErrFilter) {
			t.Errorf("1,001 empty values: %v", err)
		}
		many := slices.Repeat([]string{"x"}, 600)
		first := mustSubscribe(t, c, Filter{Spots: many})
		if _, err := c.Subscribe(Filter{Spots: many}); !errors.Is(err, ErrFilter) {
			t.Errorf("1,200 values: %v", err)
		}
		first.Close()
		for range maxSubscriptions {
			mustSubscribe(t, c, Filter{})
		}
		if _, err := c.Subscribe(Filter{}); !errors.Is(err, ErrFilter) {
			t.Errorf("17 subscriptions: %v", err)
		}
	})
}

func TestTheStatusTellsOfStaleDataAndLostConnections(t *testing.T) {
	p := newPlatform()
	var told []string
	o := Options{URLs: one, OnStatus: func(s ConnectionStatus) {
		told = append(told, fmt.Sprintf("%v %v %v", s.Connected, !s.StaleSince.IsZero(), s.Err != nil))
	}}
	connected(t, p, o, func(t *testing.T, c *Client) {
		p.connection().send(`{"type":"Stale","stale_since":"2026-11-24T03:35:00.123Z"}`)
		synctest.Wait()
		if since := c.Status().StaleSince; !since.Equal(time.Date(2026, 11, 24, 3, 35, 0, 123e6, time.UTC)) {
			t.Errorf("stale since %v", since)
		}
		p.connection().send(`{"type":"Fresh"}`)
		synctest.Wait()
		p.connection().end(io.ErrUnexpectedEOF)
		pass(time.Minute)
		want := []string{"true false false", "true true false", "true false false", "false false true", "true false false"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q", told)
		}
	})
}

func TestClosingEndsIteratingAndTheConnection(t *testing.T) {
	p := newPlatform()
	connected(t, p, Options{URLs: one, Buffer: 1}, func(t *testing.T, c *Client) {
		left := mustSubscribe(t, c, Filter{}) // nobody reads it, so that the connection stands still
		read := collect(t, mustSubscribe(t, c, Filter{}))
		closed := collect(t, mustSubscribe(t, c, Filter{}))
		synctest.Wait()
		for range 5 {
			p.publish("s", "l")
		}
		synctest.Wait()
		c.subscriptions()[2].Close()
		if _, err := closed(); err != nil {
			t.Errorf("a subscription that was closed ended with %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if _, err := read(); !errors.Is(err, ErrClosed) {
			t.Errorf("it ended with %v", err)
		}
		if w := p.connection(); !w.closed {
			t.Error("the connection was dropped, not closed")
		}
		for _, err := range left.Events(t.Context()) {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%v", err)
			}
		}
	})
}

func TestIteratingEndsWithItsContextAndGoesOnLater(t *testing.T) {
	p := newPlatform()
	connected(t, p, Options{URLs: one}, func(t *testing.T, c *Client) {
		s := mustSubscribe(t, c, Filter{}, WithState())
		for range 3 {
			synctest.Wait()
			p.publish("s", "l")
		}
		var versions []int64
		for e, err := range s.Events(t.Context()) {
			versions = append(versions, e.Version)
			if err != nil || len(versions) == 2 {
				break
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for e, err := range s.Events(ctx) {
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				continue
			}
			versions = append(versions, e.Version)
		}
		if !slices.Equal(versions, []int64{1, 2, 3}) {
			t.Errorf("%v came", versions)
		}
	})
}
