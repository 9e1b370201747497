package load

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// options are those of a short run on a model.
func options(m *model) Options {
	o := Defaults()
	o.URLs, o.Protocol, o.publisher, o.Publish = []string{m.url()}, m.protocol, m, "redis://of.the.test:1/x"
	o.Clients, o.Rounds, o.Err, o.Sched = 20, 5, io.Discard, "other"
	return o
}

func run(t *testing.T, o Options) Report {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryClientOfEveryProtocolGetsEverythingOnce(t *testing.T) {
	t.Parallel()
	for _, protocol := range Protocols {
		for _, lots := range []int{0, 3} {
			t.Run(protocol+map[int]string{0: " all", 3: " of a lot"}[lots], func(t *testing.T) {
				t.Parallel()
				m := newModel(t, protocol)
				o := options(m)
				o.Lots, o.Processes, o.Warmup, o.Pattern = lots, 2, 1, "idle,lone,burst,steady"
				o.For, o.Events, o.Rate, o.Burst, o.Rounds = 50*time.Millisecond, 9, 1e5, 6, 3
				r := run(t, o)
				// One to every lot to warm up, 3 lone ones, 3 bursts of 6, 9 at a rate.
				published := max(1, lots) + 3 + 18 + 9
				if r.Events.Published > uint64(published) || r.Events.Published <= uint64(published-9) {
					t.Errorf("%d events were published instead of %d", r.Events.Published, published)
				}
				if !r.OK || r.Clients.Connected != 20 || r.Events.Delivered != r.Events.Expected {
					t.Errorf("not all is well: %v %+v", r.Problems, r.Events)
				}
				if want := r.Events.Published * 20; lots == 0 && r.Events.Expected != want {
					t.Errorf("%d deliveries were expected instead of %d", r.Events.Expected, want)
				}
				if pings := protocol == socketIO || protocol == centrifuge; pings && m.answered() == 0 {
					t.Error("no client has answered a ping")
				}
				if len(r.Phases) != 4 || len(r.Phases[1].Rounds) != 3 || len(r.Phases[2].Rounds) != 3 || r.Phases[0].Delivered != 0 {
					t.Errorf("the phases are not those that were asked for: %+v", r.Phases)
				}
				for _, p := range r.Phases[1:3] {
					for _, one := range p.Rounds {
						if one.Seconds <= 0 || one.FirstSeconds <= 0 || one.FirstSeconds > one.Seconds || one.Deliveries == 0 {
							t.Errorf("%s: a round that cannot be: %+v", p.Pattern, one)
						}
					}
					if p.Latency.P50 <= 0 || p.Latency.Max < p.Latency.P99 || p.Ended <= p.Began {
						t.Errorf("%s: latencies that cannot be: %+v", p.Pattern, p.Latency)
					}
				}
			})
		}
	}
}

func TestFramesInPiecesAreWhole(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	m.pieces = true
	o := options(m)
	o.Pattern, o.Size, o.Rounds, o.Burst, o.Warmup = burst, 70_000, 1, 3, 1
	if r := run(t, o); !r.OK {
		t.Errorf("frames were lost: %v", r.Problems)
	}
}

func TestWhatIsWrongIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deliver func(client int, lot string, i int) []int
		want    Events
	}{
		"lost": {func(client int, _ string, i int) []int {
			if client == 3 && (i == 5 || i == 7) {
				return nil
			}
			return []int{i}
		}, Events{Lost: 2}},
		"repeated": {func(client int, _ string, i int) []int {
			if client == 3 && i == 5 {
				return []int{5, 5, 2}
			}
			return []int{i}
		}, Events{Repeated: 2}},
		"out of order": {func(client int, _ string, i int) []int {
			switch {
			case client == 3 && i == 5:
				return nil
			case client == 3 && i == 6:
				return []int{6, 5}
			}
			return []int{i}
		}, Events{OutOfOrder: 1}},
		"lost and repeated": {func(client int, _ string, i int) []int {
			switch {
			case client == 3 && i == 5:
				return []int{4}
			}
			return []int{i}
		}, Events{Lost: 1, Repeated: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, plain)
			m.deliver = c.deliver
			o := options(m)
			o.Warmup, o.Pattern, o.Events, o.For, o.Rate = 1, steady, 10, 0, 1000
			r := run(t, o)
			if e := r.Events; e.Lost != c.want.Lost || e.Repeated != c.want.Repeated || e.OutOfOrder != c.want.OutOfOrder || e.Delivered+e.Lost != e.Expected {
				t.Errorf("it found %+v instead of %+v", e, c.want)
			}
			if r.OK || r.Failure() == nil || !strings.Contains(r.Failure().Error(), strings.Fields(name)[0]) {
				t.Errorf("it says of this: %v", r.Failure())
			}
		})
	}
}

func TestAnEventOfAnotherLotIsStrange(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	m.deliver = func(client int, lot string, i int) []int {
		if client == 3 && i == 6 {
			return []int{i, i - 1} // of two lots, events take turns
		}
		return []int{i}
	}
	o := options(m)
	o.Lots, o.Warmup, o.Pattern, o.Events, o.For, o.Rate = 2, 1, steady, 12, 0, 1000
	r := run(t, o)
	if m.clients[3].lot == lotID(r.Run, 1) && (r.Events.Strange != 1 || r.OK) || m.clients[3].lot == lotID(r.Run, 2) && !r.OK {
		t.Errorf("it found %+v", r.Events)
	}
}

func TestALastEventThatDoesNotComeIsLost(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	m.deliver = func(client int, _ string, i int) []int {
		if client == 3 && i >= 4 {
			return nil
		}
		return []int{i}
	}
	o := options(m)
	o.Warmup, o.Patience = 1, 5*time.Second
	r := run(t, o)
	if r.Events.Lost == 0 || len(r.Rounds) > 3 || r.OK || !strings.Contains(r.Failure().Error(), "had not come") {
		t.Errorf("after the round that did not end: %+v, %d rounds, %v", r.Events, len(r.Rounds), r.Failure())
	}
}

func TestCursorsMakeAStormLoseNothing(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{plain, v1, sse} {
		for pattern, forget := range map[string]bool{storm: false, waves: false, "storm without": true} {
			t.Run(protocol+" "+pattern, func(t *testing.T) {
				t.Parallel()
				for try := 1; ; try++ {
					m := newModel(t, protocol)
					m.forget = forget
					o := options(m)
					o.Pattern, o.Cut, o.Every, o.Away = strings.Fields(pattern)[0], 0.7, 100*time.Millisecond, 20*time.Millisecond
					o.For, o.Events, o.Rate = 0, 250, 500
					if forget { // the last ones never come
						o.Patience = 2 * time.Second
					}
					r := run(t, o)
					if len(r.Cuts) == 0 || r.Clients.Lost != 0 {
						t.Fatalf("nobody was cut off, or somebody else: %+v, %+v", r.Cuts, r.Clients)
					}
					if forget != r.OK {
						break
					}
					// On a machine that stood still perhaps nothing was published behind the only cut.
					if !forget || try == 10 {
						t.Fatalf("with cursors: %v, and it found %+v %v", !forget, r.Events, r.Problems)
					}
				}
			})
		}
	}
}

func TestWithoutCursorsWhatPassesMeanwhileIsMissedAndNotLost(t *testing.T) {
	t.Parallel()
	for try := 1; ; try++ {
		o := options(newModel(t, socketIO))
		o.Pattern, o.Cut, o.Every, o.For, o.Events, o.Rate, o.Away = waves, 1, 100*time.Millisecond, 0, 250, 500, 50*time.Millisecond
		r := run(t, o)
		if r.OK && r.Events.Missed > 0 {
			break
		}
		if !r.OK || try == 10 {
			t.Fatalf("it found %+v %v", r.Events, r.Problems)
		}
	}
}

func TestRefusedClientsAreCountedAndComeBackWhenTheyWereAskedTo(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	m.refuse = func(try int) string {
		switch {
		case try <= 3:
			return "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1"
		case try <= 6:
			return "\x03\xf5too many clients retry-after-ms=700" // 1013
		}
		return ""
	}
	began := time.Now()
	r := run(t, options(m))
	if r.Endings["refused: HTTP 503"] != 3 || r.Endings["lost: closed with 1013"]+r.Endings["refused: closed with 1013"] != 3 {
		t.Errorf("it counted %v", r.Endings)
	}
	if !r.OK || time.Since(began) < 700*time.Millisecond {
		t.Errorf("after %v: %v", time.Since(began), r.Problems)
	}
}

func TestAConnectionThatTheServerEndsIsCountedAndMadeAgain(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	cut := false
	m.deliver = func(client int, _ string, i int) []int {
		if client == 3 && i == 20 && !cut {
			cut = true
			m.clients[client].conn.Close()
		}
		return []int{i}
	}
	o := options(m)
	o.Pattern, o.Events, o.For, o.Rate = steady, 40, 0, 2000
	r := run(t, o)
	if !r.OK || r.Clients.Lost != 1 {
		t.Errorf("%+v %+v %v %v", r.Clients, r.Events, r.Problems, r.Endings)
	}
}

func TestNobodyThatCanConnectIsAnError(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	m.refuse = func(int) string { return "HTTP/1.1 401 Unauthorized" }
	if _, err := Run(t.Context(), options(m)); err == nil || !strings.Contains(err.Error(), "HTTP 401") {
		t.Errorf("the error is %v", err)
	}
}

func TestAnInterruptionEndsWithAReport(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	ctx, cancel := context.WithCancel(t.Context())
	m.deliver = func(_ int, _ string, i int) []int {
		if i == 50 {
			cancel()
		}
		return []int{i}
	}
	o := options(m)
	o.Pattern, o.For, o.Rate = steady, 0, 1000
	r, err := Run(ctx, o)
	if err != nil || !r.OK || !r.Interrupted || r.Events.Published < 50 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestListeningLearnsWhereTheEventsAre(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	o := options(m)
	o.publisher, o.Publish, o.Run, o.Pattern, o.For = nil, "none", "abc", steady, 500*time.Millisecond
	stop := make(chan struct{})
	m.wg.Go(func() {
		for n := uint64(1); ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				_ = m.publish(t.Context(), []outgoing{{[]byte("abc-1"), appendEvent(nil, "abc", 1, n, time.Now(), 0, false)}})
			}
		}
	})
	r := run(t, o)
	close(stop)
	if r.Events.Delivered == 0 || r.Events.Repeated+r.Events.OutOfOrder > 0 {
		t.Errorf("it found %+v", r.Events)
	}
}

func TestChildrenThatDieEndTheRun(t *testing.T) {
	t.Parallel()
	m := newModel(t, plain)
	o := options(m)
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	targets, err := resolve(o.URLs, plain)
	if err != nil {
		t.Fatal(err)
	}
	o.Command = []string{os.Args[0], "load", "child"}
	p, err := startPool(o, targets)
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	_ = p.children[0].command.Process.Kill()
	if _, err := p.ask(order{Do: "collect"}); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("the error is %v", err)
	}
}

func TestProcessesHoldNoMoreClientsThanTheyMayOpenFiles(t *testing.T) {
	t.Parallel()
	for clients, want := range map[int]int{1: 1, 16_000: 1, 16_001: 2, 1_000_000: 63} {
		if n, err := processes(Options{Clients: clients}); err != nil || n < want {
			t.Errorf("%d clients need %d processes (%v) instead of %d", clients, n, err, want)
		}
	}
	if _, err := processes(Options{Clients: 3_000_000_000, Processes: 1}); err == nil || !strings.Contains(err.Error(), "--processes") {
		t.Errorf("one process for very many clients: %v", err)
	}
}

func TestClientsAreSpreadOverAddresses(t *testing.T) {
	t.Parallel()
	targets, err := resolve([]string{"ws://127.0.0.1:1/a", "ws://127.0.0.1:2/a?x=1"}, plain)
	if err != nil {
		t.Fatal(err)
	}
	k := task{Targets: targets, Protocol: plain, Run: "r", Lots: 3, First: 100_000, Count: 100_000}
	per := map[string]int{}
	for i := range k.Count {
		per[k.sourceOf(i).String()+" "+k.targetOf(i).Address.String()]++
	}
	for pair, n := range per {
		if n > perAddress || !strings.HasPrefix(pair, "127.0.") {
			t.Errorf("%d connections from and to %s", n, pair)
		}
	}
	if got := string(k.request(1, "c")); !strings.HasPrefix(got, "GET /a?x=1&after=c&lot=r-") {
		t.Errorf("the request is %q", got)
	}
	k.Targets = []target{{Address: targets[0].Address, Path: "/"}}
	var lots []uint32
	for i := range 6 {
		lots = append(lots, k.lotOf(i))
	}
	slices.Sort(lots)
	if !slices.Equal(lots, []uint32{1, 1, 2, 2, 3, 3}) {
		t.Errorf("six clients are on the lots %v", lots)
	}
}
