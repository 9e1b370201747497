package replay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/client"
	"parkwire/internal/client/clienttest"
	"parkwire/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recording has readings of some spots every five minutes, of which every third changes something.
func recording(steps, spots int) (text string, changes []clienttest.Event) {
	var b strings.Builder
	b.WriteString("local_time,spot_id,status\n")
	start := time.Date(1999, 5, 4, 8, 0, 0, 0, time.UTC)
	last := map[string]string{}
	for step := range steps {
		at := start.Add(time.Duration(step) * 5 * time.Minute)
		for n := range spots {
			id, status := fmt.Sprintf("s-%02d", n), []string{"free", "occupied"}[(step+n)/3%2]
			fmt.Fprintf(&b, "%s,%s,%s\n", at.Format("2006-01-02T15:04:05"), id, status)
			if last[id] == status {
				continue
			}
			change := map[string]string{"free": "released", "occupied": "occupied"}[status]
			if last[id] == "" {
				change = "added"
			}
			last[id] = status
			changes = append(changes, clienttest.Event{SpotID: id, Change: change, Status: status, ObservedAt: at})
		}
	}
	return b.String(), changes
}

// run replays text and returns what was said on both streams.
func run(ctx context.Context, p *clienttest.Platform, text string, also ...func(*Options)) (out, log string, err error) {
	var stdout, stderr bytes.Buffer
	o := Options{Client: p.Client(client.Options{}), Input: "-", Stdin: strings.NewReader(text), Lot: "lot", TimeZone: "UTC", Out: &stdout, Err: &stderr}
	for _, change := range also {
		change(&o)
	}
	err = Run(ctx, o)
	return stdout.String(), stderr.String(), err
}

func perSpot(events []clienttest.Event) map[string]string {
	all := map[string]string{}
	for _, e := range events {
		all[e.SpotID] += fmt.Sprintf("%s %s; ", e.Change, e.ObservedAt.Format(time.RFC3339))
	}
	return all
}

func checkEvents(t *testing.T, got, want []clienttest.Event) {
	t.Helper()
	g, w := perSpot(got), perSpot(want)
	for id := range w {
		if g[id] != w[id] {
			t.Errorf("of %s came %q, not %q", id, g[id], w[id])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d events came, not %d", len(got), len(want))
	}
}

func TestAReplayBringsEachChangeOnceHoweverOftenItIsRun(t *testing.T) {
	text, want := recording(200, 30)
	p := clienttest.New()
	out, _, err := run(t.Context(), p, text)
	if err != nil {
		t.Fatal(err)
	}
	checkEvents(t, p.Events(), want)
	if !strings.Contains(out, "6000 readings") || !strings.Contains(out, "30 added") || !strings.Contains(out, fmt.Sprint(len(want)-30, " accepted")) {
		t.Errorf("the summary does not say what happened:\n%s", out)
	}
	if sent := len(p.Requests("POST /api/v1/observations")); sent > 7 {
		t.Errorf("6,000 readings took %d requests", sent)
	}
	if out, _, err = run(t.Context(), p, text); err != nil {
		t.Fatal(err)
	}
	checkEvents(t, p.Events(), want)
	if !strings.Contains(out, "5970 known") || !strings.Contains(out, "30 unchanged") {
		t.Errorf("the summary of the second run does not say that nothing was new:\n%s", out)
	}
}

func TestAStoppedReplayGoesOnWhereItStopped(t *testing.T) {
	text, want := recording(200, 30)
	p := clienttest.New()
	for stop := 1; ; stop++ {
		ctx, cancel := context.WithCancel(t.Context())
		p.Swallow = func(r *http.Request) bool { // the answer to the second batch goes lost, with the whole program
			if r.URL.Path == "/api/v1/observations" && len(p.Requests("POST /api/v1/observations"))%2 == 0 {
				cancel()
				return true
			}
			return false
		}
		out, _, err := run(ctx, p, text)
		cancel()
		if err == nil {
			break
		}
		if !strings.Contains(err.Error(), "stopped before line ") || !strings.Contains(out, "readings") {
			t.Fatalf("stopped, it said %v\n%s", err, out)
		}
		if stop > 10 {
			t.Fatal("it comes no further")
		}
	}
	checkEvents(t, p.Events(), want)
}

func TestAnAnswerThatGoesLostChangesNothing(t *testing.T) {
	text, want := recording(100, 30)
	p, n := clienttest.New(), 0
	p.Swallow = func(r *http.Request) bool { n++; return n%2 == 0 } // every other one
	_, _, err := run(t.Context(), p, text, func(o *Options) {
		o.Client = p.Client(client.Options{Backoff: func(int) time.Duration { return 0 }})
	})
	if err != nil {
		t.Fatal(err)
	}
	checkEvents(t, p.Events(), want)
}

func TestSpotsThatExistAreNotAdded(t *testing.T) {
	p := clienttest.New()
	c := p.Client(client.Options{})
	for _, lot := range []string{"lot", "other"} {
		if err := c.AddLot(t.Context(), client.Lot{ID: lot, Name: lot, TimeZone: "UTC"}); err != nil {
			t.Fatal(err)
		}
	}
	for lot, id := range map[string]string{"lot": "there", "other": "elsewhere"} {
		if err := c.AddSpots(t.Context(), lot, []client.NewSpot{{SpotID: id, Status: "free"}}); err != nil {
			t.Fatal(err)
		}
	}
	before := len(p.Events())
	out, log, err := run(t.Context(), p, "local_time,spot_id,status\n"+
		"2020-05-04T08:00:00,there,occupied\n"+
		"2020-05-04T08:00:00,elsewhere,occupied\n"+
		"2020-05-04T08:00:00,is none,free\n"+
		"2020-05-04T08:00:00,new,free\n"+
		"2020-05-04T08:05:00,elsewhere,free\n"+
		"2020-05-04T08:05:00,new,occupied\n")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2020, 5, 4, 8, 0, 0, 0, time.UTC)
	checkEvents(t, p.Events()[before:], []clienttest.Event{
		{SpotID: "there", Change: "occupied", ObservedAt: at}, {SpotID: "new", Change: "added", ObservedAt: at},
		{SpotID: "new", Change: "occupied", ObservedAt: at.Add(5 * time.Minute)},
	})
	for _, reason := range []string{"line 3: spot elsewhere belongs to lot other", "line 4: ", "line 6: spot elsewhere"} {
		if !strings.Contains(log, reason) {
			t.Errorf("%q is not told:\n%s", reason, log)
		}
	}
	if !strings.Contains(out, "3 rejected") {
		t.Errorf("the summary does not count the three rows:\n%s", out)
	}
}

func TestASpotThatSomebodyElseAddsMeanwhileGetsItsFirstReading(t *testing.T) {
	p := clienttest.New()
	other := p.Client(client.Options{})
	done := false
	p.Swallow = func(r *http.Request) bool { // between the listing and the adding
		if r.Method == "POST" && r.URL.Path == "/api/v1/lots" && !done {
			done = true
			if err := other.AddSpots(t.Context(), "lot", []client.NewSpot{{SpotID: "b", Status: "free"}}); err != nil {
				t.Error(err)
			}
		}
		return false
	}
	_, _, err := run(t.Context(), p, "local_time,spot_id,status\n2020-05-04T08:00:00,a,free\n2020-05-04T08:00:00,b,occupied\n2020-05-04T08:05:00,b,free\n")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2020, 5, 4, 8, 0, 0, 0, time.UTC)
	checkEvents(t, p.Events(), []clienttest.Event{
		{SpotID: "b", Change: "added"}, {SpotID: "a", Change: "added", ObservedAt: at},
		{SpotID: "b", Change: "occupied", ObservedAt: at}, {SpotID: "b", Change: "released", ObservedAt: at.Add(5 * time.Minute)},
	})
}

func TestBadRowsAreToldAndCounted(t *testing.T) {
	text := "local_time,spot_id,status\n" + strings.Repeat("never,a,free\n", 30) + "2020-05-04T08:00:00,a,free\n2999-01-01T00:00:00,a,free\n"
	p := clienttest.New()
	out, log, err := run(t.Context(), p, text)
	if err != nil {
		t.Fatalf("one row was good, and yet: %v", err)
	}
	if n := strings.Count(log, "line "); n != maxTold || !strings.Contains(log, "line 21: ") || !strings.Contains(log, "only counted") {
		t.Errorf("%d rows were told, not the first %d:\n%s", n, maxTold, log)
	}
	if !strings.Contains(out, "31 rejected") || len(p.Events()) != 1 {
		t.Errorf("events %v\n%s", p.Events(), out)
	}
	if _, _, err := run(t.Context(), p, "local_time,spot_id,status\nnever,a,free\n"); err == nil {
		t.Error("a recording of which no row can be used should be an error")
	}
}

func TestAWrongTokenIsToldWithTheRemedy(t *testing.T) {
	p := clienttest.New()
	_, _, err := run(t.Context(), p, "local_time,spot_id,status\n2020-05-04T08:00:00,a,free\n",
		func(o *Options) { o.Client = p.Client(client.Options{Token: "wrong"}) })
	if err == nil || !strings.Contains(err.Error(), "PARKWIRE_TOKEN") || !strings.Contains(err.Error(), "parkwire token") {
		t.Errorf("%v; PARKWIRE_TOKEN and `parkwire token` should be named", err)
	}
}

func TestTheTimeZoneIsThatOfTheLotUnlessSaid(t *testing.T) {
	p := clienttest.New()
	text := "local_time,spot_id,status\n2020-05-04T08:00:00,a,free\n"
	unsaid := func(o *Options) { o.TimeZone = "" }
	if _, _, err := run(t.Context(), p, text, unsaid); err == nil || !strings.Contains(err.Error(), "--time-zone") {
		t.Errorf("a new lot without a time zone: %v", err)
	}
	if err := p.Client(client.Options{}).AddLot(t.Context(), client.Lot{ID: "lot", Name: "Lot", TimeZone: "Asia/Tokyo"}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := run(t.Context(), p, text, unsaid); err != nil {
		t.Fatal(err)
	}
	if at := p.LastObserved()["a"]; !at.Equal(time.Date(2020, 5, 3, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("8 h in Tokyo became %v", at)
	}
	if _, _, err := run(t.Context(), p, text, func(o *Options) { o.TimeZone = "Mars/Olympus" }); err == nil || !strings.Contains(err.Error(), "Mars/Olympus") {
		t.Errorf("an unknown time zone: %v", err)
	}
}

func TestAtASpeedReadingsComeWhenTheyAreDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text, want := recording(5, 3) // 20 minutes
		p := clienttest.New()
		began := time.Now()
		var came []time.Duration
		p.Swallow = func(r *http.Request) bool {
			if r.Method == "POST" && r.URL.Path != "/api/v1/lots" {
				came = append(came, time.Since(began))
			}
			return false
		}
		if _, _, err := run(t.Context(), p, text, func(o *Options) { o.Speed = 60 }); err != nil {
			t.Fatal(err)
		}
		if due := []time.Duration{0, 5 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second}; !slices.Equal(came, due) {
			t.Errorf("readings of every five minutes came after %v at 60 times the speed, not %v", came, due)
		}
		checkEvents(t, p.Events(), want)
	})
}

func TestAStoppedWaitIsToldWithItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text, _ := recording(5, 3)
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		p := clienttest.New()
		_, _, err := run(ctx, p, text, func(o *Options) { o.Speed = 60 })
		if err == nil || !strings.Contains(err.Error(), "before line 8 ") {
			t.Errorf("%v; lines 2 to 7 had been sent", err)
		}
	})
}

func TestAnInputThatBringsNothingCanBeStopped(t *testing.T) {
	in, never := io.Pipe()
	defer never.Close() // ends the read that was left
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := run(ctx, clienttest.New(), "", func(o *Options) { o.Stdin = in })
	if err == nil {
		t.Error("it ended as if the input had")
	}
}

func TestAPlatformThatFallsAwayIsToldWithTheLine(t *testing.T) {
	text, _ := recording(200, 30)
	p := clienttest.New()
	p.Refuse = func(r *http.Request) *problem.Problem {
		if strings.HasSuffix(r.URL.Path, "/observations") {
			no := problem.New(503, "not-ready", "The database cannot be reached.")
			return &no
		}
		return nil
	}
	_, _, err := run(t.Context(), p, text, func(o *Options) { o.Client = p.Client(client.Options{Patience: -1}) })
	if err == nil || !strings.Contains(err.Error(), "database") || !strings.Contains(err.Error(), "line 2 ") {
		t.Errorf("%v; the reason and line 2 were expected", err)
	}
}

func TestProgressOnATerminalIsOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text, _ := recording(5, 3)
		slow := func(o *Options) { o.Speed = 60 }
		_, log, err := run(t.Context(), clienttest.New(), text, slow, func(o *Options) { o.Terminal = true })
		if err != nil || strings.Contains(log, "\n") || strings.Count(log, "\r") < 4 || !strings.Contains(log, "at 1999-05-04 08:15") {
			t.Errorf("%v: %q", err, log)
		}
		_, log, err = run(t.Context(), clienttest.New(), text, slow)
		if err != nil || strings.Contains(log, "\r") || strings.Count(log, "\n") < 3 {
			t.Errorf("elsewhere it should be lines (%v): %q", err, log)
		}
	})
}

func TestAFileIsReadByItsPath(t *testing.T) {
	text, want := recording(3, 3)
	path := filepath.Join(t.TempDir(), "readings.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := clienttest.New()
	if _, _, err := run(t.Context(), p, "", func(o *Options) { o.Input, o.Stdin = path, nil }); err != nil {
		t.Fatal(err)
	}
	checkEvents(t, p.Events(), want)
}

func TestSpeeds(t *testing.T) {
	for text, want := range map[string]float64{"max": 0, "1": 1, "0.5": 0.5, "3600": 3600} {
		if got, err := ParseSpeed(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "-1", "NaN", "Inf", "fast"} {
		if _, err := ParseSpeed(text); err == nil {
			t.Errorf("%q is taken as a speed", text)
		}
	}
}
