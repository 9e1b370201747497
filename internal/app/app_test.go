package app_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"parkwire/internal/app"
	"parkwire/internal/config"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
	"parkwire/internal/trace/tracetest"
	"parkwire/test/e2e/stack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// platform is a running [app.App].
type platform struct {
	t      *testing.T
	app    *app.App
	url    string
	token  string
	client *http.Client
	end    func() error // ends it and returns what Run returned
}

// makeApp makes what `parkwire all` runs, with the given settings besides those that keep tests apart.
func makeApp(t *testing.T, settings ...string) (*app.App, *config.Resolved) {
	t.Helper()
	loader := config.NewLoader()
	flags := flag.NewFlagSet("all", flag.ContinueOnError)
	loader.RegisterFlags(flags)
	settings = append([]string{"--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--data-dir=" + filepath.Join(t.TempDir(), "data"), "--drain-window=1s"}, settings...)
	if err := flags.Parse(settings); err != nil {
		t.Fatal(err)
	}
	if err := loader.Load(nil); err != nil {
		t.Fatal(err)
	}
	c, err := loader.Resolve(config.All)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(c, app.Options{Version: "test", Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return a, c
}

// start runs a platform. It waits until the address for clients is served, and for nothing else.
func start(t *testing.T, settings ...string) *platform {
	t.Helper()
	a, c := makeApp(t, settings...)
	verifier, err := app.Verifier(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{t: t, app: a, client: &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}}
	if p.token, err = verifier.Issue(identity.Principal{Subject: "tester", Scopes: []string{identity.ScopeOperate}}, time.Hour); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	p.end = func() error {
		cancel()
		p.client.CloseIdleConnections()
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() { p.end() })
	p.eventually("the address for clients is served", func() bool { return a.URL() != "" })
	p.url = a.URL()
	return p
}

func (p *platform) eventually(what string, holds func() bool) {
	p.t.Helper()
	for giveUp := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(giveUp) {
			p.t.Fatalf("after a minute still not: %s; it is not ready because of: %v", what, p.app.Ready())
		}
	}
}

// do sends a request with JSON and returns the status and the answer.
func (p *platform) do(method, path, body string) (status int, answer string) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// add adds a lot and a spot.
func (p *platform) add(lot, spot string) {
	p.t.Helper()
	if status, answer := p.do("POST", "/api/v1/lots", `{"id":"`+lot+`","name":"x"}`); status != http.StatusCreated {
		p.t.Fatalf("adding lot %s: %d %s", lot, status, answer)
	}
	if status, answer := p.do("POST", "/api/v1/lots/"+lot+"/spots", `{"spotId":"`+spot+`"}`); status != http.StatusCreated {
		p.t.Fatalf("adding spot %s: %d %s", spot, status, answer)
	}
}

// listen opens a WebSocket.
func (p *platform) listen(query string) *websocket.Conn {
	p.t.Helper()
	conn, _, err := websocket.Dial(p.t.Context(), p.url+"/notifications"+query, &websocket.DialOptions{HTTPClient: &http.Client{Transport: p.client.Transport}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { conn.CloseNow() })
	return conn
}

// hears checks that the next event is the adding of the spot.
func (p *platform) hears(conn *websocket.Conn, spot string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	_, frame, err := conn.Read(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	e, err := event.Decode(frame)
	if err != nil || e.SpotID != spot || e.Change != event.ChangeAdded || e.Version != 1 {
		p.t.Errorf("heard %s (%v) and not that %s was added", frame, err, spot)
	}
}

func TestTheWholePlatformStartsTellsWhatIsWrittenAndLeavesNothingBehind(t *testing.T) {
	p := start(t, "--kafka-listen="+stack.Address(stack.Port(t)))
	p.eventually("the platform is ready", func() bool { return p.app.Ready() == nil })
	conn := p.listen("?lot=central")
	p.add("north", "N-1")
	p.add("central", "C-1")
	p.hears(conn, "C-1")
	closed := make(chan websocket.StatusCode, 1)
	go func() {
		_, _, err := conn.Read(context.Background())
		closed <- websocket.CloseStatus(err)
	}()
	if err := p.end(); err != nil {
		t.Errorf("it did not end well: %v", err)
	}
	if code := <-closed; code != websocket.StatusServiceRestart {
		t.Errorf("the client was sent away with %d and not with 1012", code)
	}
	if err := p.app.Ready(); err == nil || !strings.Contains(err.Error(), "shutting down") {
		t.Errorf("what has ended says of its readiness: %v", err)
	}
}

func TestAPlatformWithoutABusFollowsTheLog(t *testing.T) {
	p := start(t, "--kafka-listen="+stack.Address(stack.Port(t)), "--live-fanout=kafka")
	p.eventually("the platform is ready", func() bool { return p.app.Ready() == nil })
	conn := p.listen("")
	p.add("central", "C-1")
	p.hears(conn, "C-1")
	if err := p.end(); err != nil {
		t.Errorf("it did not end well: %v", err)
	}
}

func TestWithoutKafkaThePlatformSaysSoKeepsWhatIsWrittenAndTellsItLater(t *testing.T) {
	address := stack.Address(stack.Port(t))
	p := start(t, "--kafka-brokers="+address)
	p.eventually("the reason is told", func() bool { err := p.app.Ready(); return err != nil && strings.Contains(err.Error(), "Kafka") })
	p.eventually("the database is there", func() bool { status, _ := p.do("GET", "/api/v1/lots", ""); return status == http.StatusOK })
	p.add("central", "C-1")

	broker, err := kafkalog.StartBroker(t.Context(), kafkalog.BrokerOptions{Dir: t.TempDir(), Listen: address, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close() })
	p.eventually("the platform is ready", func() bool { return p.app.Ready() == nil })
	p.eventually("what was written before is in the log", func() bool {
		_, answer := p.do("GET", "/api/v1/events", "")
		return strings.Contains(answer, `"C-1"`)
	})
	conn := p.listen("")
	p.add("north", "N-1")
	p.hears(conn, "N-1")
	if err := p.end(); err != nil {
		t.Errorf("it did not end well: %v", err)
	}
}

// A proxy that only moves bytes goes elsewhere only where it cannot connect.
func TestTheAddressForProxiesIsServedOnlyByAPlatformThatIsReady(t *testing.T) {
	kafka, proxied := stack.Address(stack.Port(t)), stack.Address(stack.Port(t))
	p := start(t, "--kafka-brokers="+kafka, "--listen-proxied="+proxied)
	p.eventually("the database is there", func() bool { status, _ := p.do("GET", "/api/v1/lots", ""); return status == http.StatusOK })
	if conn, err := net.Dial("tcp", proxied); err == nil {
		conn.Close()
		t.Errorf("it can be connected to, and the platform is not ready: %v", p.app.Ready())
	}
	broker, err := kafkalog.StartBroker(t.Context(), kafkalog.BrokerOptions{Dir: t.TempDir(), Listen: kafka, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close() })
	p.eventually("the platform is ready", func() bool { return p.app.Ready() == nil })
	conn, err := net.Dial("tcp", proxied)
	if err != nil {
		t.Fatalf("the platform is ready: %v", err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PROXY TCP4 192.0.2.7 127.0.0.1 12345 5001\r\nGET /api/v1/lots HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200 OK") {
		t.Errorf("%q, %v", answer, err)
	}
}

func TestAPlatformThatWaitsForKafkaEndsWhenItIsTold(t *testing.T) {
	p := start(t, "--kafka-brokers="+stack.Address(stack.Port(t)))
	began := time.Now()
	if err := p.end(); err != nil {
		t.Errorf("it did not end well: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAPortInUseNamesItsSetting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, setting := range []string{"listen", "listen-proxied", "admin-listen", "kafka-listen"} {
		a, _ := makeApp(t, "--kafka-listen="+stack.Address(stack.Port(t)), "--"+setting+"="+l.Addr().String())
		if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "in use") || !strings.Contains(err.Error(), "--"+setting) {
			t.Errorf("%s: it ended with %v", setting, err)
		}
	}
}

func TestAProcessIsNamedInTracesByItsHostAndPort(t *testing.T) {
	c, port := tracetest.New(t), stack.Port(t)
	p := start(t, "--listen="+stack.Address(port), "--trace-endpoint="+c.URL, "--trace-share=1")
	p.do("GET", "/api/v1/lots", "")
	if err := p.end(); err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	spans := c.Spans()
	if want := fmt.Sprint(host, ":", port); len(spans) == 0 || spans[0].Instance != want {
		t.Errorf("the spans are %+v; they should be of %s", spans, want)
	}
}
