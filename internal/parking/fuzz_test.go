package parking

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
)

// Whatever a body holds, each reading in it is taken or rejected with its line and a reason, and what is taken is the same
// from an array as line by line.
func FuzzReadings(f *testing.F) {
	const good = `{"spotId":"A","occupied":true,"observedAt":"2026-11-24T03:35:00Z","sensorId":"s","sequence":7}`
	for _, body := range []string{
		good, "[" + good + "," + good + "]", good + "\n\n" + good + "\r\n", "\n \n" + good, "[]", "[", "[" + good, "[" + good + "]x", "", "null", "\xef\xbb\xbf" + good,
		"{\"spotId\":\"A\"}\n" + good + "\nnull\n[]", `[1,null,{"spotId":"\ud800","occupied":true}]`, `{"spotId":"A","spotId":"B","occupied":true,"observedAt":"0000-01-01T00:00:00Z"}`,
		strings.Repeat("x", maxLine+1) + "\n" + good, `{"spotId":"A","occupied":1e999,"sequence":-1}`,
	} {
		f.Add([]byte(body), uint8(0))
		f.Add([]byte(body), uint8(1))
		f.Add([]byte(body), uint8(2))
	}
	read := func(kind string, body []byte) (readings, error) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		return readReadings(httptest.NewRecorder(), r)
	}
	f.Fuzz(func(t *testing.T, body []byte, kind uint8) {
		got, err := read([]string{"", rest.TypeJSON, rest.TypeNDJSON}[kind%3], body)
		var p problem.Problem
		if err != nil {
			if !errors.As(err, &p) || p.Status < 400 || p.Status >= 500 || p.Detail == "" || got.count() > 0 {
				t.Fatalf("%q is refused with %#v after %d readings", body, err, got.count())
			}
			return
		}
		if len(got.errors) != min(got.rejected, maxErrors) || len(got.lines) != len(got.good) || !slices.IsSorted(got.lines) {
			t.Fatalf("%q: %d rejected with %d reasons, %d readings in lines %v", body, got.rejected, len(got.errors), len(got.good), got.lines)
		}
		last := 0
		for _, e := range got.errors {
			if e.Reason == "" || e.Line <= last || slices.Contains(got.lines, e.Line) {
				t.Fatalf("%q: %+v behind line %d", body, e, last)
			}
			last = e.Line
		}
		var elements, lines []string
		for _, o := range got.good {
			if !rest.ValidID(o.SpotID) || o.Sequence < 0 || o.ObservedAt.Year() < 1970 || o.ObservedAt.Year() > 9999 || o.SensorID != "" && !rest.ValidID(o.SensorID) {
				t.Fatalf("%q: %+v is taken", body, o)
			}
			text, err := json.Marshal(map[string]any{"spotId": o.SpotID, "occupied": o.Occupied, "observedAt": event.At(o.ObservedAt), "sequence": o.Sequence, "sensorId": o.SensorID})
			if err != nil {
				t.Fatal(err)
			}
			line := strings.Replace(string(text), `"sensorId":"",`, "", 1)
			elements, lines = append(elements, line), append(lines, line)
		}
		if len(elements) == 0 {
			return
		}
		array, err1 := read(rest.TypeJSON, []byte("["+strings.Join(elements, " ,\n")+"]"))
		each, err2 := read(rest.TypeNDJSON, []byte(strings.Join(lines, "\n")))
		if err1 != nil || err2 != nil || !slices.Equal(array.good, got.good) || !slices.Equal(each.good, got.good) {
			t.Fatalf("%q: %+v, as an array %+v (%v), line by line %+v (%v)", body, got.good, array, err1, each, err2)
		}
	})
}

// A reading that is taken in the short way is the one that would be taken strictly.
func FuzzPlainReadings(f *testing.F) {
	for _, text := range []string{
		`{"spotId":"A","occupied":true,"observedAt":"2026-11-24T03:35:00Z","sensorId":"s","sequence":7}`, `{"spotId":"A","spotId":"B","occupied":false,"occupied":true,"observedAt":"2026-11-24T03:35:00.5+01:00"}`,
		`{"spotId":"ä b","occupied":true,"observedAt":"1969-12-31T23:59:59-00:01"}`, `{"spotId":"A","occupied":true,"observedAt":"2026-11-24T03:35:00Z","sequence":-0}`, `{"spotId":"A","occupied":true,"observedAt":"2026-11-24T03:35:00Z","sensorId":null}`,
		`{"spotId":"A","occupied":true,"observedAt":"9999-12-31T23:59:59-01:00"}`, `{"spotId":"A","occupied":true,"observedAt":"2026-11-24T24:00:00Z"}`, `{"spotId":"A","occupied":true}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := readPlain(text)
		if !ok {
			return
		}
		if want, err := readStrictly(text); err != nil || got != want {
			t.Fatalf("%q is taken as %+v instead of %+v, %v", text, got, want, err)
		}
	})
}

// Whatever a body holds, what is read of it is valid, or it is refused with a problem that says where.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		`{"spotId":"A","zoneId":"z","name":"n","category":"electric","location":{"lat":1,"lon":2},"heartbeatSeconds":60,"status":"occupied","observedAt":"2026-11-24T03:35:00Z"}`,
		`{"id":"l","name":"n","timeZone":"Europe/Berlin","address":"a","location":null,"heartbeatSeconds":1e2}`, `{"location":{"lat":1e400}}`, `{"location":{"lat":1,"lat":2,"lon":3,"x":4}}`,
		`{"id":"z","name":"n","level":-3}`, `{"level":null}`, `[{"spotId":"A"},{"spotId":"A"}]`, `{"":0}`, `{"spotId":"a/b"}`, `{"a":{"a":{"a":[[[[]]]]}}}`, "{}", "", "null", "{}{}", "{\"spotId\":\"\xff\"}",
		strings.Repeat("[", 20_000), `{"timeZone":"../../etc/passwd"}`,
	} {
		f.Add([]byte(body))
	}
	s := &Service{options: Options{Clock: func() time.Time { return time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC) }}}
	f.Fuzz(func(t *testing.T, body []byte) {
		refused := func(err error) bool {
			var p problem.Problem
			if err != nil && (!errors.As(err, &p) || p.Status != http.StatusBadRequest || p.Detail == "" || len(p.Detail) > 4000) {
				t.Fatalf("%q is refused with %#v", body, err)
			}
			return err != nil
		}
		place := func(l *Location) bool {
			return l == nil || math.Abs(l.Lat) <= 90 && math.Abs(l.Lon) <= 180
		}
		raw, err := elements(body, 10)
		if refused(err) {
			raw = []json.RawMessage{body}
		}
		if spots, err := s.readSpots(raw); !refused(err) {
			for _, spot := range spots {
				if !rest.ValidID(spot.ID) || !place(spot.Location) || spot.Heartbeat < 0 || spot.LastObservedAt.After(s.now().Add(maxAhead)) || !slices.Contains(event.Statuses, spot.Status()) {
					t.Fatalf("%q is taken for %+v", body, spot)
				}
			}
		}
		whole, changed := Lot{ID: "l", Name: "n"}, Lot{ID: "l", Name: "n"}
		one := rest.DecodeObject(body, func(o *rest.Object) { readLot(o, &whole) })
		two := rest.Patch(body, func(o *rest.Object) { readLot(o, &changed) })
		for err, l := range map[*error]Lot{&one: whole, &two: changed} {
			if !refused(*err) && (!rest.ValidName(l.Name) || !place(l.Location) || l.Heartbeat < 0 || l.TimeZone != "" && !rest.ValidTimeZone(l.TimeZone)) {
				t.Fatalf("%q is taken for %+v", body, l)
			}
		}
		var z Zone
		if !refused(rest.DecodeObject(body, func(o *rest.Object) { readZone(o, &z) })) && !rest.ValidName(z.Name) {
			t.Fatalf("%q is taken for %+v", body, z)
		}
	})
}

// Whatever a query asks for is refused with the parameter's name, or valid; and the cursor of a page comes back as it was.
func FuzzQueries(f *testing.F) {
	for _, q := range []string{
		"", "limit=1&cursor=" + rest.Next("spots", "n", "A-1"), "cursor=" + rest.Next("spots", "", ""), "cursor=" + rest.Next("lots", "n", "a"), "cursor=c3BvdHMKbgphCmI", "cursor=%00", "limit=0", "limit=1&limit=2", "limit=+5",
		"bbox=13.3,52.4,13.5,52.6", "bbox=NaN,Inf,-Inf,0x1p3", "bbox=1,2,3", "lot=a&lot=b&status=free&status=free", "status=removed", "lot=%2e%2e", "x=1;y=2", "%zz", "limit=5&Limit=5",
	} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		p := rest.ParseParams(query)
		at, box, lots, statuses := p.Page("spots"), box(p, "bbox"), p.IDs("lot"), statuses(p, "status")
		if err := p.End(); err != nil {
			var refused problem.Problem
			if !errors.As(err, &refused) || refused.Status != http.StatusBadRequest {
				t.Fatalf("%q is refused with %#v", query, err)
			}
			return
		}
		valid := at.Limit >= 1 && at.Limit <= rest.MaxLimit && !slices.ContainsFunc(lots, func(id string) bool { return !rest.ValidID(id) }) &&
			!slices.Contains(statuses, event.Removed) && (box == nil || box.South <= box.North && math.Abs(box.West) <= 180 && math.Abs(box.East) <= 180 && box.North <= 90 && box.South >= -90)
		if !valid {
			t.Fatalf("%q is taken for %+v, %+v, %q, %q", query, at, box, lots, statuses)
		}
		if at.After == "" {
			return
		}
		again := rest.ParseParams("cursor=" + rest.Next("spots", at.Note, at.After)).Page("spots")
		if again.After != at.After || again.Note != at.Note {
			t.Fatalf("the cursor of %+v is read as %+v", at, again)
		}
	})
}
