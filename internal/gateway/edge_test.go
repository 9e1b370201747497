package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
		if h := preflight.header.Get("Access-Control-Allow-Headers"); !strings.Contains(h, "Authorization") || !strings.Contains(h, "X-Api-Key") || !strings.Contains(h, "If-Match") {
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
		"no host":                          {"GET /api/v1/lots HTTP/1.1\r\n\r\n", "400"},
		"two hosts":                        {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"},
		"a host that is none":              {"GET /api/v1/lots HTTP/1.1\r\nHost: x y\r\n\r\n", "400"},
		"two encodings":                    {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501"},
		"an encoding within another":       {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "501"},
		"an encoding in disguise":          {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "400"},
		"an encoding on a folded line":     {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nX: y\r\n Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n", "200"},
		"an encoding of HTTP/1.0":          {"GET /api/v1/lots HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "200"},
		"a chunk of a negative size":       {"POST /api/v1/lots HTTP/1.1\r\nHost: x\r\nAuthorization: TOKEN\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", "400"},
		"a chunk of a size that overflows": {"POST /api/v1/lots HTTP/1.1\r\nHost: x\r\nAuthorization: TOKEN\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n", "400"},
		"a chunk that is longer than said": {"POST /api/v1/lots HTTP/1.1\r\nHost: x\r\nAuthorization: TOKEN\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n", "400"},
		"a negative length":                {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"},
		"a length in a list":               {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello", "400"},
		"a length that overflows":          {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"},
		"a null in a header":               {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", "400"},
		"a lone CR in a header":            {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nX: a\rTransfer-Encoding: chunked\r\n\r\n", "400"},
		"a header without a name":          {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", "400"},
		"a path with a space":              {"GET /api/v1/lots x HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
		"a path with a line end":           {"GET /api/v1/lots%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "404"},
		"another version":                  {"GET /api/v1/lots HTTP/3.7\r\nHost: x\r\n\r\n", "505"},
		"HTTP/2 without TLS":               {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "404"},
		"an upgrade to HTTP/2":             {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n", "200"},
		"very much header":                 {"GET /api/v1/lots HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 2<<20) + "\r\n\r\n", "431"},
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
			go io.WriteString(conn, strings.ReplaceAll(c.raw, "TOKEN", "Bearer "+g.token("operate")))
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

func TestEveryAnswerProtectsTheBrowserThatGetsIt(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) {
		o.Limiter = limit.NewLocal(limit.Rate{PerSecond: 0.001, Burst: 1}, nil)
		o.Live = newProxy(t, "live", serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("X-Content-Type-Options", "nosniff")
		})).URL)
	})
	b.dashboard.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "script-src 'self'")
	}
	for status, request := range map[int][]string{
		200: {"GET", "/api/v1/lots", "read"}, 404: {"GET", "/api/v1/nothing", "operate"}, 401: {"POST", "/api/v1/lots", ""},
		403: {"POST", "/api/v1/lots", "read"}, 405: {"BREW", "/api/v1/lots", "read"}, 204: {"OPTIONS", "/api/v1/lots", "read"},
	} {
		a := newBench(t, nil)
		var headers []string
		if request[2] != "" {
			headers = []string{"Authorization", "Bearer " + a.token(request[2])}
		}
		answer := a.do(request[0], request[1], nil, headers...)
		if answer.status != status {
			t.Errorf("%v is answered %d", request, answer.status)
		}
		protects(t, fmt.Sprint(request), answer.header, "default-src 'none'; frame-ancestors 'none'")
	}
	protects(t, "the dashboard", b.do("GET", "/", nil).header, "script-src 'self'")
	limited := b.do("GET", "/api/v1/lots", nil)
	b.refused(limited, 429, "rate-limited")
	protects(t, "429", limited.header, "default-src 'none'; frame-ancestors 'none'")
	protects(t, "a stream", b.do("GET", "/notifications", nil, "Accept", "text/event-stream").header, "default-src 'none'; frame-ancestors 'none'")
}

func protects(t *testing.T, what string, h http.Header, policy string) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": policy, "Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Strict-Transport-Security": "",
	} {
		if got := strings.Join(h.Values(name), "|"); got != want {
			t.Errorf("%s: %s is %q", what, name, got)
		}
	}
}

func TestBrowsersKeepToTLSWhereTheHostHasAName(t *testing.T) {
	b := newBench(t, nil)
	secure := httptest.NewTLSServer(b.gateway.Handler())
	defer secure.Close()
	for host, want := range map[string]string{
		"parking.example.org": "max-age=31536000", "parking.example.org:443": "max-age=31536000", "localhost:5000": "", "a.localhost": "", "127.0.0.1:5000": "", "[::1]": "",
	} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", secure.URL+"/api/v1/lots", nil)
		r.Host = host
		response, err := secure.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q", host, got)
		}
	}
}

func TestOtherHostsThanThoseListedAreNotServed(t *testing.T) {
	b := newBench(t, func(o *gateway.Options) { o.Hosts = []string{"Parking.example.org", "10.0.0.5", "2001:db8::1"} })
	ask := func(host string) answer {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", b.server.URL+"/api/v1/lots", nil)
		r.Host = host
		response, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		return answer{response.StatusCode, response.Header, string(text)}
	}
	for _, host := range []string{"parking.example.org", "PARKING.example.org:443", "parking.example.org.", "10.0.0.5:5000", "[2001:db8::1]:5000", "[2001:DB8::1]"} {
		if a := ask(host); a.status != 200 {
			t.Errorf("%s: %d %s", host, a.status, a.body)
		}
	}
	for _, host := range []string{"evil.example.org", "parking.example.org.evil.org", "10.0.0.6", "[::1]:5000", "localhost"} {
		b.refused(ask(host), 421, "host-not-served")
	}
	if n := len(b.parking.requests()); n != 6 {
		t.Errorf("%d requests reached the part", n)
	}
}
