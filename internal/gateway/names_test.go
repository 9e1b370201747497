package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/internal/gateway"
)

// A crew is instances of a part at addresses of their own and one port, as those of a name are.
type crew struct {
	t    *testing.T
	port int
}

func newCrew(t *testing.T) *crew {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: only on Linux is all of 127.0.0.0/8 this machine")
	}
	l, err := net.Listen("tcp", "0.0.0.0:0") // a port that is free at each
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return &crew{t, l.Addr().(*net.TCPAddr).Port}
}

// start starts an instance at an address.
func (c *crew) start(address string, h http.Handler) *httptest.Server {
	c.t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", address, c.port))
	if err != nil {
		c.t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Listener.Close()
	server.Listener = l
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	c.t.Cleanup(server.Close)
	return server
}

func (c *crew) url(name string) string { return fmt.Sprintf("dns+http://%s:%d", name, c.port) }

// answersBy sends requests until every instance that is wanted, and no other, has answered 40 in a row.
func answersBy(b *bench, names ...string) {
	b.t.Helper()
	want := map[string]bool{}
	for _, name := range names {
		want[name] = true
	}
	var last map[string]int
	eventually(b.t, fmt.Sprintf("requests go to %v alone", names), func() bool {
		last = map[string]int{}
		for range 40 {
			last[b.do("GET", "/api/v1/lots", nil).body]++
		}
		for name := range last {
			if !want[name] {
				return false
			}
		}
		return len(last) == len(want)
	})
}

func named(t *testing.T, dns *nameServer, part, url string) *gateway.Proxy {
	return runProxy(t, gateway.ProxyOptions{URLs: []string{url}, Name: part, LookupInterval: 20 * time.Millisecond, DialNames: dns.dial})
}

func TestANameStandsForAnInstanceAtEachOfItsAddresses(t *testing.T) {
	dns, c := newNameServer(t), newCrew(t)
	for i := 1; i <= 4; i++ {
		c.start(fmt.Sprintf("127.0.0.%d", i), &fake{name: fmt.Sprint("parking ", i)})
	}
	dns.set("parking.test", "127.0.0.1", "127.0.0.2")
	b := newBench(t, func(o *gateway.Options) { o.Parking = named(t, dns, "parking", c.url("parking.test")) })
	if a := b.do("GET", "/api/v1/lots", nil); a.status != 200 {
		t.Errorf("the first request of all is answered %d %s", a.status, a.body)
	}
	answersBy(b, "parking 1", "parking 2")
	dns.set("parking.test", "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")
	answersBy(b, "parking 1", "parking 2", "parking 3", "parking 4")
	dns.set("parking.test", "127.0.0.4")
	answersBy(b, "parking 4")
	dns.set("parking.test", "127.0.0.4", "127.0.0.1")
	answersBy(b, "parking 4", "parking 1")
}

func TestAnInstanceOfANameThatIsAwayIsPassedOver(t *testing.T) {
	dns, c := newNameServer(t), newCrew(t)
	one := c.start("127.0.0.1", &fake{name: "parking 1"})
	c.start("127.0.0.2", &fake{name: "parking 2"})
	dns.set("parking.test", "127.0.0.1", "127.0.0.2", "127.0.0.3") // where nobody is
	b := newBench(t, func(o *gateway.Options) { o.Parking = named(t, dns, "parking", c.url("parking.test")) })
	answersBy(b, "parking 1", "parking 2")
	one.CloseClientConnections()
	one.Close()
	for i := range 40 {
		if a := b.do("POST", "/api/v1/lots", strings.NewReader("{}"), "Authorization", "Bearer "+b.token("operate"), "Idempotency-Key", fmt.Sprint(i)); a.body != "parking 2" {
			t.Fatalf("write %d is answered %d %s", i, a.status, a.body)
		}
	}
}

func TestWhileNobodySaysWhatANameMeansItMeansWhatItDid(t *testing.T) {
	dns, c := newNameServer(t), newCrew(t)
	c.start("127.0.0.1", &fake{name: "parking 1"})
	dns.set("parking.test", "127.0.0.1")
	proxy := named(t, dns, "parking", c.url("parking.test"))
	b := newBench(t, func(o *gateway.Options) { o.Parking = proxy })
	eventually(t, "the instance is ready", func() bool { return proxy.Ready() == nil })

	dns.setFailing("")
	dns.afterLookups()
	if a := b.do("GET", "/api/v1/lots", nil); a.body != "parking 1" || proxy.Ready() != nil {
		t.Errorf("while the name server fails, a request is answered %d %s, and the part is said to be %v", a.status, a.body, proxy.Ready())
	}
	dns.setFailing()
	dns.set("parking.test") // which says for certain that there is nobody
	eventually(t, "the part is not ready", func() bool { return proxy.Ready() != nil })
	if err := proxy.Ready(); !strings.Contains(err.Error(), "parking.test") || !strings.Contains(err.Error(), "no address") {
		t.Errorf("of a name without addresses it is said: %v", err)
	}
	if p := b.refused(b.do("GET", "/api/v1/lots", nil), 503, "unavailable"); !strings.Contains(p.Detail, "Nothing was done") {
		t.Errorf("a request to nobody: %s", p.Detail)
	}
	b.refused(b.do("POST", "/api/v1/lots", strings.NewReader("{}"), "Authorization", "Bearer "+b.token("operate")), 503, "unavailable")
	dns.set("parking.test", "127.0.0.1")
	answersBy(b, "parking 1")
}

// The same host commonly has addresses of both kinds, and the name server may fail for one.
func TestAnAnswerForOneKindOfAddressAloneChangesNothing(t *testing.T) {
	dns, c := newNameServer(t), newCrew(t)
	c.start("127.0.0.1", &fake{name: "by IPv4"})
	dns.set("parking.test", "127.0.0.1", "2001:db8::7")
	proxy := named(t, dns, "parking", c.url("parking.test"))
	b := newBench(t, func(o *gateway.Options) { o.Parking = proxy })
	answersBy(b, "by IPv4")
	for _, kind := range []string{"TypeA?", "TypeAAAA?"} {
		dns.setFailing(kind)
		dns.afterLookups()
		answersBy(b, "by IPv4")
	}
	c.start("127.0.0.2", &fake{name: "another"})
	dns.set("parking.test", "127.0.0.2") // while IPv6 still fails, which nobody needs
	answersBy(b, "another")
	if log := b.log.String(); strings.Contains(log, "2001:db8") {
		t.Errorf("an instance is taken for another one: %s", log)
	}
}

// An instance that leaves disappears from the name before it has sent its clients away.
func TestAnInstanceThatANameDoesNotLeadToAnyMoreKeepsItsStreams(t *testing.T) {
	dns, c := newNameServer(t), newCrew(t)
	var probes atomic.Int64
	leaving := echoing(t)
	c.start("127.0.0.1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			probes.Add(1)
		}
		leaving.ServeHTTP(w, r)
	}))
	var others atomic.Int64
	staying := echoing(t)
	c.start("127.0.0.2", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			others.Add(1)
		}
		staying.ServeHTTP(w, r)
	}))
	dns.set("live.test", "127.0.0.1")
	proxy := named(t, dns, "live", c.url("live.test"))
	b := newBench(t, func(o *gateway.Options) { o.Live = proxy })
	conn := b.listen(t)
	say := func(text string) {
		t.Helper()
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, heard, err := conn.Read(t.Context()); err != nil || string(heard) != " "+text {
			t.Fatalf("%q came back as %q, %v", text, heard, err)
		}
	}
	say("before")
	dns.set("live.test", "127.0.0.2")
	dns.afterLookups()
	dns.afterLookups()
	say("after")
	eventually(t, "who comes now goes to the other one", func() bool {
		before := others.Load()
		b.listen(t).CloseNow()
		return others.Load() > before
	})
	if before := probes.Load(); before == 0 {
		t.Error("the instance was not asked whether it is ready")
	}
	say("still") // it is watched as long as there is something to watch for
	conn.CloseNow()
	eventually(t, "nobody asks the instance any more", func() bool {
		before := probes.Load()
		dns.afterLookups()
		dns.afterLookups()
		return probes.Load() == before
	})
}

// listen opens a WebSocket of notifications.
func (b *bench) listen(t *testing.T) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), b.server.URL+"/notifications", &websocket.DialOptions{HTTPClient: &http.Client{Transport: b.client.Transport}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// Of addresses of both kinds those of IPv4 count, as both commonly lead to the same process.
func TestAnInstanceWithTwoKindsOfAddressesIsOne(t *testing.T) {
	dns, c := newNameServer(t), newCrew(t)
	c.start("127.0.0.1", &fake{name: "by IPv4"})
	dns.set("parking.test", "127.0.0.1", "::1", "2001:db8::7")
	b := newBench(t, func(o *gateway.Options) { o.Parking = named(t, dns, "parking", c.url("parking.test")) })
	answersBy(b, "by IPv4")
	if log := b.log.String(); strings.Contains(log, "2001:db8") {
		t.Errorf("the address of the other kind was used: %s", log)
	}
}

// As many streams are opened at once as there are instances for, also when some come later.
func TestMoreInstancesOpenMoreStreamsAtOnce(t *testing.T) {
	dns, c := newNameServer(t), newCrew(t)
	hold := make(chan struct{})
	var met atomic.Int64
	holding := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/readyz" {
			return
		}
		met.Add(1)
		<-hold
	})
	for i := 1; i <= 3; i++ {
		c.start(fmt.Sprintf("127.0.0.%d", i), holding)
	}
	dns.set("live.test", "127.0.0.1")
	proxy := runProxy(t, gateway.ProxyOptions{
		URLs: []string{c.url("live.test")}, Name: "live", LookupInterval: 20 * time.Millisecond, DialNames: dns.dial,
		Handshakes: 2, HandshakeTimeout: forEver, HandshakeWait: forEver,
	})
	b := newBench(t, func(o *gateway.Options) { o.Live = proxy })
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	ask := func(n int) {
		for range n {
			asking.Go(func() {
				r, err := http.NewRequestWithContext(ctx, "GET", b.server.URL+"/notifications", nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Accept", "text/event-stream")
				if response, err := b.client.Do(r); err == nil {
					response.Body.Close()
				}
			})
		}
	}
	ask(9)
	eventually(t, "one instance opens two", func() bool { return met.Load() == 2 })
	dns.afterLookups()
	if n := met.Load(); n != 2 {
		t.Errorf("%d are being opened at once at an instance that takes 2", n)
	}
	dns.set("live.test", "127.0.0.1", "127.0.0.2", "127.0.0.3")
	eventually(t, "three instances open six, without one of the first being done", func() bool { return met.Load() == 6 })
	cancel()
	close(hold)
	asking.Wait()
}
