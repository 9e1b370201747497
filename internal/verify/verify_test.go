package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mustRun(t *testing.T, f *fake, change func(*Options)) Report {
	t.Helper()
	r, err := f.run(t, change)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// counted checks that the run failed, or not, for exactly these counts.
func counted(t *testing.T, r Report, lost, repeated, outOfOrder, wrong int64) {
	t.Helper()
	if r.Lost != lost || r.Repeated != repeated || r.OutOfOrder != outOfOrder || r.Wrong != wrong {
		t.Errorf("lost %d, repeated %d, out of order %d, wrong %d; it was %d, %d, %d, %d\n%s", r.Lost, r.Repeated, r.OutOfOrder, r.Wrong,
			lost, repeated, outOfOrder, wrong, strings.Join(r.Examples, "\n"))
	}
	if ok := lost+repeated+outOfOrder+wrong == 0; r.OK != ok || (r.Failure() == nil) != ok {
		t.Errorf("OK is %v, %v", r.OK, r.Failure())
	}
	if r.Acknowledged < 10 || r.Delivered < 10 {
		t.Errorf("%d changes and %d frames show nothing", r.Acknowledged, r.Delivered)
	}
}

func TestAPlatformThatKeepsItsPromisePasses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Options){
		"actions":  nil,
		"readings": func(o *Options) { o.Batch = 2 },
		"SSE":      func(o *Options) { o.SSE = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mustRun(t, &fake{}, change)
			counted(t, r, 0, 0, 0, 0)
			if want := 2 * (r.Acknowledged + 4); r.Delivered != want {
				t.Errorf("%d frames were delivered; 2 clients were to see %d", r.Delivered, want)
			}
			if r.Written != r.Acknowledged+r.Refused-r.Found || r.Reconnects != 0 || len(r.Phases) != 1 || r.Latency.P50 <= 0 || r.Latency.Max < r.Latency.P99 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// third is an event that a platform may lie about: not the first of its spot and not the last.
func third(e event1) bool { return e.version == 3 && strings.HasSuffix(e.spot, "1") }

func TestEachLieIsFoundAndCounted(t *testing.T) {
	t.Parallel()
	type lie = func(connection int, e event1) ([]string, bool)
	only := func(l lie) lie { // to the first client alone
		return func(connection int, e event1) ([]string, bool) {
			if connection > 1 {
				return []string{e.String()}, false
			}
			return l(connection, e)
		}
	}
	var held atomic.Pointer[event1]
	for name, one := range map[string]struct {
		send                             lie
		lost, repeated, unordered, wrong int64
	}{
		"a frame that never comes": {lost: 1, send: only(func(_ int, e event1) ([]string, bool) {
			if third(e) {
				return nil, false
			}
			return []string{e.String()}, false
		})},
		"a frame that comes twice": {repeated: 1, send: only(func(_ int, e event1) ([]string, bool) {
			if third(e) {
				return []string{e.String(), e.String()}, false
			}
			return []string{e.String()}, false
		})},
		"an old frame that comes again": {repeated: 1, send: only(func(_ int, e event1) ([]string, bool) {
			if third(e) {
				old := e
				old.version, old.status = 2, "occupied"
				return []string{e.String(), old.String()}, false
			}
			return []string{e.String()}, false
		})},
		"two frames in the wrong order": {unordered: 1, send: only(func(_ int, e event1) ([]string, bool) {
			if third(e) {
				held.Store(&e)
				return nil, false
			}
			if h := held.Load(); h != nil && e.spot == h.spot && e.version == 4 {
				return []string{e.String(), h.String()}, false
			}
			return []string{e.String()}, false
		})},
		"a frame with another status": {wrong: 1, send: only(func(_ int, e event1) ([]string, bool) {
			if third(e) {
				e.status = "occupied"
			}
			return []string{e.String()}, false
		})},
		"everything twice to everybody": {repeated: -1, send: func(_ int, e event1) ([]string, bool) {
			return []string{e.String(), e.String()}, false
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mustRun(t, &fake{send: one.send}, nil)
			if one.repeated < 0 {
				one.repeated = r.Delivered
			}
			counted(t, r, one.lost, one.repeated, one.unordered, one.wrong)
			if len(r.Examples) == 0 {
				t.Error("there is no example")
			}
		})
	}
}

// A resume that begins one event too early or too late is what a cursor that is off by one does.
func TestAResumeThatIsOffByOneIsFound(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]int{"right": 0, "too early": -1, "too late": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{
				send: func(connection int, e event1) ([]string, bool) { // the first one ends in the middle
					return []string{e.String()}, connection == 1 && e.cursor == 10
				},
				resume: func(connection, after int) (int, websocket.StatusCode) {
					if connection > 1 {
						after += off
					}
					return after, 0
				},
			}
			r := mustRun(t, f, func(o *Options) { o.Clients = 1 })
			counted(t, r, int64(max(off, 0)), int64(max(-off, 0)), 0, 0)
			if r.Reconnects != 1 || r.LongestGap > 5 || len(r.Phases) < 2 || r.Phases[1].Kind != "fault" || r.Phases[1].Reconnects+r.Phases[0].Reconnects != 1 {
				t.Errorf("the client came back %d times, longest gap %v s, phases %+v", r.Reconnects, r.LongestGap, r.Phases)
			}
		})
	}
}

func TestConnectionsThatEndAllTheTimeLoseNothing(t *testing.T) {
	t.Parallel()
	f := &fake{send: func(_ int, e event1) ([]string, bool) { return []string{e.String()}, e.cursor%15 == 0 }}
	r := mustRun(t, f, func(o *Options) { o.SSE, o.Settle = 1, 20*time.Second })
	counted(t, r, 0, 0, 0, 0)
	if r.Reconnects < 4 {
		t.Errorf("clients came back %d times only", r.Reconnects)
	}
}

func TestACursorThatTheLogDoesNotReachIsALoss(t *testing.T) {
	t.Parallel()
	f := &fake{
		send: func(connection int, e event1) ([]string, bool) {
			return []string{e.String()}, connection == 1 && e.cursor == 10
		},
		resume: func(connection, after int) (int, websocket.StatusCode) {
			if connection == 2 {
				return 0, 4410
			}
			return after, 0
		},
	}
	r := mustRun(t, f, func(o *Options) { o.Clients, o.For = 1, time.Second })
	if r.Expired != 1 || r.Lost == 0 || r.OK || r.Endings["4410"] != 1 {
		t.Errorf("expired %d, lost %d, endings %v", r.Expired, r.Lost, r.Endings)
	}
}

func TestALateFrameIsCountedAndNoFailure(t *testing.T) {
	t.Parallel()
	f := &fake{send: func(connection int, e event1) ([]string, bool) {
		if connection == 1 && third(e) {
			time.Sleep(300 * time.Millisecond)
		}
		return []string{e.String()}, false
	}}
	r := mustRun(t, f, func(o *Options) { o.Late, o.Settle = 250*time.Millisecond, 20*time.Second })
	counted(t, r, 0, 0, 0, 0)
	if r.Late == 0 || r.Latency.Max < 250 {
		t.Errorf("late %d, latency %+v", r.Late, r.Latency)
	}
}

// What was not answered may have been done or not: only what is read tells.
func TestWritesThatAreNotAnsweredAreResolvedByReading(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		done       bool
		status     int
		unanswered bool
		found      bool
	}{
		"done, no answer":   {done: true, status: 0, unanswered: true, found: true},
		"undone, no answer": {status: 0, unanswered: true},
		"done, 500":         {done: true, status: 500, unanswered: true, found: true},
		"undone, 503":       {status: 503, unanswered: true},
		"refused, 429":      {status: 429},
		"refused, 409":      {status: 409},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed := 0
			f := &fake{act: func(write int, _ *state) (bool, int) {
				if write%5 == 0 {
					failed++
					return one.done, one.status
				}
				return true, 200
			}}
			r := mustRun(t, f, nil)
			counted(t, r, 0, 0, 0, 0)
			n := int64(failed)
			want := Counts{Refused: n, Acknowledged: r.Written - n}
			if one.unanswered {
				want = Counts{Unanswered: n, Acknowledged: r.Written - n}
			}
			if one.found {
				want.Found, want.Acknowledged = n, r.Written
			}
			if n == 0 || r.Refused != want.Refused || r.Unanswered != want.Unanswered || r.Found != want.Found || r.Acknowledged != want.Acknowledged {
				t.Errorf("of %d writes %d failed; it counted %+v", r.Written, n, r.Counts)
			}
			if faults := len(r.Phases) > 1; faults != one.unanswered {
				t.Errorf("the phases are %+v", r.Phases)
			}
		})
	}
}

func TestAnAcknowledgedChangeThatThePlatformForgetsIsFound(t *testing.T) {
	t.Parallel()
	f := &fake{}
	f.acted = func(_ int, s *state) {
		if s.version == 3 && strings.HasSuffix(s.id, "1") {
			s.version, s.occupied = 2, true // as a database does that was not written to disk
		}
	}
	r := mustRun(t, f, nil)
	if r.Forgotten == 0 || r.OK || !strings.Contains(r.Failure().Error(), "forgotten") {
		t.Errorf("%d were forgotten: %v", r.Forgotten, r.Failure())
	}
}

func TestFramesOfOtherProgramsAreLeftAside(t *testing.T) {
	t.Parallel()
	f := &fake{send: func(_ int, e event1) ([]string, bool) {
		return []string{"no JSON", `{"spotId":"X-1","version":7}`, `{"spotId":"` + e.spot + `"}`, e.String()}, false
	}}
	r := mustRun(t, f, nil)
	counted(t, r, 0, 0, 0, 0)
	if r.Foreign != 3*r.Delivered {
		t.Errorf("%d foreign frames beside %d", r.Foreign, r.Delivered)
	}
}

func TestWhatShowsNothingIsNoSuccess(t *testing.T) {
	t.Parallel()
	t.Run("nothing acknowledged", func(t *testing.T) {
		t.Parallel()
		r := mustRun(t, &fake{act: func(int, *state) (bool, int) { return false, 409 }}, nil)
		if r.OK || r.Refused == 0 || r.Failure() == nil {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a token that may not write", func(t *testing.T) {
		t.Parallel()
		_, err := (&fake{}).run(t, func(o *Options) { o.Token = "wrong" })
		if err == nil || !strings.Contains(err.Error(), "PARKWIRE_TOKEN") {
			t.Errorf("%v", err)
		}
	})
	t.Run("clients that are refused", func(t *testing.T) {
		t.Parallel()
		f := &fake{resume: func(int, int) (int, websocket.StatusCode) { return 0, 0 }}
		_, err := f.run(t, func(o *Options) { o.ListenURLs = []string{o.URL + "/nowhere"} })
		if err == nil || !strings.Contains(err.Error(), "client 2") {
			t.Errorf("%v", err)
		}
	})
}

func TestTheOperatorMarksPhasesAndEndsTheRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	marks := make(chan struct{})
	f := &fake{act: func(write int, _ *state) (bool, int) { // which would be faults of their own
		if write > 80 && write%5 == 0 {
			return false, 503
		}
		return true, 200
	}}
	o := Defaults()
	o.URL, o.Token, o.Err, o.Marks, o.For, o.Rate, o.Clients = f.start(t), "right", &bytes.Buffer{}, marks, 0, 200, 2
	go func() { // each phase has some fifty writes
		for n, do := range []func(){func() { marks <- struct{}{} }, func() { marks <- struct{}{} }, cancel} {
			for f.written() < 50*(n+1) {
				time.Sleep(10 * time.Millisecond)
			}
			do()
		}
	}()
	r, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	counted(t, r, 0, 0, 0, 0)
	var kinds []string
	for _, p := range r.Phases {
		kinds = append(kinds, p.Kind)
		if p.Acknowledged == 0 || p.Latency.P50 == 0 {
			t.Errorf("phase %+v has nothing", p)
		}
	}
	if got := strings.Join(kinds, " "); got != "before mark mark" {
		t.Errorf("the phases are %s", got)
	}
}

func TestTheReportSaysWhatItFound(t *testing.T) {
	r := Report{URL: "http://p", Clients: 2, Counts: Counts{Acknowledged: 3, Lost: 1}, Examples: []string{"client 1: A version 2 never came"},
		Endings: map[string]int{"1012": 4}, Phases: []Phase{{Kind: "before", To: 2}}}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"before", "1012: 4", "client 1: A version 2 never came"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "OK") {
		t.Errorf("a loss is OK:\n%s", out.String())
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"lost":1`) || !strings.Contains(string(text), `"latencyMilliseconds":{"p50":0`) {
		t.Errorf("%s %v", text, err)
	}
}

func TestOptionsThatCannotBeUsedAreNamed(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"--spots": func(o *Options) { o.Spots = 0 }, "--writers": func(o *Options) { o.Writers = 0 }, "--rate": func(o *Options) { o.Rate = 0 },
		"--clients": func(o *Options) { o.Clients = 0 }, "--sse": func(o *Options) { o.SSE = 21 }, "--url": func(o *Options) { o.URL = "nowhere" },
		"--listen-url": func(o *Options) { o.ListenURLs = []string{"nowhere"} }, "--batch": func(o *Options) { o.Batch = 0 },
	} {
		o := Defaults()
		o.URL, o.Err = "http://127.0.0.1:1", &bytes.Buffer{}
		change(&o)
		_, err := Run(t.Context(), o)
		if _, ok := err.(OptionError); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; %s was to be named", err, want)
		}
	}
}
