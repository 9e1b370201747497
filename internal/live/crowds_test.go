package live

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/identity"
)

func TestClientsOfOneAddressAreBoundedAndOthersAreNot(t *testing.T) {
	s := start(t, func(o *Options) {
		o.ClientsPerAddress, o.TrustedProxies = 2, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	from := func(address string) *listener { return s.webSocketWith(http.Header{"X-Forwarded-For": {address}}) }
	welcome := func(l *listener) {
		t.Helper()
		s.write(1)
		l.count(1)
	}
	turnedAway := func(l *listener) {
		t.Helper()
		if code, reason := l.closed(), l.reason(); code != int(websocket.StatusTryAgainLater) || hinted(t, reason) < 5000 || !strings.Contains(reason, "of this address") {
			t.Errorf("it was closed with %d, %q", code, reason)
		}
	}
	first := from("192.0.2.1")
	welcome(first)
	welcome(from("192.0.2.1"))
	turnedAway(from("192.0.2.1"))
	welcome(from("192.0.2.2"))
	welcome(from("2001:db8::1"))
	welcome(from("2001:db8::2"))
	turnedAway(from("2001:db8::3"))
	welcome(from("2001:db8:0:1::1"))
	if n := testutil.ToFloat64(s.service.metrics.crowded); n != 2 {
		t.Errorf("%v were counted", n)
	}
	first.stop()
	s.connected(5)
	welcome(from("192.0.2.1"))
	turnedAway(from("192.0.2.1"))
}

// However a request ends, its seat is free again.
func TestWhoBecomesNoClientTakesNoSeat(t *testing.T) {
	s := start(t, func(o *Options) { o.ClientsPerAddress = 1 })
	for range 2 {
		if status, _, _ := s.get("HEAD", PathNotifications, http.Header{"Accept": {"text/event-stream"}}); status != 200 {
			t.Errorf("HEAD is answered with %d", status)
		}
		if status, _, _ := s.get("GET", PathNotifications+"?after=x", http.Header{"Accept": {"text/event-stream"}}); status != 400 {
			t.Errorf("a cursor that is none is answered with %d", status)
		}
		if status, _, _ := s.get("GET", PathNotifications, http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-WebSocket-Version": {"8"}}); status != 426 {
			t.Errorf("an old version is answered with %d", status)
		}
	}
	l := s.webSocket()
	s.write(1)
	l.count(1)
	l.stop()
	s.eventually("nobody is counted", func() bool {
		s.service.crowds.mu.Lock()
		defer s.service.crowds.mu.Unlock()
		return len(s.service.crowds.sizes)+len(s.service.crowds.homes) == 0
	})
}

func TestWithoutABoundNobodyIsCounted(t *testing.T) {
	s := start(t, nil)
	l := s.webSocket()
	s.write(1)
	l.count(1)
	s.service.crowds.mu.Lock()
	defer s.service.crowds.mu.Unlock()
	if n := len(s.service.crowds.sizes) + len(s.service.crowds.homes); n != 0 {
		t.Errorf("%d are", n)
	}
}

func TestClientsOfOneSubjectAreBoundedWhateverTheirAddressAndToken(t *testing.T) {
	s := start(t, func(o *Options) {
		o.ClientsPerPrincipal, o.ClientsPerAddress, o.TrustedProxies = 2, 4, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		o.Authorize = func(r *http.Request) (identity.Principal, error) {
			subject, _, _ := strings.Cut(identity.Bearer(r, true), ".")
			return identity.Principal{Subject: subject}, nil
		}
	})
	from := func(address, token string) *listener {
		h := http.Header{"X-Forwarded-For": {address}}
		if token != "" {
			h.Set("Authorization", "Bearer "+token)
		}
		return s.webSocketWith(h)
	}
	welcome := func(l *listener) {
		t.Helper()
		s.write(1)
		l.count(1)
	}
	turnedAway := func(l *listener, of string) {
		t.Helper()
		if code, reason := l.closed(), l.reason(); code != int(websocket.StatusTryAgainLater) || hinted(t, reason) < 5000 || !strings.Contains(reason, "of "+of) {
			t.Errorf("it was closed with %d, %q", code, reason)
		}
	}
	first := from("192.0.2.1", "ann.1")
	welcome(first)
	welcome(from("192.0.2.2", "ann.2"))
	turnedAway(from("192.0.2.3", "ann.3"), "the subject of this token")
	welcome(from("192.0.2.1", "bob.1"))
	welcome(from("192.0.2.1", "")) // nobody in particular
	welcome(from("192.0.2.1", ""))
	turnedAway(from("192.0.2.1", "cid.1"), "this address")
	first.stop()
	s.connected(4)
	welcome(from("192.0.2.3", "ann.3"))
	turnedAway(from("192.0.2.3", "ann.4"), "the subject of this token")
}
