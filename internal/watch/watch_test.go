package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	parkwire "parkwire/clients/go"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var utc = time.UTC

const (
	occupied = `{"type":"ParkingSpotUpdated","spotId":"A-017","status":"occupied","timestamp":"2026-11-24T03:35:00.123Z","eventId":"e",` +
		`"change":"occupied","previousStatus":"free","version":42,"lotId":"central","zoneId":"central-L1","source":"sensor"}`
	added   = `{"spotId":"B-1","status":"free","timestamp":"2026-11-24T03:35:01.000Z","change":"added","version":1,"lotId":"west","source":"operator"}`
	foreign = `{"type":"ParkingSpotUpdated","spotId":"X` + "\\u001b[2J" + `","status":"free"}`
)

func TestEventsAreAlignedLines(t *testing.T) {
	var out bytes.Buffer
	p := printer{out: &out, zone: utc}
	for _, e := range []string{occupied, added, foreign} {
		if err := p.print([]byte(e)); err != nil {
			t.Fatal(err)
		}
	}
	want := "" +
		"2026-11-24 03:35:00.123  occupied  A-017  central central-L1  free → occupied  v42  sensor\n" +
		"2026-11-24 03:35:01.000  added     B-1    west                     → free  v1  operator\n"
	if !strings.HasPrefix(out.String(), want) {
		t.Errorf("printed\n%snot\n%s", out.String(), want)
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Errorf("what another program wrote reaches the terminal as it is: %q", out.String())
	}
}

func TestColoursAreUsedWhereTheyAreWanted(t *testing.T) {
	for _, colours := range []bool{false, true} {
		var out bytes.Buffer
		p := printer{out: &out, zone: utc, colours: colours}
		if err := p.print([]byte(occupied)); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "\x1b[31moccupied\x1b[0m"); got != colours {
			t.Errorf("colours %v: %q", colours, out.String())
		}
	}
}

// platform sends the messages of one connection after the other, and then nothing more.
func platform(t *testing.T, connections ...[]string) string {
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"parkwire.v1"}})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		write := func(format string, args ...any) {
			_ = conn.Write(r.Context(), websocket.MessageText, fmt.Appendf(nil, format, args...))
		}
		write(`{"type":"Welcome","protocol":"parkwire.v1","cursor":"c0","heartbeatMs":60000}`)
		for {
			_, message, err := conn.Read(r.Context())
			var asked struct {
				ID, After   string
				Lot, Status []string
			}
			if err != nil || json.Unmarshal(message, &asked) != nil {
				return
			}
			switch {
			case slices.Contains(asked.Status, "full"):
				write(`{"type":"Error","id":%q,"code":"invalid-filter","field":"status","message":"The status \"full\" is not known."}`, asked.ID)
				continue
			case asked.After == "old":
				write(`{"type":"Error","id":%q,"code":"cursor-expired","message":"too old"}`, asked.ID)
				continue
			}
			write(`{"type":"Subscribed","id":%q,"cursor":"c0"}`, asked.ID)
			mu.Lock()
			var frames []string
			if len(connections) > 0 {
				frames, connections = connections[0], connections[1:]
			}
			mu.Unlock()
			for n, f := range frames {
				write(`{"type":"Events","events":[%s],"cursor":"c%d"}`, f, n+1)
			}
			if frames != nil {
				conn.Close(1012, "this instance restarts retry-after-ms=1")
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// watched is a writer that ends the watching when what it waits for was printed.
type watched struct {
	bytes.Buffer
	until string
	end   func()
}

func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Buffer.Write(b)
	if strings.Contains(w.String(), w.until) {
		w.end()
	}
	return n, err
}

func watchUntil(t *testing.T, url, until string, change func(*Options)) (out, log string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stdout, stderr := &watched{until: until, end: cancel}, &bytes.Buffer{}
	o := Options{URL: url, Backoff: func(int) time.Duration { return time.Millisecond }, Out: stdout, Err: stderr, Zone: utc}
	change(&o)
	err = Run(ctx, o)
	return stdout.String(), stderr.String(), err
}

func TestWatchingGoesOnOverLostConnectionsAndSaysSo(t *testing.T) {
	url := platform(t, []string{occupied}, []string{added})
	out, log, err := watchUntil(t, url, "B-1", func(o *Options) { o.Lots = []string{"central", "west"} })
	if err != nil || strings.Count(out, "\n") != 2 {
		t.Errorf("%v, printed:\n%s", err, out)
	}
	if !strings.Contains(log, "not connected") || !strings.Contains(log, "restarts") || !strings.Contains(log, "connected again") {
		t.Errorf("of the loss was told:\n%s", log)
	}
}

func TestJSONIsPrintedAsItCameOneEventALine(t *testing.T) {
	url := platform(t, []string{occupied, "{\n \"spotId\": \"B-1\"\n}"})
	out, _, err := watchUntil(t, url, "B-1", func(o *Options) { o.JSON = true })
	if err != nil || out != strings.TrimSuffix(occupied, "}")+`,"cursor":"c1"}`+"\n"+`{"spotId":"B-1","cursor":"c2"}`+"\n" {
		t.Errorf("%v, printed:\n%s", err, out)
	}
}

func TestACursorThatHasExpiredIsToldAndWatchingGoesOn(t *testing.T) {
	out, log, err := watchUntil(t, platform(t, []string{added}), "B-1", func(o *Options) { o.After = "old" })
	if err != nil || strings.Count(out, "\n") != 1 || !strings.Contains(log, "some are missing here") {
		t.Errorf("%v, printed:\n%s\ntold:\n%s", err, out, log)
	}
}

func TestATokenThatIsRefusedIsAdvisedUpon(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }))
	t.Cleanup(server.Close)
	_, _, err := watchUntil(t, server.URL, "never", func(*Options) {})
	if err == nil || !strings.Contains(err.Error(), "PARKWIRE_TOKEN") {
		t.Errorf("%v", err)
	}
}

func TestAFilterThatIsRefusedEndsTheWatching(t *testing.T) {
	_, _, err := watchUntil(t, platform(t), "never", func(o *Options) { o.Statuses = []parkwire.Status{"full"} })
	if err == nil || !strings.Contains(err.Error(), `The status "full" is not known.`) {
		t.Errorf("%v; the platform's reason was expected", err)
	}
}

func TestAnOutputThatIsClosedEndsTheWatching(t *testing.T) {
	broken := errors.New("broken pipe")
	_, _, err := watchUntil(t, platform(t, []string{occupied}), "never", func(o *Options) { o.Out = failing{broken} })
	if !errors.Is(err, broken) {
		t.Errorf("%v; %v was expected", err, broken)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
