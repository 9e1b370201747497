package outward_test

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parkwire/internal/outward"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func newClient(t *testing.T, o outward.Options) *outward.Client {
	t.Helper()
	c := outward.NewClient(o)
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s.URL
}

func post(t *testing.T, c *outward.Client, address string) (outward.Answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return c.Post(ctx, address, http.Header{"Content-Type": {"application/json"}}, []byte("{}"))
}

// names is a server that answers each question for an address by the next of those that it has.
func names(t *testing.T, addresses ...string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var asked int
		buffer := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			question := buffer[12:n]
			end := strings.IndexByte(string(question), 0) + 5
			kind := binary.BigEndian.Uint16(question[end-4:])
			reply := append([]byte{}, buffer[:2]...)
			answers := byte(0)
			if kind == 1 {
				answers = 1
			}
			reply = append(reply, 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0)
			reply = append(reply, question[:end]...)
			if kind == 1 {
				address := netip.MustParseAddr(addresses[min(asked, len(addresses)-1)]).As4()
				asked++
				reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				reply = append(reply, address[:]...)
			}
			_, _ = conn.WriteTo(reply, from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func TestNothingIsSentInward(t *testing.T) {
	var reached atomic.Int64
	inside := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(inside, "http://"))
	const nowhere = "its name leads to no public address"
	for what, c := range map[string]struct {
		client  *outward.Client
		address string
		want    string
	}{
		"an address":                  {newClient(t, outward.Options{}), inside, nowhere},
		"an address with TLS":         {newClient(t, outward.Options{}), "https://127.0.0.1:" + port + "/", nowhere},
		"a mapped one":                {newClient(t, outward.Options{}), "https://[::ffff:127.0.0.1]:" + port + "/", nowhere},
		"a name":                      {newClient(t, outward.Options{Resolver: names(t, "127.0.0.1")}), "https://innocent.example.org:" + port + "/", nowhere},
		"a name of a private network": {newClient(t, outward.Options{Resolver: names(t, "10.1.2.3"), Allow: loopback}), "https://innocent.example.org/", nowhere},
		"a public one without TLS":    {newClient(t, outward.Options{Resolver: names(t, "1.1.1.1"), Allow: loopback}), "http://innocent.example.org:8080/", "refused: it has no TLS (http:), and its address is public"},
		"the metadata service":        {newClient(t, outward.Options{}), "https://169.254.169.254/latest/meta-data/", nowhere},
		"a mail server":               {newClient(t, outward.Options{Resolver: names(t, "1.1.1.1")}), "https://mail.example.org:25/", "refused: port 25 belongs to another service: 443, and ports from 1024, are for HTTPS"},
	} {
		_, err := post(t, c.client, c.address)
		if !outward.Refused(err) {
			t.Errorf("%s: %v", what, err)
		}
		if text := outward.Explain(err); text != c.want {
			t.Errorf("%s is explained by %q", what, text)
		}
		if outward.NotPublic(err) != (c.want == nowhere) || outward.Reached(err) {
			t.Errorf("%s: not public %v, reached %v", what, outward.NotPublic(err), outward.Reached(err))
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests came through", n)
	}
}

// The name is public when it is looked up first and inward afterwards. Since what is dialled is checked, it does not matter how often it is looked up.
func TestANameThatChangesLeadsNowhere(t *testing.T) {
	var reached atomic.Int64
	inside := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(inside, "http://"))
	c := newClient(t, outward.Options{Resolver: names(t, "192.0.2.1", "127.0.0.1", "127.0.0.1"), Connect: 2 * time.Second})
	for range 3 {
		if _, err := post(t, c, "https://rebind.example.org:"+port+"/"); !outward.Refused(err) {
			t.Errorf("%v", err)
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests came through", n)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Int64
	inside := serve(t, func(http.ResponseWriter, *http.Request) { followed.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		outside := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", inside)
			w.WriteHeader(status)
		})
		answer, err := post(t, newClient(t, outward.Options{Allow: loopback}), outside)
		if err != nil || answer.Status != status || answer.OK() {
			t.Errorf("%d: %+v, %v", status, answer, err)
		}
	}
	if n := followed.Load(); n > 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func TestServersThatDoNotAnswerCostABoundedTime(t *testing.T) {
	hold := make(chan struct{})
	hangs := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	}
	headers := rawServer(t, func(c net.Conn) { // a header byte by byte, and no end
		for {
			if _, err := c.Write([]byte("H")); err != nil {
				return
			}
			select {
			case <-hold:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	silent := rawServer(t, func(net.Conn) { <-hold })
	hanging := serve(t, hangs)
	t.Cleanup(func() { close(hold) }) // before the servers end, which wait for it
	for what, c := range map[string]struct {
		address string
		reached bool
	}{
		"a server that hangs":                 {hanging, true},
		"one that drips a header":             {"http://" + headers, true},
		"one that accepts and says no more":   {"http://" + silent, true},
		"one that agrees on no TLS":           {"https://" + silent, false},
		"one that lets TLS begin and no more": {"https://" + headers, false},
	} {
		_, err := post(t, newClient(t, outward.Options{Allow: loopback, Connect: 300 * time.Millisecond, Headers: 300 * time.Millisecond, Whole: 600 * time.Millisecond}), c.address)
		if err == nil {
			t.Errorf("%s answers", what)
		}
		if outward.Reached(err) != c.reached {
			t.Errorf("%s: it was reached: %v (%v)", what, !c.reached, err)
		}
	}
}

// rawServer serves each connection by handle, in turn with what the client says.
func rawServer(t *testing.T, handle func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wait.Wait() })
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() { defer c.Close(); handle(c) })
		}
	})
	return l.Addr().String()
}

// What counts is the status. Whoever drips a body, or never ends it, holds nobody.
func TestBodiesAreNotWaitedFor(t *testing.T) {
	stop := make(chan struct{})
	var written atomic.Int64
	for what, handler := range map[string]http.HandlerFunc{
		"a body that drips": func(w http.ResponseWriter, r *http.Request) {
			for {
				_, _ = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
				select {
				case <-stop:
					return
				case <-r.Context().Done():
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		},
		"a huge body": func(w http.ResponseWriter, r *http.Request) {
			chunk := make([]byte, 64<<10)
			for r.Context().Err() == nil {
				n, err := w.Write(chunk)
				written.Add(int64(n))
				if err != nil || written.Load() > 1<<30 {
					return
				}
			}
		},
	} {
		answer, err := post(t, newClient(t, outward.Options{Allow: loopback}), serve(t, handler))
		if err != nil || answer.Status != 200 {
			t.Errorf("%s: %+v, %v", what, answer, err)
		}
	}
	t.Cleanup(func() { close(stop) }) // before the servers end, which wait for it
	if n := written.Load(); n > 64<<20 {
		t.Errorf("%d bytes of a body were taken", n)
	}
}

func TestHugeHeadersAreNoAnswer(t *testing.T) {
	huge := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Much", strings.Repeat("x", 64<<10)) })
	if _, err := post(t, newClient(t, outward.Options{Allow: loopback}), huge); err == nil {
		t.Error("a header of 64 KiB is read")
	}
}

func TestCertificatesMustBeGood(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	_, err := post(t, newClient(t, outward.Options{Allow: loopback}), s.URL)
	if err == nil || !strings.HasPrefix(outward.Explain(err), "its certificate is not accepted: ") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	if answer, err := post(t, newClient(t, outward.Options{Allow: loopback, Roots: roots}), s.URL); err != nil || !answer.OK() {
		t.Errorf("a good one: %+v, %v", answer, err)
	}
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.URL, "https://"))
	other := newClient(t, outward.Options{Allow: loopback, Roots: roots, Resolver: names(t, "127.0.0.1")})
	if _, err := post(t, other, "https://other.example.net:"+port+"/"); err == nil || !strings.Contains(outward.Explain(err), "certificate") {
		t.Errorf("one for another name: %v", err)
	}
}

func TestServersMaySayWhenToComeBack(t *testing.T) {
	for said, want := range map[string][2]time.Duration{
		"120":       {120 * time.Second, 120 * time.Second},
		"0":         {0, 0},
		"-5":        {0, 0},
		"soon":      {0, 0},
		"999999999": {7 * 24 * time.Hour, 7 * 24 * time.Hour},
		time.Now().Add(time.Hour).UTC().Format(http.TimeFormat):  {50 * time.Minute, time.Hour},
		time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): {0, 0},
	} {
		address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", said)
			w.WriteHeader(http.StatusTooManyRequests)
		})
		answer, err := post(t, newClient(t, outward.Options{Allow: loopback}), address)
		if err != nil || answer.Status != 429 || answer.RetryAfter < want[0] || answer.RetryAfter > want[1] {
			t.Errorf("%q is read as %+v (%v)", said, answer, err)
		}
	}
}

func TestWhyThereIsNoAnswerIsSaidInPlainWords(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	_ = l.Close()
	_, err = post(t, newClient(t, outward.Options{Allow: loopback}), "http://"+gone)
	if got := outward.Explain(err); got != "it refused the connection" || outward.Reached(err) {
		t.Errorf("%q for %v", got, err)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{IsNotFound: true, Server: "10.0.0.53:53"}, "its name leads to no public address"},
		{&net.DNSError{IsTimeout: true, Server: "10.0.0.53:53"}, "its name could not be resolved"},
		{context.DeadlineExceeded, "it did not answer in time"},
		{errors.New("read tcp 10.0.0.1:5->1.1.1.1:443: strange"), "the connection failed before it answered"},
	} {
		if got := outward.Explain(fmt.Errorf("sending a request: %w", c.err)); got != c.want {
			t.Errorf("%v is explained by %q", c.err, got)
		}
	}
}
