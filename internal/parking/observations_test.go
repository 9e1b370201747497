package parking_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/event"
	"parkwire/internal/parking"
)

func time3000(i int) time.Duration { return time.Duration(3000-i) * time.Millisecond }

func TestReadingsAreJudgedOneByOne(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01", "b-02")
	with := func(r body, name string, value any) body {
		r = maps.Clone(r)
		r[name] = value
		return r
	}
	good := reading("b-01", true, noon)
	for i, c := range []struct {
		element any
		field   string // at fault; "" where it is the whole
	}{
		{reading("b-99", true, noon), "spotId"},
		{reading("b-01", true, noon.Add(time.Hour)), "observedAt"},
		{with(good, "occupied", "perhaps"), "occupied"},
		{with(good, "occupied", nil), "occupied"},
		{body{"spotId": "b-01", "occupied": true}, "observedAt"},
		{with(good, "observedAt", "yesterday"), "observedAt"},
		{with(good, "observedAt", "0001-01-01T00:00:00Z"), "observedAt"},
		{with(good, "observedAt", 1764000000), "observedAt"},
		{with(good, "sequence", -1), "sequence"},
		{with(good, "sensorId", ""), "sensorId"},
		{with(good, "spotId", ""), "spotId"},
		{with(good, "colour", "red"), "colour"},
		{body{}, "spotId"},
		{[]string{"b-01"}, ""},
		{"b-01", ""},
		{nil, ""},
	} {
		r := do[ingested](t, p, 200, "POST", "/api/v1/observations", []any{reading("b-02", true, noon), c.element, reading("b-02", false, noon)})
		if r.Rejected != 1 || len(r.Errors) != 1 || r.Errors[0].Line != 2 || r.Errors[0].Field != c.field || r.Errors[0].Reason == "" {
			t.Errorf("case %d, %v: %+v", i, c.element, r)
		}
		if (i == 0) != (r.Accepted == 1) || r.Accepted+r.Unchanged+r.Late != 2 {
			t.Errorf("case %d: the readings around it are %+v", i, r)
		}
	}
	if s := p.spot(t, "b-01"); s.Version != 1 {
		t.Errorf("%+v", s)
	}
}

func TestReadingsOfOneSpotAreTakenInOrder(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	first := reading("b-01", true, at(-50))
	first["sensorId"], first["sequence"] = "s-9", 7
	r := p.observe(t, first, reading("b-01", true, at(-40)), reading("b-01", false, at(-30)), reading("b-01", true, at(-35)), reading("b-01", true, at(-20)))
	if r.Accepted != 3 || r.Unchanged != 1 || r.Late != 1 || r.Rejected != 0 || r.Errors == nil {
		t.Errorf("%+v", r)
	}
	if got := p.changesOf(t, "b-01"); !slices.Equal(got, []string{"added/free", "occupied/occupied", "released/free", "occupied/occupied"}) {
		t.Errorf("the events are %v", got)
	}
	if s := p.spot(t, "b-01"); s.Version != 4 || !s.LastObservedAt.Equal(at(-20)) || s.SensorID != "s-9" {
		t.Errorf("%+v", s)
	}
	again := p.observe(t, first, reading("b-01", true, at(-40)), reading("b-01", false, at(-30)), reading("b-01", true, at(-35)), reading("b-01", true, at(-20)))
	if again.Accepted != 0 || again.Unchanged != 1 || again.Late != 4 {
		t.Errorf("sent again: %+v", again)
	}
	if events, _ := p.published(t); len(events) != 4 {
		t.Errorf("sent again they raised %v", events[4:])
	}
}

func TestReadingsComeAsLinesToo(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	line := func(r body) string { b, _ := json.Marshal(r); return string(b) }
	lines := "\n" + line(reading("b-01", true, noon)) + "\r\n" +
		"{broken\n" +
		"\n" +
		strings.Repeat("x", 40_000) + "\n" +
		`{"spotId":"b-01","occupied":true} {"spotId":"b-01"}` + "\n" +
		line(reading("b-01", false, noon.Add(time.Second))) // without an end of line
	for _, kind := range []string{"application/x-ndjson", ""} {
		r := do[ingested](t, p, 200, "POST", "/api/v1/observations", lines, "Content-Type", kind)
		var at []int
		for _, e := range r.Errors {
			at = append(at, e.Line)
		}
		if r.Rejected != 3 || !slices.Equal(at, []int{3, 5, 6}) || r.Accepted+r.Unchanged+r.Late != 2 {
			t.Errorf("%+v", r)
		}
	}
	if s := p.spot(t, "b-01"); s.Version != 3 || s.Status != "free" {
		t.Errorf("%+v", s)
	}
}

// A body that breaks off or is no array is refused as a whole, before anything was done.
func TestABrokenBodyOfReadingsChangesNothing(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	one, _ := json.Marshal(reading("b-01", true, noon))
	for name, text := range map[string]string{
		"no body": "", "only space": " \n", "an object as JSON": string(one), "a broken array": "[" + string(one) + ", {broken]",
		"an array without its end": "[" + string(one), "something behind": "[" + string(one) + "] []", "a number": "7",
	} {
		t.Run(name, func(t *testing.T) {
			p.refused(t, 400, "invalid-body", "", "POST", "/api/v1/observations", text, "Content-Type", "application/json")
		})
	}
	if s := p.spot(t, "b-01"); s.Version != 1 {
		t.Errorf("%+v", s)
	}
	if r := do[ingested](t, p, 200, "POST", "/api/v1/observations", "[]"); r.Accepted+r.Unchanged+r.Late+r.Rejected != 0 {
		t.Errorf("of nothing came %+v", r)
	}
}

func TestTheFirstThousandErrorsAreExplained(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central")
	var all []body
	for i := range 2500 {
		r := reading("b-99", true, noon)
		if i%2 == 1 {
			delete(r, "occupied")
		}
		all = append(all, r)
	}
	r := p.observe(t, all...)
	if r.Rejected != 2500 || len(r.Errors) != 1000 || r.ErrorsOmitted != 1500 {
		t.Fatalf("%d rejected, %d explained, %d omitted", r.Rejected, len(r.Errors), r.ErrorsOmitted)
	}
	for i, e := range r.Errors {
		if e.Line != i+1 {
			t.Fatalf("error %d is of line %d", i, e.Line)
		}
	}
}

// A month of a car park in one request: every change is an event, and nothing else is.
func TestManyReadingsInOneRequest(t *testing.T) {
	p := newPlatform(t)
	const spots, rounds = 50, 400
	var ids []string
	for i := range spots {
		ids = append(ids, fmt.Sprintf("s-%02d", i))
	}
	p.addLot(t, "central", ids...)
	var text strings.Builder
	for round := range rounds {
		for i, id := range ids {
			fmt.Fprintf(&text, `{"spotId":%q,"occupied":%v,"observedAt":%q}`+"\n", id, (round/10+i)%2 == 0, noon.Add(time.Duration(round-rounds)*time.Minute).Format(time.RFC3339))
		}
	}
	began := time.Now()
	r := do[ingested](t, p, 200, "POST", "/api/v1/observations", text.String(), "Content-Type", "application/x-ndjson")
	t.Logf("%d readings took %v", spots*rounds, time.Since(began).Round(time.Millisecond))
	want := spots*rounds/10 - spots/2 // half of them begin as they are
	if r.Accepted != want || r.Unchanged != spots*rounds-want || r.Rejected+r.Late != 0 {
		t.Errorf("%d accepted, %d were to be: %+v", r.Accepted, want, r)
	}
	if events, _ := p.published(t); len(events) != spots+want {
		t.Errorf("there are %d events; %d were to be", len(events), spots+want)
	}
	counted := fmt.Sprintf("# TYPE parkwire_parking_observations_total counter\n"+
		"parkwire_parking_observations_total{outcome=\"accepted\"} %d\nparkwire_parking_observations_total{outcome=\"late\"} 0\n"+
		"parkwire_parking_observations_total{outcome=\"rejected\"} 0\nparkwire_parking_observations_total{outcome=\"unchanged\"} %d\n", r.Accepted, r.Unchanged)
	const help = "# HELP parkwire_parking_observations_total Readings by what became of them: accepted, unchanged, late, rejected.\n"
	if err := testutil.GatherAndCompare(p.registry, strings.NewReader(help+counted), "parkwire_parking_observations_total"); err != nil {
		t.Error(err)
	}
}

func TestSilentSensorsAndEndedReservationsAreNoticed(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01", "b-02", "b-03")
	do[spot](t, p, 200, "PATCH", "/api/v1/spots/b-01", body{"heartbeatSeconds": 60})
	do[spot](t, p, 200, "PUT", "/api/v1/spots/b-02/reservation", body{"until": noon.Add(time.Minute)})
	p.run(t)
	p.clock.advance(2 * time.Minute)
	eventually(t, "the sensor's silence", func() bool { return p.spot(t, "b-01").Status == "unknown" })
	eventually(t, "the end of the reservation", func() bool { return p.spot(t, "b-02").Status == "free" })
	p.observe(t, reading("b-01", true, p.clock.Now()))
	want := map[string][]string{
		"b-01": {"added/free", "edited/free", "signal_lost/unknown", "signal_restored/occupied"},
		"b-02": {"added/free", "reserved/reserved", "reservation_ended/free"},
		"b-03": {"added/free"},
	}
	for id, changes := range want {
		if got := p.changesOf(t, id); !slices.Equal(got, changes) {
			t.Errorf("%s: %v", id, got)
		}
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

// early is a store in which a spot is changed, and its event written to the log, just before spots are read.
type early struct {
	parking.Store
	before func()
}

func (e *early) Spots(ctx context.Context, q parking.SpotQuery) ([]parking.Spot, error) {
	if e.before != nil {
		e.before()
	}
	return e.Store.Spots(ctx, q)
}

// What is written while spots are read comes as an event to whoever goes on from the answer's cursor.
func TestTheCursorOfAnAnswerIsNotNewerThanItsSpots(t *testing.T) {
	store, topic := &early{}, event.TopicID{1}
	p := newPlatform(t, func(o *parking.Options) {
		store.Store, o.Store = o.Store, store
		o.Topic = func() (event.TopicID, bool) { return topic, true }
	})
	p.addLot(t, "central", "b-01", "b-02")
	store.before = func() {
		if err := p.store.Done(t.Context(), nil, event.Cursor{Topic: event.TopicID{1}, Offsets: event.Offsets{42}}); err != nil {
			t.Error(err)
		}
	}
	read := func(query string) (pageOf[spot], event.Offsets) {
		page := do[pageOf[spot]](t, p, 200, "GET", "/api/v1/spots?limit=1"+query, nil)
		c, err := event.ParseCursor(page.After, topic)
		if err != nil {
			t.Fatal(err)
		}
		return page, c.Offsets
	}
	first, offsets := read("")
	if offsets.At(0) != event.None || offsets == nil {
		t.Errorf("the cursor is at %v; the log was empty when the spots were asked for", offsets)
	}
	if _, offsets = read("&cursor=" + first.Next); offsets.At(0) != event.None {
		t.Errorf("the second page has the cursor %v, not that of the first", offsets)
	}
	if _, offsets = read(""); offsets.At(0) != 42 {
		t.Errorf("the cursor is at %v, the relay at 42", offsets)
	}
	topic = event.TopicID{2}
	if _, offsets = read(""); offsets.At(0) != event.None {
		t.Errorf("the cursor is at %v of a log that was lost and made again", offsets)
	}
	unknown := newPlatform(t, func(o *parking.Options) { o.Topic = nil })
	if page := do[pageOf[spot]](t, unknown, 200, "GET", "/api/v1/spots", nil); page.After != "" {
		t.Errorf("without a log there is a cursor: %q", page.After)
	}
}

func TestTheTraceGoesOnInTheOutbox(t *testing.T) {
	p := newPlatform(t)
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": "central", "name": "C"})
	for _, header := range []string{trace, "nonsense", ""} {
		do[spot](t, p, 201, "POST", "/api/v1/lots/central/spots", body{"spotId": "t" + header[:min(1, len(header))]}, "Traceparent", header)
	}
	_, rows := p.published(t)
	if rows[0].Traceparent != trace || rows[1].Traceparent != "" || rows[2].Traceparent != "" {
		t.Errorf("%+v", rows)
	}
}
