package parking_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/uuid"

	"parkwire/api"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

// told is a record of who changed what, as its readers get it.
type told struct {
	ID, Subject, Client, Method, Route, RequestID, Traceparent, Outcome string
	Time                                                                time.Time
	Resource                                                            struct{ Type, ID, LotID string }
	Before, After                                                       map[string]any

	key string
}

// told returns what was told since the last call.
func (p *platform) told(t *testing.T) (all []told) {
	t.Helper()
	rows, err := p.store.PendingRecords(t.Context(), 100_000)
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for _, row := range rows {
		ids = append(ids, row.ID)
		if row.Topic != relay.Audit {
			continue
		}
		asDocumented(t, row.Value)
		r := told{key: row.Key}
		if err := json.Unmarshal(row.Value, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if err := p.store.RecordsDone(t.Context(), ids); err != nil {
		t.Fatal(err)
	}
	return all
}

func (r told) String() string {
	return fmt.Sprintf("%s %s %s", r.Resource.Type, r.Resource.ID, r.Outcome)
}

// said says of each what it is of and what became of it: "spot A changed".
func said(all []told) (texts []string) {
	for _, r := range all {
		texts = append(texts, r.String())
	}
	return texts
}

type schema struct {
	Required   []string
	Properties map[string]schema
	Enum       []string
}

// changeRecord is what api/asyncapi.yaml says of a record.
var changeRecord = sync.OnceValue(func() schema {
	var document struct {
		Components struct{ Schemas map[string]schema }
	}
	if err := yaml.Unmarshal([]byte(api.AsyncAPI), &document); err != nil {
		panic(err)
	}
	return document.Components.Schemas["ChangeRecord"]
})

// asDocumented compares the fields of a record with the documented ones.
func asDocumented(t *testing.T, value []byte) {
	t.Helper()
	documented := changeRecord()
	var record map[string]any
	if err := json.Unmarshal(value, &record); err != nil {
		t.Fatal(err)
	}
	resource := record["resource"].(map[string]any)
	for name := range record {
		if _, there := documented.Properties[name]; !there {
			t.Errorf("the field %q is not documented: %s", name, value)
		}
	}
	for name := range resource {
		if _, there := documented.Properties["resource"].Properties[name]; !there {
			t.Errorf("the field %q of the resource is not documented: %s", name, value)
		}
	}
	for _, name := range documented.Required {
		if record[name] == nil {
			t.Errorf("the field %q is missing: %s", name, value)
		}
	}
	outcomes, types := documented.Properties["outcome"].Enum, documented.Properties["resource"].Properties["type"].Enum
	if !slices.Contains(outcomes, record["outcome"].(string)) || !slices.Contains(types, resource["type"].(string)) {
		t.Errorf("the outcome is none of %v, or the type none of %v: %s", outcomes, types, value)
	}
}

func TestAChangeIsToldWithWhoFromWhereAndWhat(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "A")
	p.told(t)
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	p.send("PATCH", "/api/v1/spots/A", body{"name": "by the door"}, "X-Forwarded-For", "203.0.113.7", "X-Request-Id", "r-1", "Traceparent", trace)
	all := p.told(t)
	if len(all) != 1 {
		t.Fatalf("%d changes are told", len(all))
	}
	r := all[0]
	if id, err := uuid.Parse(r.ID); err != nil || id.Version() != 7 {
		t.Errorf("its id is %q", r.ID)
	}
	if r.Subject != "tester" || r.Client != "203.0.113.7" || r.RequestID != "r-1" || r.Traceparent != trace || !r.Time.Equal(noon) {
		t.Errorf("who, from where, when: %+v", r)
	}
	if r.Method != "PATCH" || r.Route != "/api/v1/spots/{spotId}" || r.Resource.Type != "spot" || r.Resource.ID != "A" || r.Resource.LotID != "central" || r.Outcome != "changed" {
		t.Errorf("what: %+v", r)
	}
	if r.Before["name"] != nil || r.After["name"] != "by the door" || r.Before["version"] != 1.0 || r.After["version"] != 2.0 {
		t.Errorf("before %v, after %v", r.Before, r.After)
	}
	if r.key != "spot/A" {
		t.Errorf("its key is %q", r.key)
	}
	answered := do[map[string]any](t, p, 200, "GET", "/api/v1/spots/A", nil)
	if !maps.EqualFunc(answered, r.After, func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
		t.Errorf("it is told as %v and answered as %v", r.After, answered)
	}
}

func TestEveryKindOfWriteIsTold(t *testing.T) {
	p := newPlatform(t)
	for _, write := range []struct {
		method, path string
		body         any
		want         []string // what is told
		route        string
	}{
		{"POST", "/api/v1/lots", body{"id": "l", "name": "L"}, []string{"lot l added"}, "/api/v1/lots"},
		{"PATCH", "/api/v1/lots/l", body{"name": "M"}, []string{"lot l changed"}, "/api/v1/lots/{lotId}"},
		{"POST", "/api/v1/lots/l/zones", body{"id": "z", "name": "Z"}, []string{"zone z added"}, "/api/v1/lots/{lotId}/zones"},
		{"PATCH", "/api/v1/lots/l/zones/z", body{"level": 2}, []string{"zone z changed"}, "/api/v1/lots/{lotId}/zones/{zoneId}"},
		{"POST", "/api/v1/lots/l/spots", body{"spotId": "A"}, []string{"spot A added"}, "/api/v1/lots/{lotId}/spots"},
		{"POST", "/api/v1/lots/l/spots", []body{{"spotId": "B"}, {"spotId": "C", "zoneId": "z"}}, []string{"spot B added", "spot C added"}, "/api/v1/lots/{lotId}/spots"},
		{"POST", "/api/v1/spots/A/occupy", nil, []string{"spot A changed"}, "/api/v1/spots/{spotId}/occupy"},
		{"POST", "/api/v1/spots/A/release", nil, []string{"spot A changed"}, "/api/v1/spots/{spotId}/release"},
		{"POST", "/api/v1/spots/A/close", nil, []string{"spot A changed"}, "/api/v1/spots/{spotId}/close"},
		{"POST", "/api/v1/spots/A/reopen", nil, []string{"spot A changed"}, "/api/v1/spots/{spotId}/reopen"},
		{"POST", "/api/v1/spots/A/fault", nil, []string{"spot A changed"}, "/api/v1/spots/{spotId}/fault"},
		{"POST", "/api/v1/spots/A/repair", nil, []string{"spot A changed"}, "/api/v1/spots/{spotId}/repair"},
		{"PUT", "/api/v1/spots/A/reservation", body{"reference": "r"}, []string{"spot A changed"}, "/api/v1/spots/{spotId}/reservation"},
		{"DELETE", "/api/v1/spots/A/reservation", nil, []string{"spot A changed"}, "/api/v1/spots/{spotId}/reservation"},
		{"POST", "/api/v1/sensors", body{"id": "s", "model": "nwave-nps405", "spotId": "A"}, []string{"sensor s added"}, "/api/v1/sensors"},
		{"PATCH", "/api/v1/sensors/s", body{"spotId": "B"}, []string{"sensor s changed"}, "/api/v1/sensors/{sensorId}"},
		{"DELETE", "/api/v1/sensors/s", nil, []string{"sensor s removed"}, "/api/v1/sensors/{sensorId}"},
		{"DELETE", "/api/v1/spots/A", nil, []string{"spot A removed"}, "/api/v1/spots/{spotId}"},
		{"POST", "/api/v1/lots/l/spots", body{"spotId": "A"}, []string{"spot A added"}, "/api/v1/lots/{lotId}/spots"}, // again
		{"DELETE", "/api/v1/spots/A", nil, []string{"spot A removed"}, "/api/v1/spots/{spotId}"},
		{"DELETE", "/api/v1/spots/B", nil, []string{"spot B removed"}, "/api/v1/spots/{spotId}"},
		{"DELETE", "/api/v1/spots/C", nil, []string{"spot C removed"}, "/api/v1/spots/{spotId}"},
		{"DELETE", "/api/v1/lots/l/zones/z", nil, []string{"zone z removed"}, "/api/v1/lots/{lotId}/zones/{zoneId}"},
		{"DELETE", "/api/v1/lots/l", nil, []string{"lot l removed"}, "/api/v1/lots/{lotId}"},
	} {
		if w := p.send(write.method, write.path, write.body); w.Code >= 300 {
			t.Fatalf("%s %s: %d, %s", write.method, write.path, w.Code, w.Body)
		}
		all := p.told(t)
		if got := said(all); !slices.Equal(got, write.want) {
			t.Errorf("%s %s: told is %q, want %q", write.method, write.path, got, write.want)
		}
		for _, r := range all {
			if r.Method != write.method || r.Route != write.route || r.Resource.LotID != "l" {
				t.Errorf("%s %s is told as %+v", write.method, write.path, r)
			}
			if (r.Before == nil) != (r.Outcome == "added") || (r.After == nil) != (r.Outcome == "removed") {
				t.Errorf("%v: before %v, after %v", r, r.Before, r.After)
			}
		}
	}
}

func TestALotGoesWithItsZonesAndTellsOfEach(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l")
	for _, id := range []string{"z1", "z2"} {
		do[zone](t, p, 201, "POST", "/api/v1/lots/l/zones", body{"id": id, "name": id})
	}
	p.told(t)
	do[nothing](t, p, 204, "DELETE", "/api/v1/lots/l", nil)
	if got, want := said(p.told(t)), []string{"zone z1 removed", "zone z2 removed", "lot l removed"}; !slices.Equal(got, want) {
		t.Errorf("told is %q, want %q", got, want)
	}
}

func TestOfAFileEachSpotThatItAddsOrChangesIsTold(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "A", "B")
	p.told(t)
	file := "spotId,name,zoneId\nA,,\nB,second,\nC,third,z\n"
	post := func(query string) {
		p.send("POST", "/api/v1/lots/l/spots:import?"+query, file, "Content-Type", "text/csv")
	}
	post("createZones=1&dryRun=1")
	if got := said(p.told(t)); got != nil {
		t.Errorf("of a dry run is told %q", got)
	}
	post("atomic=1") // there is no zone z
	if got := said(p.told(t)); got != nil {
		t.Errorf("of a file that was refused is told %q", got)
	}
	post("createZones=1")
	if got, want := said(p.told(t)), []string{"spot B changed", "zone z added", "spot C added"}; !slices.Equal(got, want) {
		t.Errorf("told is %q, want %q", got, want)
	}
	post("createZones=1")
	if got := said(p.told(t)); got != nil {
		t.Errorf("of the same file again is told %q", got)
	}
}

func TestWhatChangesNothingIsNotTold(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "A")
	p.act(t, "A", "close")
	do[sensor](t, p, 201, "POST", "/api/v1/sensors", body{"id": "s", "model": "nwave-nps405", "spotId": "A"})
	p.send("POST", "/api/v1/lots", body{"id": "m", "name": "M"}, "Idempotency-Key", "k")
	p.told(t)
	p.send("POST", "/api/v1/spots/A/close", nil)
	p.send("PATCH", "/api/v1/spots/A", body{})
	p.send("PATCH", "/api/v1/lots/l", body{"name": "Lot l"})
	p.send("PATCH", "/api/v1/sensors/s", body{"model": "nwave-nps405"})
	p.send("POST", "/api/v1/lots", body{"id": "m", "name": "M"}, "Idempotency-Key", "k") // answered as before
	p.send("POST", "/api/v1/lots", body{"id": "l", "name": "L"})
	p.send("DELETE", "/api/v1/lots/l", nil)
	p.send("PUT", "/api/v1/spots/A/reservation", body{})
	p.send("DELETE", "/api/v1/spots/A/reservation", nil)
	p.send("PATCH", "/api/v1/spots/A", body{"name": "x"}, "If-Match", `"99"`)
	p.scopes = "read"
	p.send("DELETE", "/api/v1/spots/A", nil)
	if got := said(p.told(t)); got != nil {
		t.Errorf("told is %q", got)
	}
}

func TestReadingsAndThePassingOfTimeAreEventsAndNothingElse(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "A", "B")
	do[spot](t, p, 200, "PUT", "/api/v1/spots/B/reservation", body{"until": noon.Add(time.Minute)})
	p.told(t)
	p.observe(t, reading("A", true, noon), reading("A", false, noon.Add(time.Second)))
	if refused, err := p.service.Deliver(t.Context(), []parking.Message{{Payload: []byte(`{"spotId":"A","occupied":true,"observedAt":"2026-11-24T12:00:05Z"}`)}}); err != nil || refused[0] != nil {
		t.Fatal(refused, err)
	}
	p.clock.advance(2 * time.Minute)
	p.run(t)
	for deadline := time.Now().Add(10 * time.Second); p.spot(t, "B").Status != "free"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the reservation does not end")
		}
	}
	if got := said(p.told(t)); got != nil {
		t.Errorf("told is %q", got)
	}
	if got := strings.Join(p.changesOf(t, "A"), " "); got != "added/free occupied/occupied released/free occupied/occupied" {
		t.Errorf("the events of A are %s", got)
	}
}

func TestTheAddressOfAClientIsTheOneThatTheGatewaySays(t *testing.T) {
	p := newPlatform(t)
	for _, c := range []struct{ header, want string }{{"2001:db8::7", "2001:db8::7"}, {"", "192.0.2.1"}, {"not an address", ""}} {
		var headers []string
		if c.header != "" {
			headers = []string{"X-Forwarded-For", c.header}
		}
		id := "l" + fmt.Sprint(len(c.header))
		p.send("POST", "/api/v1/lots", body{"id": id, "name": id}, headers...)
		if all := p.told(t); len(all) != 1 || all[0].Client != c.want {
			t.Errorf("%q is told as %+v", c.header, all)
		}
	}
}

// What it costs to add 10,000 spots by one request, with the records of who did so.
func BenchmarkSpotsAddedAtOnce(b *testing.B) {
	p := newPlatform(b)
	p.send("POST", "/api/v1/lots", body{"id": "l", "name": "L"})
	n := 0
	for b.Loop() {
		b.StopTimer()
		spots := make([]body, 10_000)
		for i := range spots {
			spots[i] = body{"spotId": fmt.Sprintf("s-%d-%05d", n, i), "name": "by the door", "location": body{"lat": 52.5, "lon": 13.4}}
		}
		n++
		text, _ := json.Marshal(spots)
		b.StartTimer()
		if w := p.send("POST", "/api/v1/lots/l/spots", string(text)); w.Code != 201 {
			b.Fatal(w.Code, w.Body)
		}
	}
}
