package parking_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"parkwire/internal/identity"
)

// limited are the headers of somebody whose token is for certain lots.
func limited(lots ...string) []string {
	for i := range lots {
		lots[i] = url.PathEscape(lots[i])
	}
	return []string{identity.HeaderLots, strings.Join(lots, " ")}
}

// twoLots has a spot, a zone and a sensor in each of two lots, and a sensor that stands nowhere.
func twoLots(t *testing.T) *platform {
	p := newPlatform(t)
	for _, lot := range []string{"a", "b 1"} {
		p.addLot(t, lot, lot+"-spot")
		do[zone](t, p, 201, "POST", "/api/v1/lots/"+url.PathEscape(lot)+"/zones", body{"id": lot + "-zone", "name": "Z"})
		do[sensor](t, p, 201, "POST", "/api/v1/sensors", body{"id": lot + "-sensor", "model": "bosch-tps110", "spotId": lot + "-spot"})
	}
	do[sensor](t, p, 201, "POST", "/api/v1/sensors", body{"id": "nowhere", "model": "bosch-tps110"})
	return p
}

func TestListsShowTheLotsOfTheToken(t *testing.T) {
	p := twoLots(t)
	for lots, want := range map[string]int{"a": 1, "b%201": 1, "a b%201": 2, "a b%201 none": 2, "none": 0, "": 0} {
		of := []string{identity.HeaderLots, lots}
		got := []int{
			len(do[pageOf[lot]](t, p, 200, "GET", "/api/v1/lots", nil, of...).Items),
			len(do[pageOf[spot]](t, p, 200, "GET", "/api/v1/spots", nil, of...).Items),
			len(do[pageOf[sensor]](t, p, 200, "GET", "/api/v1/sensors", nil, of...).Items),
			strings.Count(p.send("GET", "/api/v1/spots?format=csv", nil, of...).Body.String(), "-spot"),
		}
		for i, n := range got {
			if n != want {
				t.Errorf("limited to %q, list %d shows %d instead of %d", lots, i, n, want)
			}
		}
	}
	if all := do[pageOf[sensor]](t, p, 200, "GET", "/api/v1/sensors", nil); len(all.Items) != 3 {
		t.Errorf("who is not limited sees %d sensors", len(all.Items))
	}
	if pages := do[pageOf[spot]](t, p, 200, "GET", "/api/v1/spots?lot=a&lot=b%201", nil, limited("a", "b 1", "c")...); len(pages.Items) != 2 {
		t.Errorf("%d spots of two lots", len(pages.Items))
	}
}

func TestWhatIsInALotOfTheTokenCanBeReadAndChanged(t *testing.T) {
	p := twoLots(t)
	mine := limited("b 1")
	do[lot](t, p, 200, "GET", "/api/v1/lots/b%201", nil, mine...)
	do[lot](t, p, 200, "PATCH", "/api/v1/lots/b%201", body{"name": "B"}, mine...)
	do[spot](t, p, 200, "GET", "/api/v1/spots/b%201-spot", nil, mine...)
	do[spot](t, p, 200, "POST", "/api/v1/spots/b%201-spot/occupy", nil, mine...)
	if h := do[pageOf[entry]](t, p, 200, "GET", "/api/v1/spots/b%201-spot/history", nil, mine...); len(h.Items) != 2 {
		t.Errorf("its history has %d entries", len(h.Items))
	}
	do[sensor](t, p, 200, "GET", "/api/v1/sensors/b%201-sensor", nil, mine...)
	do[sensor](t, p, 201, "POST", "/api/v1/sensors", body{"id": "new", "model": "bosch-tps110", "spotId": "b 1-spot"}, mine...)
	do[pageOf[spot]](t, p, 201, "POST", "/api/v1/lots/b%201/spots", []body{{"spotId": "b2"}}, mine...)
	do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": "c", "name": "C"}, limited("c")...)
}

func TestALotThatIsNamedAndNotOfTheTokenIsRefusedWhetherThereIsOneOrNot(t *testing.T) {
	p := twoLots(t)
	for _, lot := range []string{"a", "none"} {
		for _, c := range []struct {
			method, path string
			content      any
		}{
			{"GET", "", nil}, {"PATCH", "", body{"name": "x"}}, {"DELETE", "", nil}, {"GET", "/summary", nil}, {"GET", "/zones", nil},
			{"POST", "/zones", body{"id": "z", "name": "Z"}}, {"GET", "/zones/a-zone", nil}, {"PATCH", "/zones/a-zone", body{"name": "x"}},
			{"DELETE", "/zones/a-zone", nil}, {"GET", "/spots", nil}, {"POST", "/spots", body{"spotId": "x"}}, {"POST", "/spots:import", "spotId\nx\n"},
		} {
			p.refused(t, 403, "lot-not-allowed", "", c.method, "/api/v1/lots/"+lot+c.path, c.content, limited("b 1")...)
		}
		p.refused(t, 403, "lot-not-allowed", "", "GET", "/api/v1/spots?lot=b%201&lot="+lot, nil, limited("b 1")...)
		p.refused(t, 403, "lot-not-allowed", "", "GET", "/api/v1/spots?format=csv&lot="+lot, nil, limited("b 1")...)
		p.refused(t, 403, "lot-not-allowed", "", "POST", "/api/v1/lots", body{"id": lot, "name": "x"}, limited("b 1")...)
		p.refused(t, 403, "lot-not-allowed", "", "GET", "/api/v1/lots/"+lot, nil, limited()...)
	}
	if got := do[lot](t, p, 200, "GET", "/api/v1/lots/a", nil); got.Name != "Lot a" || got.Counts.Total != 1 {
		t.Errorf("the lot became %+v", got)
	}
}

func TestASpotOrASensorInAnotherLotIsNotThere(t *testing.T) {
	p := twoLots(t)
	p.clock.advance(time.Minute)
	before := p.send("GET", "/api/v1/spots/a-spot", nil).Body.String()
	for _, c := range []struct {
		method, path string
		content      any
	}{
		{"GET", "", nil}, {"PATCH", "", body{"name": "x"}}, {"DELETE", "", nil}, {"GET", "/history", nil}, {"POST", "/occupy", nil}, {"POST", "/release", nil},
		{"POST", "/close", nil}, {"POST", "/reopen", nil}, {"POST", "/fault", nil}, {"POST", "/repair", nil}, {"PUT", "/reservation", body{}}, {"DELETE", "/reservation", nil},
	} {
		for _, lots := range [][]string{{"b 1"}, {}} {
			p.refused(t, 404, "spot-not-found", "", c.method, "/api/v1/spots/a-spot"+c.path, c.content, limited(lots...)...)
		}
	}
	mine := limited("b 1")
	for _, id := range []string{"a-sensor", "nowhere"} {
		p.refused(t, 404, "sensor-not-found", "", "GET", "/api/v1/sensors/"+id, nil, mine...)
		p.refused(t, 404, "sensor-not-found", "", "PATCH", "/api/v1/sensors/"+id, body{"spotId": "b 1-spot"}, mine...)
		p.refused(t, 404, "sensor-not-found", "", "DELETE", "/api/v1/sensors/"+id, nil, mine...)
	}
	p.refused(t, 400, "invalid-field", "spotId", "POST", "/api/v1/sensors", body{"id": "x", "model": "bosch-tps110", "spotId": "a-spot"}, mine...)
	p.refused(t, 400, "invalid-field", "spotId", "POST", "/api/v1/sensors", body{"id": "x", "model": "bosch-tps110"}, mine...)
	p.refused(t, 400, "invalid-field", "spotId", "PATCH", "/api/v1/sensors/b%201-sensor", body{"spotId": "a-spot"}, mine...)
	p.refused(t, 400, "invalid-field", "spotId", "PATCH", "/api/v1/sensors/b%201-sensor", body{"spotId": nil}, mine...)
	if after := p.send("GET", "/api/v1/spots/a-spot", nil).Body.String(); after != before {
		t.Errorf("the spot became %s", after)
	}
}

func TestReadingsOfSpotsInOtherLotsAreRejectedAsIfTheSpotsWereNotThere(t *testing.T) {
	p := twoLots(t)
	p.clock.advance(time.Minute)
	got := do[ingested](t, p, 200, "POST", "/api/v1/observations",
		[]body{reading("a-spot", true, p.clock.Now()), reading("b 1-spot", true, p.clock.Now()), reading("none", true, p.clock.Now())}, limited("b 1")...)
	if got.Accepted != 1 || got.Rejected != 2 || got.Errors[0].Reason != got.Errors[1].Reason || got.Errors[0].Field != got.Errors[1].Field {
		t.Errorf("got %+v", got)
	}
	if s := p.spot(t, "a-spot"); s.Status != "free" {
		t.Errorf("the spot in another lot became %s", s.Status)
	}
}

func TestMessagesOfSensorsInOtherLotsAreRejectedAsIfTheSensorsWereNotThere(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "a", "s")
	do[sensor](t, p, 201, "POST", "/api/v1/sensors", body{"id": "70b3d50000000001", "model": "bosch-tps110", "spotId": "s"})
	p.clock.advance(time.Minute)
	message := ttnUplink("70b3d50000000001", p.clock.Now(), 1, 1, 1)
	got := do[ingested](t, p, 200, "POST", "/api/v1/ingest/ttn", message, limited("b")...)
	if got.Rejected != 1 || !strings.Contains(got.Errors[0].Reason, "No sensor is registered") {
		t.Errorf("got %+v", got)
	}
	if s := do[sensor](t, p, 200, "GET", "/api/v1/sensors/70b3d50000000001", nil); !s.LastSeenAt.IsZero() {
		t.Errorf("it was heard at %v", s.LastSeenAt)
	}
	if got := do[ingested](t, p, 200, "POST", "/api/v1/ingest/ttn", message, limited("a")...); got.Accepted != 1 {
		t.Errorf("its own lot got %+v", got)
	}
}
