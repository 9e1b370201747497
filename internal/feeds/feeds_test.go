package feeds

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parkwire/internal/problem"
)

const day = "2026-11-24T"

// Everything that the feeds say of one city, on either database.
func TestTheFeedsSayWhatTheSpotsAre(t *testing.T) {
	each(t, func(w *world) {
		w.city()
		t := w.T
		for name, test := range map[string]func(*world){
			"signs": signsAreRight, "entities": entitiesAreRight, "ParkAPI": parkAPIIsRight, "curb events": curbEventsAreRight,
			"curb status": curbStatusIsRight, "sessions": sessionsAreRight, "aggregates": aggregatesAreRight, "lots of a token": aTokenSeesItsLots,
			"published schemas": answersFitThePublishedSchemas, "bad requests": badRequestsSayWhatIsWrong,
		} {
			t.Run(name, func(t *testing.T) {
				w.T = t
				test(w)
			})
		}
		w.T = t
	})
}

func signsAreRight(w *world) {
	sign := func(target string) signView {
		answer := w.ask("GET", target)
		w.fits("/feeds/signs/lots/{lotId}", answer)
		return read[signView](w, answer.Body.Bytes())
	}
	at := func(clock string) int64 { return moment(w, clock).Unix() }
	expect(w, "the garage", sign("/feeds/signs/lots/central"), signView{Free: 2, Total: 7, Unknown: 1, AsOf: at("04:40")})
	expect(w, "a level", sign("/feeds/signs/lots/central/zones/L2"), signView{Free: 1, Total: 4, AsOf: at("03:00")})
	expect(w, "a level whose only sensor is silent", sign("/feeds/signs/lots/central/zones/L3"), signView{Total: 1, Unknown: 1, AsOf: at("03:50")})
	expect(w, "spots for families", sign("/feeds/signs/lots/central?category=family"), signView{Free: 1, Total: 1, AsOf: at("02:00")})
	expect(w, "a lot that nobody described", sign("/feeds/signs/lots/foreign"), signView{Free: 1, Total: 1, AsOf: at("02:00")})
	line := string(w.get("/feeds/signs/lots/central?format=text"))
	expect(w, "the line", line, "2 7 "+strconv.FormatInt(at("04:40"), 10)+" fresh\n")
	expect(w, "the line, asked for by a header", string(w.get("/feeds/signs/lots/central", "Accept", "text/plain")), line)

	w.behind.Store(int64(time.Minute))
	defer w.behind.Store(0)
	expect(w, "what may be old", string(w.get("/feeds/signs/lots/central?format=text")), strings.Replace(line, "fresh", "stale", 1))
}

func moment(w *world, clock string) time.Time {
	w.Helper()
	t, err := time.Parse(time.RFC3339, day+clock+":00Z")
	if err != nil {
		w.Fatal(err)
	}
	return t
}

func entitiesAreRight(w *world) {
	const path = "/feeds/ngsi-ld/v1/entities"
	answer := w.ask("GET", path+"?type=ParkingSpot&options=keyValues&count=true")
	w.fits(path, answer)
	expect(w, "how many", answer.Header().Get("NGSILD-Results-Count"), "7")
	expect(w, "the context", answer.Header().Get("Link"), contextLink)
	status := map[string]string{}
	for _, e := range read[[]spotEntity](w, answer.Body.Bytes()) {
		status[e.ID] = e.Status
	}
	for id, want := range map[string]string{ // what is reserved or broken is closed to everybody, and what is silent never free
		"A-1": "free", "A-2": "occupied", "A-3": "unknown", "A-5": "closed", "A-6": "closed", "A%207": "closed", "H-1": "free",
	} {
		expect(w, "the status of "+id, status["urn:ngsi-ld:ParkingSpot:"+id], want)
	}
	if _, there := status["urn:ngsi-ld:ParkingSpot:A-4"]; there {
		w.Error("a spot without a place is there, and the model requires one")
	}

	answer = w.ask("GET", path+"/urn:ngsi-ld:ParkingSpot:H-1", "Accept", "application/ld+json")
	w.fits(path+"/{entityId}", answer)
	one := read[spotEntity](w, answer.Body.Bytes())
	expect(w, "its site", one.RefParkingSite, "urn:ngsi-ld:OnStreetParking:harbour")
	expect(w, "its category", one.Category[0], "onStreet")
	expect(w, "its place", one.Location, pointView{"Point", [2]float64{144.9632, -37.8137}})
	expect(w, "its context", strings.Join(one.Context, " "), coreContext+" "+parkingContext)
	w.get(path + "/urn:ngsi-ld:ParkingSpot:A%207")
	w.get(path + "/urn:ngsi-ld:ParkingSpot:A%25207")

	site := read[siteEntity](w, w.get(path+"/urn:ngsi-ld:OffStreetParking:central"))
	expect(w, "the spots of the garage", site.TotalSpotNumber, 7)
	expect(w, "the free ones", site.AvailableSpotNumber, 2)
	expect(w, "the occupied ones", site.OccupiedSpotNumber, 1)

	narrowed := read[[]spotEntity](w, w.get(path+`?type=ParkingSpot&q=refParkingSite==%22urn:ngsi-ld:OnStreetParking:harbour%22`))
	expect(w, "the spots of one site", len(narrowed), 1)
	expect(w, "by their ids", len(read[[]spotEntity](w, w.get(path+"?id=urn:ngsi-ld:ParkingSpot:A-1,urn:ngsi-ld:ParkingSpot:A%25207"))), 2)

	// Pages lead through everything, once.
	var seen []string
	for next := path + "?type=ParkingSpot,OffStreetParking,OnStreetParking&limit=2"; next != ""; {
		answer := w.ask("GET", next)
		w.fits(path, answer)
		for _, e := range read[[]spotEntity](w, answer.Body.Bytes()) {
			seen = append(seen, e.ID)
		}
		next = ""
		for _, link := range answer.Header().Values("Link") {
			if address, ok := strings.CutSuffix(link, `>; rel="next"; type="application/json"`); ok {
				next = strings.TrimPrefix(address, "<")
			}
		}
	}
	expect(w, "entities of all pages", len(seen), 9)
	slices.Sort(seen)
	expect(w, "of which different", len(slices.Compact(seen)), 9)
}

func parkAPIIsRight(w *world) {
	answer := w.ask("GET", "/feeds/parkapi/v3/parking-sites")
	w.fits("/feeds/parkapi/v3/parking-sites", answer)
	sites := read[parkingPage[json.RawMessage]](w, answer.Body.Bytes())
	expect(w, "sites in Europe with a place", sites.TotalCount, 1)
	var site parkingSite
	if err := json.Unmarshal(sites.Items[0], &site); err != nil {
		w.Fatal(err)
	}
	expect(w, "the capacity for cars", site.Capacity, 6)
	expect(w, "that is open", *site.RealtimeCapacity, 4)
	expect(w, "that is free", *site.RealtimeFreeCapacity, 2)
	expect(w, "the status", site.RealtimeOpeningStatus, "OPEN")
	if age := w.now().Sub(site.RealtimeDataUpdatedAt.Time); age < 0 || age > 5*time.Minute || site.RealtimeDataUpdatedAt.Second() != 0 {
		w.Errorf("it is known up to %s, which is %s ago", site.RealtimeDataUpdatedAt, age)
	}
	text, err := json.Marshal(site.Restrictions)
	if err != nil {
		w.Fatal(err)
	}
	expect(w, "the restrictions", string(text), `[{"type":"DISABLED","capacity":1,"realtime_capacity":1,"realtime_free_capacity":0},`+
		`{"type":"FAMILY","capacity":1,"realtime_capacity":1,"realtime_free_capacity":1},{"type":"CHARGING","capacity":1,"realtime_capacity":1,"realtime_free_capacity":0}]`)

	answer = w.ask("GET", "/feeds/parkapi/v3/parking-spots?limit=4")
	w.fits("/feeds/parkapi/v3/parking-spots", answer)
	page := read[parkingPage[parkingSpot]](w, answer.Body.Bytes())
	expect(w, "spots in Europe with a place", page.TotalCount, 6)
	status := map[string]string{}
	for {
		for _, s := range page.Items {
			status[s.UID] = s.RealtimeStatus
		}
		if page.NextPath == "" {
			break
		}
		page = read[parkingPage[parkingSpot]](w, w.get(page.NextPath))
	}
	for id, want := range map[string]string{"A-1": "AVAILABLE", "A-2": "TAKEN", "A-3": "UNKNOWN", "A-5": "TAKEN", "A-6": "TAKEN", "A 7": "TAKEN"} {
		expect(w, "the status of "+id, status[id], want)
	}
	motorcycles := read[parkingPage[parkingSpot]](w, w.get("/feeds/parkapi/v3/parking-spots?purpose=MOTORCYCLE"))
	expect(w, "spots for motorcycles", motorcycles.TotalCount, 1)
}

func aTokenSeesItsLots(w *world) {
	sees := limited("harbour")
	entities := read[[]spotEntity](w, w.get("/feeds/ngsi-ld/v1/entities?type=ParkingSpot", sees...))
	if len(entities) != 1 || entities[0].ID != "urn:ngsi-ld:ParkingSpot:H-1" {
		w.Errorf("a token for one lot sees %+v", entities)
	}
	expect(w, "an entity elsewhere", w.ask("GET", "/feeds/ngsi-ld/v1/entities/urn:ngsi-ld:ParkingSpot:A-1", sees...).Code, 404)
	expect(w, "sites elsewhere", read[parkingPage[parkingSite]](w, w.get("/feeds/parkapi/v3/parking-sites", sees...)).TotalCount, 0)
	for _, path := range []string{"signs/lots/central", "signs/lots/central/zones/L1", "cds/lots/central/events/events", "cds/lots/central/metrics/sessions", "signs/lots/nowhere"} {
		answer := w.ask("GET", "/feeds/"+path, sees...)
		expect(w, "the answer to "+path, answer.Code, 403)
		expect(w, "the problem", read[problem.Problem](w, answer.Body.Bytes()).Type, "urn:parkwire:problem:lot-not-allowed")
	}
	w.get("/feeds/signs/lots/harbour", sees...)
	// And the other way round: what was built for it is not given to others.
	expect(w, "what all see", len(read[[]spotEntity](w, w.get("/feeds/ngsi-ld/v1/entities?type=ParkingSpot"))), 7)
}

func badRequestsSayWhatIsWrong(w *world) {
	for target, want := range map[string]string{
		"/feeds/signs/lots/nowhere":                                                    "404 lot-not-found",
		"/feeds/signs/lots/central/zones/nowhere":                                      "404 zone-not-found",
		"/feeds/signs/lots/central?format=xml":                                         "400 invalid-parameter format",
		"/feeds/signs/lots/central?wait=60":                                            "400 invalid-parameter wait",
		"/feeds/signs/lots/central?categori=family":                                    "400 unknown-parameter categori",
		"/feeds/ngsi-ld/v1/entities":                                                   "400 invalid-parameter type",
		"/feeds/ngsi-ld/v1/entities?type=Garage":                                       "400 invalid-parameter type",
		"/feeds/ngsi-ld/v1/entities?type=ParkingSpot&options=sysAttrs":                 "400 invalid-parameter options",
		"/feeds/ngsi-ld/v1/entities?type=ParkingSpot&q=status==free":                   "400 invalid-parameter q",
		"/feeds/ngsi-ld/v1/entities?type=ParkingSpot&limit=5000":                       "400 invalid-parameter limit",
		"/feeds/ngsi-ld/v1/entities/A-1":                                               "404 entity-not-found",
		"/feeds/parkapi/v3/parking-sites?lat=52":                                       "400 unknown-parameter lat",
		"/feeds/cds/lots/central/events/events?event_time=now":                         "400 invalid-parameter event_time",
		"/feeds/cds/lots/central/events/events?curb_zone_id=L1":                        "400 invalid-parameter curb_zone_id",
		"/feeds/cds/lots/central/metrics/aggregates?curb_place_type=zone":              "400 invalid-parameter curb_place_id",
		"/feeds/cds/lots/central/metrics/aggregates?curb_place_type=space":             "400 invalid-parameter curb_place_type",
		"/feeds/cds/lots/central/metrics/sessions?start_time=0&end_time=9999999999999": "400 invalid-parameter end_time",
		"/feeds/cds/lots/central/curbs/zones":                                          "404 route-not-found",
	} {
		answer := w.ask("GET", target)
		p := read[problem.Problem](w, answer.Body.Bytes())
		got := strings.TrimSpace(strconv.Itoa(answer.Code) + " " + strings.TrimPrefix(p.Type, "urn:parkwire:problem:") + " " + p.Field)
		expect(w, "the answer to "+target, got, want)
	}
	answer := w.ask("GET", "/feeds/cds/lots/central/events/status", "Accept", "application/vnd.cds+json;version=2.0")
	expect(w, "another version of the specification", answer.Code, 406)
	p := read[problem.Problem](w, answer.Body.Bytes())
	expect(w, "its word for errors", p.Extras["error"], any("not-acceptable"))
	for _, method := range []string{"POST", "DELETE"} {
		answer := w.ask(method, "/feeds/signs/lots/central")
		expect(w, method, answer.Code, 405)
		expect(w, "what is allowed", answer.Header().Get("Allow"), "GET, HEAD")
	}
}
