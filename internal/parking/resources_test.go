package parking_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/internal/event"
)

func TestALotIsAddedChangedAndRemoved(t *testing.T) {
	p := newPlatform(t)
	w := p.send("POST", "/api/v1/lots", body{
		"id": "central", "name": "Central Garage", "timeZone": "Europe/Berlin", "address": "1 Station Road",
		"location": body{"lat": 52.5, "lon": 13.4}, "heartbeatSeconds": 600,
	})
	if w.Code != 201 || w.Header().Get("Location") != "/api/v1/lots/central" {
		t.Fatalf("%d, Location %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	made := do[lot](t, p, 200, "GET", "/api/v1/lots/central", nil)
	want := lot{
		ID: "central", Name: "Central Garage", TimeZone: "Europe/Berlin", Address: "1 Station Road",
		Location: made.Location, HeartbeatSeconds: 600, CreatedAt: noon, UpdatedAt: noon,
	}
	if made != want || *made.Location != (place{52.5, 13.4}) {
		t.Errorf("%+v", made)
	}

	p.clock.advance(time.Hour)
	do[lot](t, p, 200, "PATCH", "/api/v1/lots/central", body{"name": "Central Garage"}) // what it is already
	if moved := do[lot](t, p, 200, "PATCH", "/api/v1/lots/central", body{"location": body{"lat": 52.6}}); *moved.Location != (place{52.6, 13.4}) {
		t.Errorf("a merge patch of the latitude makes %+v", moved.Location)
	}
	changed := do[lot](t, p, 200, "PATCH", "/api/v1/lots/central",
		body{"name": "Central", "timeZone": nil, "address": nil, "location": nil, "heartbeatSeconds": nil}, "Content-Type", "application/merge-patch+json")
	if changed != (lot{ID: "central", Name: "Central", TimeZone: "UTC", CreatedAt: noon, UpdatedAt: noon.Add(time.Hour)}) {
		t.Errorf("%+v", changed)
	}

	p.addLot(t, "full", "f-1")
	p.refused(t, 409, "lot-in-use", "", "DELETE", "/api/v1/lots/full", nil)
	do[nothing](t, p, 204, "DELETE", "/api/v1/lots/central", nil)
	p.refused(t, 404, "lot-not-found", "", "GET", "/api/v1/lots/central", nil)
	p.refused(t, 404, "lot-not-found", "", "DELETE", "/api/v1/lots/central", nil)
	p.refused(t, 404, "lot-not-found", "", "PATCH", "/api/v1/lots/central", body{"name": "X"})
}

// A space that does not break, a letter parted from the next, an emoji of three.
func TestNamesAreTextOfAnyLanguage(t *testing.T) {
	p := newPlatform(t)
	for i, name := range []string{"Parc\u00a0: Nord", "می\u200cخواهم", "👨\u200d👩\u200d👧"} {
		if l := do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": string(rune('a' + i)), "name": name}); l.Name != name {
			t.Errorf("%q became %q", name, l.Name)
		}
	}
	for _, name := range []string{"two\nlines", "\u202eright to left", "\u2028"} {
		p.refused(t, 400, "invalid-field", "name", "POST", "/api/v1/lots", body{"id": "x", "name": name})
	}
}

func TestZones(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "north")
	p.addLot(t, "south")
	path := "/api/v1/lots/north/zones"
	w := p.send("POST", path, body{"id": "n-l1", "name": "Level 1", "level": 1})
	if w.Code != 201 || w.Header().Get("Location") != path+"/n-l1" {
		t.Fatalf("%d, Location %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	do[zone](t, p, 201, "POST", path, body{"id": "n-l0", "name": "Ground", "level": 0})
	p.refused(t, 409, "id-taken", "id", "POST", "/api/v1/lots/south/zones", body{"id": "n-l1", "name": "X"})
	p.refused(t, 404, "lot-not-found", "", "POST", "/api/v1/lots/west/zones", body{"id": "w", "name": "X"})
	p.refused(t, 404, "lot-not-found", "", "GET", "/api/v1/lots/west/zones", nil)
	p.refused(t, 404, "zone-not-found", "", "GET", "/api/v1/lots/south/zones/n-l1", nil)
	p.refused(t, 404, "zone-not-found", "", "PATCH", "/api/v1/lots/south/zones/n-l1", body{"name": "X"})
	p.refused(t, 404, "zone-not-found", "", "DELETE", "/api/v1/lots/south/zones/n-l1", nil)

	if z := do[zone](t, p, 200, "GET", path+"/n-l0", nil); *z.Level != 0 || z.LotID != "north" || z.Name != "Ground" {
		t.Errorf("%+v", z)
	}
	if z := do[zone](t, p, 200, "PATCH", path+"/n-l0", body{"name": "Street", "level": nil}); z.Level != nil || z.Name != "Street" {
		t.Errorf("%+v", z)
	}
	first := do[pageOf[zone]](t, p, 200, "GET", path+"?limit=1", nil)
	second := do[pageOf[zone]](t, p, 200, "GET", path+"?limit=1&cursor="+first.Next, nil)
	if first.Items[0].ID != "n-l0" || second.Items[0].ID != "n-l1" || second.Next != "" {
		t.Errorf("%+v, %+v", first, second)
	}

	p.refused(t, 400, "invalid-field", "zoneId", "POST", "/api/v1/lots/south/spots", body{"spotId": "s-1", "zoneId": "n-l1"})
	do[spot](t, p, 201, "POST", "/api/v1/lots/north/spots", body{"spotId": "n-1", "zoneId": "n-l1", "status": "occupied"})
	p.refused(t, 409, "zone-in-use", "", "DELETE", path+"/n-l1", nil)
	type summary struct {
		counts
		LotID string
		AsOf  time.Time
		Zones []struct {
			counts
			ZoneID, Name string
		}
	}
	sum := do[summary](t, p, 200, "GET", "/api/v1/lots/north/summary", nil)
	if sum.Total != 1 || sum.Occupied != 1 || len(sum.Zones) != 2 || sum.Zones[0].Total != 0 || sum.Zones[1].Occupied != 1 || !sum.AsOf.Equal(noon) {
		t.Errorf("%+v", sum)
	}
	do[spot](t, p, 200, "PATCH", "/api/v1/spots/n-1", body{"zoneId": nil})
	do[nothing](t, p, 204, "DELETE", path+"/n-l1", nil)
}

func TestSpotsAreAddedWithEverythingThatIsKnown(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central")
	w := p.send("POST", "/api/v1/lots/central/spots", body{
		"spotId": "A 017", "name": "17", "category": "electric", "location": body{"lat": -37.8, "lon": 144.9},
		"heartbeatSeconds": 60, "status": "occupied", "observedAt": "2012-12-07T16:42:25.1239-02:00",
	})
	if w.Code != 201 || w.Header().Get("Location") != "/api/v1/spots/A%20017" || w.Header().Get("ETag") != `"1"` {
		t.Fatalf("%d, Location %q, ETag %q: %s", w.Code, w.Header().Get("Location"), w.Header().Get("ETag"), w.Body)
	}
	s := p.spot(t, "A%20017")
	if s.SpotID != "A 017" || s.Status != "occupied" || s.Category != "electric" || *s.Location != (place{-37.8, 144.9}) || s.HeartbeatSeconds != 60 ||
		!s.LastObservedAt.Equal(time.Date(2012, 12, 7, 18, 42, 25, 123e6, time.UTC)) || s.Version != 1 || !s.ChangedAt.Equal(noon) {
		t.Errorf("%+v", s)
	}
	for _, status := range []string{"free", "unknown", "closed", "out_of_service"} {
		if s := do[spot](t, p, 201, "POST", "/api/v1/lots/central/spots", body{"spotId": status, "status": status}); s.Status != status {
			t.Errorf("added as %s it is %+v", status, s)
		}
	}
	got := do[lot](t, p, 200, "GET", "/api/v1/lots/central", nil).Counts
	if got != (counts{Total: 5, Free: 1, Occupied: 1, Closed: 1, OutOfService: 1, Unknown: 1}) {
		t.Errorf("the counts are %+v", got)
	}
}

// Of many spots all are added or none, and the problem says which one is at fault.
func TestManySpotsAreAddedTogetherOrNot(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	path := "/api/v1/lots/central/spots"
	got := p.refused(t, 409, "id-taken", "spotId", "POST", path, []body{{"spotId": "b-03"}, {"spotId": "b-01"}})
	if got.Extras["index"] != 1.0 || got.Extras["spotId"] != "b-01" || !strings.Contains(got.Detail, "2 of 2") {
		t.Errorf("%+v", got)
	}
	got = p.refused(t, 400, "invalid-field", "status", "POST", path, []body{{"spotId": "b-03"}, {"spotId": "b-04", "status": "full"}, {"spotId": ""}})
	if got.Extras["index"] != 1.0 || got.Extras["spotId"] != "b-04" {
		t.Errorf("%+v", got)
	}
	p.refused(t, 400, "invalid-field", "spotId", "POST", path, []body{{"spotId": "b-03"}, {"spotId": "b-03"}})
	p.refused(t, 400, "invalid-body", "", "POST", path, []body{})
	p.refused(t, 400, "invalid-body", "", "POST", path, slices.Repeat([]body{{"spotId": "x"}}, 10_001))
	p.refused(t, 404, "lot-not-found", "", "POST", "/api/v1/lots/west/spots", body{"spotId": "w"})
	if events, _ := p.published(t); len(events) != 1 {
		t.Errorf("of what was refused there are events: %+v", events[1:])
	}

	many := make([]body, 3000)
	for i := range many {
		many[i] = body{"spotId": fmt.Sprintf("m-%04d", i)}
	}
	if all := do[pageOf[spot]](t, p, 201, "POST", path, many); len(all.Items) != len(many) || all.Items[2999].SpotID != "m-2999" {
		t.Errorf("%d spots were answered", len(all.Items))
	}
}

func TestARemovedSpotComesBackWithTheNextVersion(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	p.addLot(t, "other")
	p.act(t, "b-01", "occupy")
	do[nothing](t, p, 204, "DELETE", "/api/v1/spots/b-01", nil, "If-Match", `"2"`)
	p.refused(t, 404, "spot-not-found", "", "GET", "/api/v1/spots/b-01", nil)
	p.refused(t, 404, "spot-not-found", "", "DELETE", "/api/v1/spots/b-01", nil)
	p.refused(t, 404, "spot-not-found", "", "POST", "/api/v1/spots/b-01/occupy", nil)
	if r := p.observe(t, reading("b-01", true, noon)); r.Rejected != 1 {
		t.Errorf("a reading of a removed spot: %+v", r)
	}
	if page := do[pageOf[entry]](t, p, 200, "GET", "/api/v1/spots/b-01/history", nil); len(page.Items) != 3 || page.Items[0].Change != "removed" {
		t.Errorf("its history is %+v", page)
	}
	if s := do[spot](t, p, 201, "POST", "/api/v1/lots/other/spots", body{"spotId": "b-01"}); s.Version != 4 || s.Status != "free" || s.LotID != "other" {
		t.Errorf("%+v", s)
	}
	want := []string{"added/free", "occupied/occupied", "removed/removed", "added/free"}
	if got := p.changesOf(t, "b-01"); !slices.Equal(got, want) {
		t.Errorf("the events are %v", got)
	}
	_, rows := p.published(t)
	for _, row := range rows {
		e, _ := event.Decode(row.Value)
		if row.Tombstone != (e.Status == event.Removed) {
			t.Errorf("tombstone is %v for %s", row.Tombstone, row.Value)
		}
	}
	do[nothing](t, p, 204, "DELETE", "/api/v1/lots/central", nil) // it has no spots any longer
}

func TestWritesDependOnTheVersion(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	for method, path := range map[string]string{
		"PATCH": "/api/v1/spots/b-01", "DELETE": "/api/v1/spots/b-01", "POST": "/api/v1/spots/b-01/occupy", "PUT": "/api/v1/spots/b-01/reservation",
	} {
		for _, tag := range []string{`"2"`, `W/"1"`, `1`, `"x", "y"`} {
			got := p.refused(t, 412, "version-mismatch", "", method, path, body{}, "If-Match", tag)
			if got.Extras["version"] != 1.0 {
				t.Errorf("%+v", got)
			}
		}
	}
	p.refused(t, 412, "version-mismatch", "", "DELETE", "/api/v1/spots/b-01/reservation", nil, "If-Match", `"2"`)
	for i, tag := range []string{`"1"`, `*`, `"9", "3"`} {
		w := p.send("POST", "/api/v1/spots/b-01/"+[]string{"occupy", "release"}[i%2], nil, "If-Match", tag)
		if w.Code != 200 || w.Header().Get("ETag") != fmt.Sprintf(`"%d"`, i+2) {
			t.Errorf("If-Match %s: %d, ETag %s", tag, w.Code, w.Header().Get("ETag"))
		}
	}
}

func TestOperatorsActAndRepeatWithoutHarm(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	for _, action := range []string{"occupy", "release", "close", "fault", "reopen", "repair"} {
		first, second := p.act(t, "b-01", action), p.act(t, "b-01", action)
		if first.Version != second.Version {
			t.Errorf("to %s a second time raised version %d", action, second.Version)
		}
	}
	want := []string{"added/free", "occupied/occupied", "released/free", "closed/closed", "faulted/closed", "reopened/out_of_service", "repaired/free"}
	if got := p.changesOf(t, "b-01"); !slices.Equal(got, want) {
		t.Errorf("the events are %v", got)
	}
	p.act(t, "b-01", "close")
	got := p.refused(t, 409, "transition-refused", "", "POST", "/api/v1/spots/b-01/occupy", nil)
	if got.Extras["spotStatus"] != "closed" || got.Extras["version"] != 8.0 {
		t.Errorf("%+v", got)
	}
	s := do[spot](t, p, 200, "PATCH", "/api/v1/spots/b-01", body{"name": "One", "category": "family", "location": body{"lat": 1, "lon": 2}, "heartbeatSeconds": 5})
	if s.Name != "One" || s.Category != "family" || s.Location == nil || s.HeartbeatSeconds != 5 || s.Version != 9 {
		t.Errorf("%+v", s)
	}
	if s = do[spot](t, p, 200, "PATCH", "/api/v1/spots/b-01", body{"name": "One"}); s.Version != 9 {
		t.Errorf("editing nothing raised version %d", s.Version)
	}
}

func TestReservations(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	path, until := "/api/v1/spots/b-01/reservation", noon.Add(time.Hour)
	s := do[spot](t, p, 200, "PUT", path, body{"reference": "R-1", "until": until})
	if s.Status != "reserved" || s.Reservation.Reference != "R-1" || !s.Reservation.Until.Equal(until) || !s.Reservation.ReservedAt.Equal(noon) {
		t.Errorf("%+v", s)
	}
	if s = do[spot](t, p, 200, "PUT", path, body{"reference": "R-1", "until": until}); s.Version != 2 {
		t.Errorf("the same reservation again raised version %d", s.Version)
	}
	p.refused(t, 409, "transition-refused", "", "PUT", path, body{"reference": "R-2"})
	p.refused(t, 409, "transition-refused", "", "PUT", path, body{})
	p.refused(t, 400, "invalid-field", "until", "PUT", path, body{"until": noon})
	p.refused(t, 400, "invalid-field", "until", "PUT", path, body{"until": "tomorrow"})
	p.refused(t, 400, "invalid-body", "", "PUT", path, nil)
	if r := p.observe(t, reading("b-01", true, noon), reading("b-01", false, noon.Add(time.Second))); r.Accepted != 2 {
		t.Errorf("%+v", r)
	}
	if s = p.spot(t, "b-01"); s.Status != "reserved" {
		t.Errorf("a vehicle came and went, and the spot is %s", s.Status)
	}
	if s = do[spot](t, p, 200, "DELETE", path, nil); s.Status != "free" || s.Reservation != nil || s.Version != 5 {
		t.Errorf("%+v", s)
	}
	if s = do[spot](t, p, 200, "DELETE", path, nil); s.Version != 5 {
		t.Errorf("ending what there is not raised version %d", s.Version)
	}
}

func TestHistoryIsReadPageByPage(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01", "b-02")
	p.act(t, "b-01", "occupy")
	p.observe(t, reading("b-01", false, noon.Add(-time.Minute)))
	p.act(t, "b-02", "occupy")
	p.act(t, "b-01", "release")
	var entries []entry
	path := "/api/v1/spots/b-01/history?limit=3"
	for next := ""; ; {
		page := do[pageOf[entry]](t, p, 200, "GET", path+next, nil)
		entries = append(entries, page.Items...)
		if page.Next == "" {
			break
		}
		next = "&cursor=" + page.Next
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprintf("%s/%s/%d/%s/%s", e.Change, e.Status, e.Version, e.Source, e.By))
	}
	want := []string{"released/free/3/operator/tester", "late_reading/free/0/sensor/tester", "occupied/occupied/2/operator/tester", "added/free/1/operator/tester"}
	if !slices.Equal(got, want) {
		t.Errorf("the history is %v", got)
	}
	if e := entries[1]; !e.ObservedAt.Equal(noon.Add(-time.Minute)) || !e.RecordedAt.Equal(noon) || e.EventID != "" {
		t.Errorf("%+v", e)
	}
	p.refused(t, 404, "spot-not-found", "", "GET", "/api/v1/spots/b-99/history", nil)
}

func TestSpotsAreFoundByWhatTheyAre(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "north")
	p.addLot(t, "south", "s-1", "s-2")
	do[zone](t, p, 201, "POST", "/api/v1/lots/north/zones", body{"id": "n-l1", "name": "Level 1"})
	do[pageOf[spot]](t, p, 201, "POST", "/api/v1/lots/north/spots", []body{
		{"spotId": "n-1", "zoneId": "n-l1", "location": body{"lat": 1, "lon": 179.5}}, {"spotId": "n-2", "location": body{"lat": 1, "lon": -179.5}},
	})
	p.clock.advance(time.Minute)
	p.act(t, "n-1", "occupy")
	p.act(t, "s-2", "close")
	for query, want := range map[string]string{
		"":                                   "n-1 n-2 s-1 s-2",
		"lot=north":                          "n-1 n-2",
		"lot=north&lot=south&status=free":    "n-2 s-1",
		"lot=west":                           "",
		"zone=n-l1":                          "n-1",
		"status=occupied&status=closed":      "n-1 s-2",
		"bbox=179,0,180,2":                   "n-1",
		"bbox=179,0,-179,2":                  "n-1 n-2",
		"bbox=-180,-90,180,90&status=free":   "n-2",
		"updated_since=2026-11-24T12:01:00Z": "n-1 s-2",
		"limit=2":                            "n-1 n-2",
	} {
		var ids []string
		for _, s := range do[pageOf[spot]](t, p, 200, "GET", "/api/v1/spots?"+query, nil).Items {
			ids = append(ids, s.SpotID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%q finds %q, not %q", query, got, want)
		}
	}
	if page := do[pageOf[spot]](t, p, 200, "GET", "/api/v1/lots/south/spots?status=closed", nil); len(page.Items) != 1 || page.Items[0].SpotID != "s-2" {
		t.Errorf("%+v", page)
	}
	p.refused(t, 404, "lot-not-found", "", "GET", "/api/v1/lots/west/spots", nil)
	p.refused(t, 400, "unknown-parameter", "lot", "GET", "/api/v1/lots/south/spots?lot=north", nil)
}

func TestPagesHoldEveryLotAndSpotOnce(t *testing.T) {
	p := newPlatform(t)
	for i := range 7 {
		p.addLot(t, fmt.Sprintf("lot %d ä", i), fmt.Sprintf("spot %d", i))
	}
	for _, kind := range []string{"lots", "spots"} {
		seen := map[string]bool{}
		query := url.Values{"limit": {"3"}}
		pages := 0
		for ; ; pages++ {
			var next string
			if kind == "lots" {
				page := do[pageOf[lot]](t, p, 200, "GET", "/api/v1/lots?"+query.Encode(), nil)
				for _, l := range page.Items {
					seen[l.ID] = true
				}
				next = page.Next
			} else {
				page := do[pageOf[spot]](t, p, 200, "GET", "/api/v1/spots?"+query.Encode(), nil)
				for _, s := range page.Items {
					seen[s.SpotID] = true
				}
				next = page.Next
			}
			if next == "" {
				break
			}
			query.Set("cursor", next)
		}
		if len(seen) != 7 || pages != 2 {
			t.Errorf("%d pages behind the first held %d of 7 %s", pages, len(seen), kind)
		}
		other := map[string]string{"lots": "spots", "spots": "lots"}[kind]
		p.refused(t, 400, "invalid-parameter", "cursor", "GET", "/api/v1/"+other+"?"+query.Encode(), nil)
	}
}
