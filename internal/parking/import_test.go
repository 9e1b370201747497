package parking_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"parkwire/internal/parking"
)

const (
	csvType = "text/csv"
	geoType = "application/geo+json"
)

type (
	importFault struct {
		Line, Feature                 int
		SpotID, Field, Reason, Remedy string
	}
	imported struct {
		DryRun                              bool
		Added, Changed, Unchanged, Rejected int
		ZonesAdded                          []string
		Columns                             []struct{ Name, Field string }
		Changes                             []struct {
			Line, Feature  int
			SpotID, Change string
			Fields         []string
		}
		ChangesOmitted, ErrorsOmitted int
		Errors                        []importFault
	}
)

// load imports a file, and checks that every fault says where, why, and what to do.
func (p *platform) load(t *testing.T, query, kind, content string) imported {
	t.Helper()
	r := do[imported](t, p, 200, "POST", "/api/v1/lots/l/spots:import"+query, content, "Content-Type", kind)
	if r.Errors == nil || r.ZonesAdded == nil || r.Columns == nil {
		t.Errorf("a list that is empty is answered as null: %+v", r)
	}
	for _, f := range r.Errors {
		if f.Reason == "" || f.Remedy == "" || (f.Line == 0) == (f.Feature == 0) {
			t.Errorf("this fault does not say where, why and what to do: %+v", f)
		}
	}
	return r
}

// tally are the four counts of an import.
func (r imported) tally() string {
	return fmt.Sprintf("%d added, %d changed, %d unchanged, %d rejected", r.Added, r.Changed, r.Unchanged, r.Rejected)
}

func (r imported) places() (all []string) {
	for _, f := range r.Errors {
		all = append(all, fmt.Sprintf("%d %s", f.Line+f.Feature, f.Field))
	}
	return all
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func TestAFileAddsAndChangesAndSentAgainDoesNothing(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l")
	do[zone](t, p, 201, "POST", "/api/v1/lots/l/zones", body{"id": "z", "name": "Z"})
	const first = "\xef\xbb\xbfSpot ID;Zone;NAME;lat;lng;Status;Heartbeat;remark\r\na;z;\"Spot \"\"A\"\";\nby the door\";48,5;11,25;Occupied;60;x\r\nb;;;;;;;\r\n"
	r := p.load(t, "", csvType, first)
	want(t, "the import", r.tally(), "1 added, 0 changed, 0 unchanged, 1 rejected") // a name is one line
	want(t, "faults", r.places(), []string{"2 name"})
	want(t, "columns", r.Columns[3].Field+r.Columns[7].Field, "lat")

	file := strings.Replace(first, ";\nby", "; by", 1)
	want(t, "the import", p.load(t, "", csvType, file).tally(), "1 added, 0 changed, 1 unchanged, 0 rejected")
	a := p.spot(t, "a")
	if a.Name != `Spot "A"; by the door` || a.ZoneID != "z" || a.Status != "occupied" || a.HeartbeatSeconds != 60 || *a.Location != (place{48.5, 11.25}) {
		t.Errorf("the spot is %+v", a)
	}
	p.act(t, "a", "release")
	before, _ := p.published(t)
	want(t, "the import again", p.load(t, "", csvType, file).tally(), "0 added, 0 changed, 2 unchanged, 0 rejected")
	if after, _ := p.published(t); len(after) != len(before) {
		t.Errorf("the same file again caused %d events", len(after)-len(before))
	}

	// An empty cell removes, a missing column leaves alone, and what the spot is now is not for a file to say.
	r = p.load(t, "", csvType, "id,zone,status\na,,occupied\n")
	want(t, "the import", r.tally(), "0 added, 1 changed, 0 unchanged, 0 rejected")
	if a := p.spot(t, "a"); a.ZoneID != "" || a.Name == "" || a.Location == nil || a.Status != "free" {
		t.Errorf("the spot is %+v", a)
	}
	want(t, "changes of a", strings.Join(p.changesOf(t, "a"), " "), "added/occupied released/free edited/free")
}

func TestADryRunSaysWhatWouldHappenAndChangesNothing(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "old", "same")
	const file = "id,name,zone\nold,New name,z1\nsame,,\nnew,,z1\n,,\nbad/id,,\n"
	before, _ := p.published(t)
	dry := p.load(t, "?dryRun=1&createZones=1", csvType, file)
	after, _ := p.published(t)
	if len(after) != len(before) || len(do[pageOf[zone]](t, p, 200, "GET", "/api/v1/lots/l/zones", nil).Items) != 0 {
		t.Error("the dry run changed something")
	}
	want(t, "the dry run", dry.tally(), "1 added, 1 changed, 1 unchanged, 1 rejected")
	want(t, "its changes", fmt.Sprint(dry.Changes), "[{2 0 old changed [zoneId name]} {4 0 new added []}]")
	wet := p.load(t, "?createZones=1", csvType, file)
	want(t, "what then happens", wet.tally(), dry.tally())
	want(t, "zones", wet.ZonesAdded, []string{"z1"})
	want(t, "zones of the dry run", dry.ZonesAdded, []string{"z1"})
	want(t, "faults", wet.Errors, dry.Errors)
	if wet.Changes != nil || wet.DryRun || !dry.DryRun {
		t.Errorf("the import says %+v", wet)
	}
}

func TestEveryBadRowIsReportedWithItsLine(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "there")
	p.addLot(t, "other", "elsewhere")
	do[zone](t, p, 201, "POST", "/api/v1/lots/other/zones", body{"id": "theirs", "name": "Z"})
	lines := []struct{ row, field string }{
		{"ok,,,,,,,,,", ""},
		{",,,,,,,,,", ""}, // nothing at all is no row
		{",,x,,,,,,,", "spotId"},
		{"a/b,,,,,,,,,", "spotId"},
		{"elsewhere,,,,,,,,,", "spotId"},
		{"ok,,,,,,,,,", "spotId"},
		{"c,nowhere,,,,,,,,", "zoneId"},
		{"d,theirs,,,,,,,,", "zoneId"},
		{"e,," + strings.Repeat("x", 201) + ",,,,,,,", "name"},
		{"f,,,luxury,,,,,,", "category"},
		{"g,,,,91,0,,,,", "lat"},
		{"h,,,,1,,,,,", "lon"},
		{"i,,,,NaN,0,,,,", "lat"},
		{"j,,,,,,-1,,,", "heartbeatSeconds"},
		{"k,,,,,,,burning,,", "status"},
		{"l,,,,,,,removed,,", "status"},
		{"m,,,,,,,,yesterday,", "observedAt"},
		{"n,,,,,,,,2026-11-25T12:00:00Z,", "observedAt"},
		{"o,,,,,,,,1960-01-01T00:00:00Z,", "observedAt"},
		{"p,,,,,,,,,other", "lotId"},
		{"q,,", ""},
		{"r,\"a\"b,,,,,,,,", ""},
		{"s\xff,,,,,,,,,", "spotId"},
		{"fine,,,accessible,1e1,-0.5,0,Out of service,2026-11-24T12:00:30Z,l", ""},
	}
	file, places := "spotId,zone,name,category,lat,lon,heartbeat,status,observedAt,lotId\n", []string(nil)
	for i, l := range lines {
		file += l.row + "\n"
		if l.field != "" || strings.HasPrefix(l.row, "q") || strings.HasPrefix(l.row, "r") {
			places = append(places, fmt.Sprintf("%d %s", i+2, l.field))
		}
	}
	r := p.load(t, "", csvType, file)
	want(t, "the import", r.tally(), "2 added, 0 changed, 0 unchanged, 21 rejected")
	want(t, "faults", r.places(), places)
	if s := p.spot(t, "fine"); s.Status != "out_of_service" || s.Category != "accessible" || *s.Location != (place{10, -0.5}) {
		t.Errorf("the spot is %+v", s)
	}

	w := p.refused(t, 422, "import-rejected", "", "POST", "/api/v1/lots/l/spots:import?atomic=1", "id,zone\nx,\ny,nowhere\n", "Content-Type", csvType)
	if w.Extras["rejected"] != 1.0 || p.send("GET", "/api/v1/spots/x", nil).Code != 404 {
		t.Errorf("all or nothing is answered %+v", w)
	}
	want(t, "all", p.load(t, "?atomic=1&createZones=1", csvType, "id,zone\nx,\ny,nowhere\n").tally(), "2 added, 0 changed, 0 unchanged, 0 rejected")
}

func TestFeaturesAreReadAsRowsAre(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l")
	r := p.load(t, "?createZones=true", geoType, `{"name":"x","features":[
		{"type":"Feature","id":7,"geometry":{"type":"Point","coordinates":[11.5,48.25,500]},"properties":{"zone_number":7303,"Status":"Present","note":{"a":1}}},
		{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,1],[0,1],[0,0]]]},"properties":{"bay_id":"b","closed":true}},
		{"type":"Feature","geometry":{"type":"MultiPoint","coordinates":[]},"properties":{"id":"c"}},
		{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[0,0],[2,0],[2,1],[0,1]]]},"properties":{"id":"d"}},
		{"type":"Feature","geometry":null,"properties":{"id":"e","location":"1.5, 2"}},
		{"type":"Feature","geometry":null,"properties":null},
		17],"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:OGC:1.3:CRS84"}}}`)
	want(t, "the import", r.tally(), "3 added, 0 changed, 0 unchanged, 4 rejected")
	want(t, "faults", r.places(), []string{"3 geometry", "4 geometry", "6 spotId", "7 "})
	if s := p.spot(t, "7"); s.ZoneID != "7303" || s.Status != "occupied" || *s.Location != (place{48.25, 11.5}) {
		t.Errorf("the point is %+v", s)
	}
	if s := p.spot(t, "b"); s.Status != "closed" || *s.Location != (place{0.5, 1}) {
		t.Errorf("the polygon is %+v", s)
	}
	if s := p.spot(t, "e"); *s.Location != (place{1.5, 2}) {
		t.Errorf("the one without geometry is %+v", s)
	}
}

func TestFilesThatCannotBeReadChangeNothing(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l")
	const path = "/api/v1/lots/l/spots:import"
	for _, c := range []struct {
		query, kind, content string
		status               int
		slug, field          string
	}{
		{"", csvType, "", 400, "invalid-body", ""},
		{"", csvType, "\n \n", 400, "invalid-body", ""},
		{"", csvType, "name,lat\nx,1\n", 400, "invalid-body", ""},
		{"", csvType, "\xff\xfei\x00d\x00", 400, "invalid-body", ""},
		{"", csvType, "\"id\na\n", 400, "invalid-body", ""},
		{"", geoType, "", 400, "invalid-body", ""},
		{"", geoType, "[]", 400, "invalid-body", ""},
		{"", geoType, `{"type":"Feature"}`, 400, "invalid-body", ""},
		{"", geoType, `{"type":"FeatureCollection","features":{}}`, 400, "invalid-body", ""},
		{"", geoType, `{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":null},`, 400, "invalid-body", ""},
		{"", geoType, `{"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":null}]} x`, 400, "invalid-body", ""},
		{"", geoType, `{"type":"FeatureCollection","features":[],"crs":{"name":"EPSG:3857"}}`, 400, "invalid-body", ""},
		{"", "text/csv; charset=iso-8859-1", "id\na\n", 415, "media-type", "Content-Type"},
		{"", "application/xml", "id\na\n", 415, "media-type", "Content-Type"},
		{"?dryRun=yes", csvType, "id\na\n", 400, "invalid-parameter", "dryRun"},
		{"?dryrun=1", csvType, "id\na\n", 400, "unknown-parameter", "dryrun"},
		{"?atomic=1", csvType, "id\n" + strings.Repeat("a\n", 10_001), 413, "too-many-rows", ""},
		{"", csvType, "id\n" + strings.Repeat("a\n", 50_001), 413, "too-many-rows", ""},
	} {
		p.refused(t, c.status, c.slug, c.field, "POST", path+c.query, c.content, "Content-Type", c.kind)
	}
	p.refused(t, 404, "lot-not-found", "", "POST", "/api/v1/lots/none/spots:import", "id\na\n", "Content-Type", csvType)
	p.scopes = "ingest"
	p.refused(t, 403, "scope-missing", "", "POST", path, "id\na\n", "Content-Type", csvType)
	if events, _ := p.published(t); len(events) != 0 {
		t.Errorf("%d events were caused", len(events))
	}
}

func TestAnImportUnderAKeyIsAnsweredAgain(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l")
	var file strings.Builder
	file.WriteString("id\n")
	for i := range 2500 { // three groups
		fmt.Fprintf(&file, "s%d\n", i)
	}
	send := func() *httptest.ResponseRecorder {
		return p.send("POST", "/api/v1/lots/l/spots:import", file.String(), "Content-Type", csvType, keyed, "k")
	}
	first, again := send(), send()
	if first.Code != 200 || again.Body.String() != first.Body.String() || again.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("the import is answered with %d %s, and again with %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if events, _ := p.published(t); len(events) != 2500 {
		t.Errorf("there are %d events", len(events))
	}
}

// What is exported and imported into an empty platform is the same.
func TestWhatIsExportedCanBeImported(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "free", "taken", "shut", "broken", "removed", "müll, \"x\"")
	many := make([]body, 2100) // more than is read at once
	for i := range many {
		many[i] = body{"spotId": fmt.Sprintf("s%04d", i)}
	}
	do[pageOf[spot]](t, p, 201, "POST", "/api/v1/lots/l/spots", many)
	do[zone](t, p, 201, "POST", "/api/v1/lots/l/zones", body{"id": "z", "name": "z"})
	do[spot](t, p, 200, "PATCH", "/api/v1/spots/taken", body{
		"zoneId": "z", "name": `The "first", they say; =1+1`, "category": "electric", "heartbeatSeconds": 3600, "location": body{"lat": -37.81620493158199, "lon": 144.96978894261684}})
	do[spot](t, p, 200, "PATCH", "/api/v1/spots/free", body{"location": body{"lat": 0, "lon": 0}})
	p.observe(t, reading("taken", true, noon), reading("shut", true, noon.Add(time.Millisecond)))
	p.act(t, "shut", "close")
	p.act(t, "broken", "fault")
	do[nothing](t, p, 204, "DELETE", "/api/v1/spots/removed", nil)
	states := func(p *platform) map[string]spot {
		all := map[string]spot{}
		for _, s := range do[pageOf[spot]](t, p, 200, "GET", "/api/v1/spots?limit=5000", nil).Items {
			s.Version, s.ChangedAt, s.SensorID = 0, time.Time{}, ""
			all[s.SpotID] = s
		}
		return all
	}
	was := states(p)
	for name, kind := range map[string]string{"csv": csvType, "geojson": geoType} {
		byName := p.send("GET", "/api/v1/lots/l/spots?format="+name, nil)
		byHeader := p.send("GET", "/api/v1/spots", nil, "Accept", "text/html, "+kind+";q=0.9, */*;q=0.1")
		if byName.Code != 200 || !strings.HasPrefix(byName.Header().Get("Content-Type"), kind) || byName.Body.String() != byHeader.Body.String() {
			t.Fatalf("the export is answered with %d, %v", byName.Code, byName.Header())
		}
		if got := byName.Header().Get("Content-Disposition"); got != `attachment; filename=spots-l.`+name {
			t.Errorf("it is named by %s", got)
		}
		empty := newPlatform(t)
		empty.addLot(t, "l")
		r := empty.load(t, "?createZones=1", kind, byName.Body.String())
		want(t, "the import", r.tally(), "2105 added, 0 changed, 0 unchanged, 0 rejected")
		want(t, "the spots", states(empty), was)
		want(t, "the import where they are", p.load(t, "", kind, byName.Body.String()).tally(), "0 added, 0 changed, 2105 unchanged, 0 rejected")
	}
	if w := p.send("GET", "/api/v1/spots?format=geojson&status=closed", nil); strings.Count(w.Body.String(), `"Feature"`) != 1 || !json.Valid(w.Body.Bytes()) {
		t.Errorf("the closed spots are %s", w.Body)
	}
	if w := p.send("GET", "/api/v1/spots?format=geojson&lot=none", nil); !json.Valid(w.Body.Bytes()) {
		t.Errorf("no spots are %s", w.Body)
	}
	p.refused(t, 400, "unknown-parameter", "limit", "GET", "/api/v1/spots?format=csv&limit=1", nil)
	p.refused(t, 400, "invalid-parameter", "format", "GET", "/api/v1/spots?format=xml", nil)
	p.refused(t, 404, "lot-not-found", "", "GET", "/api/v1/lots/none/spots?format=csv", nil)
}

// melbourne returns one of the real exports, which are beside the project and not in it.
func melbourne(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "melbourne", name))
	if err != nil {
		t.Skipf("skipped: the exports of Melbourne are not here: %v", err)
	}
	return string(text)
}

func TestTheSensorsOfMelbourneAreImportedAsTheyAre(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l")
	for i, c := range []struct {
		name, tally string
		occupied    int
		unzoned     int
	}{
		{"bay-sensors.snapshot-2025-08-05.csv", "3309 added, 0 changed, 0 unchanged, 0 rejected", 1751, 228},
		{"bay-sensors.snapshot-2026-03-06.csv", "", 0, 0},
	} {
		file := melbourne(t, c.name)
		r := p.load(t, "?createZones=1", csvType, file)
		if c.tally != "" {
			want(t, c.name, r.tally(), c.tally)
			spots := do[pageOf[spot]](t, p, 200, "GET", "/api/v1/lots/l/spots?limit=5000", nil).Items
			occupied, unzoned := 0, 0
			for _, s := range spots {
				if s.Status == "occupied" {
					occupied++
				}
				if s.ZoneID == "" {
					unzoned++
				}
				if s.Location == nil || s.LastObservedAt.IsZero() {
					t.Fatalf("the spot is %+v", s)
				}
			}
			if occupied != c.occupied || unzoned != c.unzoned {
				t.Errorf("%d spots are occupied, and %d have no zone", occupied, unzoned)
			}
		}
		if r.Rejected != 0 || r.Added+r.Changed+r.Unchanged != 3309 {
			t.Errorf("export %d: %s", i, r.tally())
		}
		before, _ := p.published(t)
		want(t, c.name+" again", p.load(t, "?createZones=1", csvType, file).tally(), "0 added, 0 changed, 3309 unchanged, 0 rejected")
		if after, _ := p.published(t); len(after) != len(before) {
			t.Errorf("the same export again caused %d events", len(after)-len(before))
		}
	}
}

// Most bays have no id there, and 13 have one that another has: each is reported with its line.
func TestTheBaysOfMelbourneAreImportedAndEachBadRowIsReported(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l")
	file := melbourne(t, "on-street-parking-bays.csv")
	r := p.load(t, "", csvType, file)
	want(t, "the import", r.tally(), "5326 added, 0 changed, 0 unchanged, 18538 rejected")
	if len(r.Errors) != 18538 || r.ErrorsOmitted != 0 {
		t.Fatalf("%d errors are reported, %d more are not", len(r.Errors), r.ErrorsOmitted)
	}
	lines, twice := strings.Split(file, "\n"), 0
	for _, f := range r.Errors {
		cells := strings.SplitN(lines[f.Line-1], ",", 3)
		if f.Field != "spotId" || cells[1] != f.SpotID {
			t.Fatalf("%+v is about %s", f, lines[f.Line-1])
		}
		if f.SpotID != "" {
			twice++
		}
	}
	want(t, "ids that are there twice", twice, 13)
}

// ailingStore loses its database after some transactions, or some reads of spots.
type ailingStore struct {
	parking.Store
	updates, reads int
}

func (s *ailingStore) Update(ctx context.Context, change func(context.Context, parking.Tx) error) error {
	if s.updates--; s.updates < 0 {
		return parking.ErrUnavailable
	}
	return s.Store.Update(ctx, change)
}

func (s *ailingStore) Spots(ctx context.Context, q parking.SpotQuery) ([]parking.Spot, error) {
	if s.reads--; s.reads < 0 {
		return nil, parking.ErrUnavailable
	}
	return s.Store.Spots(ctx, q)
}

// Where the database is lost in the middle, an import says what is kept, and an export is no whole file.
func TestWhatBreaksOffInTheMiddleSaysSo(t *testing.T) {
	ailing := &ailingStore{updates: 1, reads: 1}
	p := newPlatform(t, func(o *parking.Options) {
		ailing.Store = o.Store
		o.Store = ailing
	})
	p.addLot(t, "l")
	var file strings.Builder
	file.WriteString("id\n")
	for i := range 2500 {
		fmt.Fprintf(&file, "s%04d\n", i)
	}
	ailing.updates = 2
	w := p.refused(t, 503, "database-unavailable", "", "POST", "/api/v1/lots/l/spots:import", file.String(), "Content-Type", csvType)
	if w.Extras["committed"] != 2000.0 {
		t.Errorf("the import says %+v", w)
	}
	ailing.updates = 10
	want(t, "the import again", p.load(t, "", csvType, file.String()).tally(), "500 added, 0 changed, 2000 unchanged, 0 rejected")

	func() {
		defer func() {
			if cause := recover(); cause != http.ErrAbortHandler {
				t.Errorf("the export ends with %v, and not by cutting the connection", cause)
			}
		}()
		p.send("GET", "/api/v1/spots?format=csv", nil)
	}()
	ailing.reads = 0
	p.refused(t, 503, "database-unavailable", "", "GET", "/api/v1/spots?format=csv", nil)
	ailing.reads = 1
	if head := p.send("HEAD", "/api/v1/spots?format=csv", nil); head.Code != 200 || head.Body.Len() > 0 || !strings.HasPrefix(head.Header().Get("Content-Type"), csvType) {
		t.Errorf("HEAD is answered with %d, %v", head.Code, head.Header())
	}
}
