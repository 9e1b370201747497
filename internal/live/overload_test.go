package live

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var hintInReason = regexp.MustCompile(` retry-after-ms=(\d+)$`)

// hinted returns the hint at the end of a close reason.
func hinted(t *testing.T, reason string) int64 {
	t.Helper()
	found := hintInReason.FindStringSubmatch(reason)
	if found == nil {
		t.Fatalf("%q has no hint", reason)
	}
	ms, _ := strconv.ParseInt(found[1], 10, 64)
	return ms
}

func (l *listener) reason() string {
	l.t.Helper()
	reason := ""
	l.until("the end", func(_ []frame, err error) bool {
		if end, ok := errors.AsType[websocket.CloseError](err); ok {
			reason = end.Reason
		}
		return err != nil
	})
	return reason
}

// turnedAway connects a client of each kind, each of which is to be sent away with a hint of at least so many ms.
func (s *testStand) turnedAway(least, most int64) {
	s.Helper()
	expect := func(kind string, ms int64) {
		if ms < least || ms > most {
			s.Errorf("%s is to come back after %d ms", kind, ms)
		}
	}
	l := s.webSocket()
	if code := l.closed(); code != 1013 {
		s.Errorf("a WebSocket was closed with %d", code)
	}
	expect("a WebSocket", hinted(s.T, l.reason()))
	c := s.v1()
	_ = c.conn.Write(s.Context(), websocket.MessageText, []byte(`{"type":"Subscribe","id":"a"}`)) // early, or too late; it hears all the same
	m := c.expect("Retry")
	if code, reason := c.closed(); code != 1013 || m.Reason != whyOverload || hinted(s.T, reason) != m.AfterMs {
		s.Errorf("parkwire.v1 was closed with %d, %q, %+v", code, reason, m)
	}
	expect("parkwire.v1", m.AfterMs)
	stream := s.sse("")
	stream.until("its end", func(_ []frame, err error) bool { return err != nil })
	ms, err := strconv.ParseInt(strings.TrimPrefix(stream.all()[0], "retry: "), 10, 64)
	if err != nil {
		s.Fatalf("a stream began with %q", stream.all())
	}
	expect("a stream", ms)
}

func TestClientsBeyondTheBoundAreToldWhenToTryAgain(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.MaxClients = 3 })
		first := s.webSocket()
		s.sse("")
		s.v1()
		s.connected(3)
		s.turnedAway(5_000, 15_000)
		if n := testutil.ToFloat64(s.service.metrics.overload); n != 3 {
			t.Errorf("%v were counted", n)
		}
		first.stop()
		s.connected(2)
		last := s.webSocket()
		s.write(1)
		last.count(1)
	})
}

func TestMoreHandshakesASecondThanTheBoundAreToldWhenToTryAgain(t *testing.T) {
	s := start(t, func(o *Options) { o.HandshakeRate = 1 })
	l := s.webSocket()
	for range 3 { // quicker than one a second, however slow the machine: those sent away take no turn
		s.service.handshakes.take(time.Now())
	}
	s.service.handshakes.perSecond = 1e-9
	s.turnedAway(1_000, 20_000)
	s.write(1)
	l.count(1) // whoever is there is not hurt
}

// Those who are sent away are told times one after the other, so that they do not come back together, and none waits for ever.
func TestHintsSpreadThoseWhoAreSentAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, storm = 1000, 10_000
		b := newBucket(rate)
		taken, perSecond := 0, map[int]int{}
		for range storm {
			h, ok := b.take(time.Now())
			if ok {
				taken++
				continue
			}
			if h.after < time.Second || h.after > maxHint+time.Second || h.why != whyOverload {
				t.Fatalf("the hint is %+v", h)
			}
			perSecond[int(h.after/time.Second)]++
		}
		if taken != rate {
			t.Errorf("%d were taken at once", taken)
		}
		for s, n := range perSecond {
			if n > rate*3/2 {
				t.Errorf("%d come back in second %d", n, s)
			}
		}
		time.Sleep(500 * time.Millisecond)
		again := 0
		for range rate {
			if _, ok := b.take(time.Now()); ok {
				again++
			}
		}
		if again != rate/2 {
			t.Errorf("%d were taken half a second later", again)
		}
	})
}

func TestDrainingTellsEachWhenToComeBack(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.DrainWindow = 50 * time.Millisecond })
		l, c, stream := s.webSocket(), s.v1(), s.sse("")
		s.connected(3)
		c.expect("Welcome")
		s.service.Drain(t.Context())
		if ms := hinted(t, l.reason()); ms < 100 || ms > 2000 {
			t.Errorf("a WebSocket is to come back after %d ms", ms)
		}
		m := c.expect("Retry")
		if code, reason := c.closed(); code != 1012 || m.Reason != whyRestart || hinted(t, reason) != m.AfterMs {
			t.Errorf("closed with %d, %q, %+v", code, reason, m)
		}
		stream.until("its end", func(_ []frame, err error) bool { return err != nil })
		if n := strings.Count(strings.Join(stream.all(), "\n"), "retry: "); n != 2 { // at the start and at the end
			t.Errorf("the stream was %q", stream.all())
		}
	})
}
