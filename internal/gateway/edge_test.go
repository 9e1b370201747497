package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parkwire/internal/gateway"
	"parkwire/internal/limit"
)

func TestABodyThatIsTooLargeNeverReachesAPart(t *testing.T) {
	b := newBench(t, nil)
	operate := "Bearer " + b.token("operate")
	large, right := strings.Repeat("x", 1001), strings.Repeat("x", 1000)
	chunked := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) } // hides its length
	b.refused(b.do("POST", "/api/v1/lots", strings.NewReader(large), "Authorization", operate), 413, "body-too-large")
	p := b.refused(b.do("POST", "/api/v1/lots", chunked(large), "Authorization", operate), 413, "body-too-large")
	if p.Extras["limit"] != 1000.0 {
		t.Errorf("the problem does not say the limit: %+v", p)
	}
	b.refused(b.do("POST", "/api/v1/lots", chunked(large)), 401, "token-required") // and is not read for nobody
	if n := len(b.parking.requests()); n != 0 {
		t.Fatalf("%d of them reached the part", n)
	}
	for _, body := range []io.Reader{strings.NewReader(right), chunked(right)} {
		if a := b.do("POST", "/api/v1/lots", body, "Authorization", operate); a.status != 200 {
			t.Errorf("a body of just the limit: %d %s", a.status, a.body)
		}
	}
	for _, got := range b.parking.requests() {
		if got.body != right || got.length != 1000 {
			t.Errorf("the part saw %d bytes and was told of %d", len(got.body), got.length)
		}
	}
	b.do("GET", "/api/v1/lots", chunked("x"))
	b.do("DELETE", "/api/v1/lots/a", strings.NewReader("x"), "Authorization", operate)
	for _, got := range b.parking.requests()[2:] {
		if got.body != "" || got.length != 0 || got.header.Get("Content-Length") != "" {
			t.Errorf("the body of a %s reached the part: %+v", got.method, got)
		}
	}
}

func TestManyBodiesOfUnknownLengthAreServedInTurn(t *testing.T) {
	b := newBench(t, nil)
	operate := "Bearer " + b.token("operate")
	done := make(chan int, 50)
	for range 50 {
		go func() {
			r, _ := http.NewRequest("POST", b.server.URL+"/api/v1/lots", io.MultiReader(strings.NewReader("{}")))
			r.Header.Set("Authorization", operate)
			response, err := b.client.Do(r)
			if err != nil {
				done <- 0
				return
			}
			response.Body.Close()
			done <- response.StatusCode
		}()
	}
	for range 50 {
		if status := <-done; status != 200 {
			t.Errorf("status %d", status)
		}
	}
}

func TestWhoAsksTooMuchIsToldHowLongToWait(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	b := newBench(t, func(o *gateway.Options) {
		o.Limiter = limit.NewLocal(limit.Rate{PerSecond: 0.5, Burst: 2}, func() time.Time { return now })
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	b.do("GET", "/api/v1/lots", nil)
	b.do("GET", "/notifications", nil)
	a := b.do("GET", "/api/v1/lots", nil)
	b.refused(a, 429, "rate-limited")
	if a.header.Get("Retry-After") != "2" {
		t.Errorf("Retry-After %q, want 2", a.header.Get("Retry-After"))
	}
	if a := b.do("GET", "/api/v1/lots", nil, "Authorization", "Bearer "+b.token("read")); a.status != 200 {
		t.Errorf("a token from the same address: %d", a.status)
	}
	if a := b.do("GET", "/api/v1/lots", nil, "X-Forwarded-For", "198.51.100.7"); a.status != 200 {
		t.Errorf("another client behind the same proxy: %d", a.status)
	}
	for i := range 3 { // what a client writes to the left makes it no other client
		a = b.do("GET", "/api/v1/lots", nil, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d, 198.51.100.8", i))
	}
	b.refused(a, 429, "rate-limited")
	for range 3 {
		a = b.do("GET", "/api/v1/lots", nil, "X-Forwarded-For", "198.51.100.9", "Authorization", "Bearer guess")
	}
	b.refused(a, 429, "rate-limited")
}

func TestPagesOfListedSitesMayReadAnswers(t *testing.T) {
	for _, c := range []struct {
		origins       []string
		origin, allow string
	}{
		{nil, "https://a.example", ""},
		{[]string{"https://a.example"}, "https://a.example", "https://a.example"},
		{[]string{"https://a.example"}, "https://b.example", ""},
		{[]string{"*"}, "https://b.example", "*"},
	} {
		b := newBench(t, func(o *gateway.Options) { o.CORSOrigins = c.origins; o.ReadPublic = false })
		preflight := b.do("OPTIONS", "/api/v1/spots/x", nil, "Origin", c.origin, "Access-Control-Request-Method", "PATCH")
		if preflight.status != 204 || preflight.header.Get("Access-Control-Allow-Origin") != c.allow {
			t.Errorf("%+v: the preflight is answered %d %v", c, preflight.status, preflight.header)
		}
		refusal := b.do("GET", "/api/v1/spots/x", nil, "Origin", c.origin)
		b.refused(refusal, 401, "token-required")
		if refusal.header.Get("Access-Control-Allow-Origin") != c.allow {
			t.Errorf("%+v: a refusal has %v", c, refusal.header)
		}
		if c.allow == "" {
			continue
		}
		if m := preflight.header.Get("Access-Control-Allow-Methods"); m != "DELETE, GET, HEAD, OPTIONS, PATCH" {
			t.Errorf("methods %q", m)
		}
		if h := preflight.header.Get("Access-Control-Allow-Headers"); !strings.Contains(h, "Authorization") || !strings.Contains(h, "If-Match") {
			t.Errorf("headers %q", h)
		}
		if h := refusal.header.Get("Access-Control-Expose-Headers"); h != "Content-Disposition, ETag, Idempotent-Replayed, Location, Retry-After, X-Request-Id" {
			t.Errorf("exposed %q", h)
		}
		if vary := refusal.header.Get("Vary"); (vary == "Origin") != (c.allow != "*") {
			t.Errorf("%+v: Vary %q", c, vary)
		}
	}
}

// What a request is, where it ends and the next begins is read by net/http alone, and written anew for
// parts elsewhere. This shows that it holds for the classic ways to make two readers disagree.
func TestRequestsCannotBeSmuggledPastTheGateway(t *testing.T) {
	for name, c := range map[string]struct {
		raw      string
		statuses string
	}{
		"two lengths":                 {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400"},
		"a length that is none":       {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello", "400"},
		"an encoding that is none":    {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", "501"},
		"a space before the colon":    {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello", "400"},
		"a header with an underscore": {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nX_Parkwire_Subject: root\r\nConnection: close\r\n\r\n", "200"},
		// The length is ignored beside chunks: the second request is one of its own and is judged as that.
		"length and chunks": {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
			"DELETE /api/v1/lots/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			remote := serve(t, b.parking)
			proxy := newProxy(t, "parking", remote.URL)
			g := newBench(t, func(o *gateway.Options) { o.Parking = proxy })
			conn, err := net.Dial("tcp", g.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			io.WriteString(conn, c.raw)
			var statuses []string
			for r := bufio.NewReader(conn); ; {
				response, err := http.ReadResponse(r, nil)
				if err != nil {
					break
				}
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
				statuses = append(statuses, fmt.Sprint(response.StatusCode))
			}
			if len(statuses) == 0 || statuses[0] != c.statuses {
				t.Errorf("answered %v, want %s first", statuses, c.statuses)
			}
			for _, got := range b.parking.requests() {
				if got.method != "GET" || got.header.Get("X-Parkwire-Subject") != "" || got.body != "" {
					t.Errorf("the part saw %+v", got)
				}
			}
			if len(b.parking.requests()) > 1 {
				t.Errorf("the part saw %d requests", len(b.parking.requests()))
			}
		})
	}
}
