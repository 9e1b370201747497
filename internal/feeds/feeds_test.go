package feeds

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
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

// curbEventsOf returns the types of events with their spots, newest first.
func curbEventsOf(w *world, target string) (all []curbEventView, told string) {
	w.Helper()
	answer := w.ask("GET", target)
	w.fits("/feeds/cds/lots/{lotId}/events/events", answer)
	body := read[struct {
		Data struct{ Events []curbEventView }
	}](w, answer.Body.Bytes())
	var texts []string
	for _, e := range body.Data.Events {
		texts = append(texts, e.Type+" "+e.Custom["spot_id"]+" "+time.UnixMilli(e.Time).UTC().Format("15:04"))
	}
	return body.Data.Events, strings.Join(texts, ", ")
}

func curbEventsAreRight(w *world) {
	const path = "/feeds/cds/lots/central/events/events"
	three, told := curbEventsOf(w, path+"?event_time="+day+"03")
	expect(w, "the events of the hour", told, "comms_lost A-3 03:50, park_start A-3 03:30, park_start A-1 03:10")
	four, told := curbEventsOf(w, path+"?event_time="+day+"04")
	expect(w, "the events of the next hour", told, "park_end A-1 04:40, park_start A-2 04:30, park_start A-1 04:20, park_end A-1 04:10")
	expect(w, "what ties the two ends of a stay together", four[3].SessionID, three[2].SessionID)
	if four[3].SessionID == four[0].SessionID {
		w.Error("two stays are one session")
	}
	expect(w, "the zone", three[2].ZoneID, curbID("zone", "L1"))
	expect(w, "the space", three[2].SpaceID, curbID("spot", "A-1"))
	expect(w, "the area", three[2].AreaIDs[0], curbID("lot", "central"))
	_, told = curbEventsOf(w, path+"?event_time="+day+"04&curb_zone_id="+curbID("zone", "L1")+"&curb_space_id="+curbID("spot", "A-2"))
	expect(w, "the events of one spot", told, "park_start A-2 04:30")
	for _, elsewhere := range []string{"curb_area_id=", "curb_zone_id=", "curb_space_id=", "curb_object_id="} {
		_, told = curbEventsOf(w, path+"?event_time="+day+"04&"+elsewhere+uuid.NewString())
		expect(w, "the events elsewhere", told, "")
	}
	_, told = curbEventsOf(w, path)
	expect(w, "the events of the last 60 minutes", told, "")
}

func curbStatusIsRight(w *world) {
	answer := w.ask("GET", "/feeds/cds/lots/central/events/status", "Accept", "application/vnd.cds+json;version=1.1")
	w.fits("/feeds/cds/lots/{lotId}/events/status", answer)
	expect(w, "the media type", answer.Header().Get("Content-Type"), kindCurbJSON)
	online := map[string]*bool{}
	for _, s := range read[struct {
		Data struct{ Status []curbStatusView }
	}](w, answer.Body.Bytes()).Data.Status {
		online[s.DeviceID] = s.Online
	}
	expect(w, "how many", len(online), 7)
	if on := online[curbID("device", "A-3")]; on == nil || *on {
		w.Error("a silent sensor is online")
	}
	if on := online[curbID("device", "A-1")]; on == nil || !*on {
		w.Error("a sensor that speaks is not online")
	}
	if online[curbID("device", "A-6")] != nil {
		w.Error("it is told whether the sensor of a closed spot is online, and nobody knows")
	}
}

// table reads a CSV answer into rows by the names of its columns.
func table(w *world, target string) (rows []map[string]string) {
	w.Helper()
	answer := w.ask("GET", target)
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != kindCurbCSV {
		w.Fatalf("GET %s: %d %s", target, answer.Code, answer.Body)
	}
	all, err := csv.NewReader(answer.Body).ReadAll()
	if err != nil {
		w.Fatal(err)
	}
	for _, fields := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = fields[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func spanFrom(w *world, from, to string) string {
	w.Helper()
	return "?start_time=" + strconv.FormatInt(moment(w, from).UnixMilli(), 10) + "&end_time=" + strconv.FormatInt(moment(w, to).UnixMilli(), 10)
}

func sessionsAreRight(w *world) {
	const path = "/feeds/cds/lots/central/metrics/sessions"
	rows := table(w, path+spanFrom(w, "02:00", "05:00"))
	var told []string
	for _, r := range rows {
		told = append(told, clockOf(r["event_time_start"])+"-"+clockOf(r["event_time_end"]))
	}
	expect(w, "the stays", strings.Join(told, " "), "03:30- 03:10-04:10 04:20-04:40") // nobody saw the end of the first
	events, _ := curbEventsOf(w, "/feeds/cds/lots/central/events/events?event_time="+day+"04")
	last := rows[len(rows)-1]
	expect(w, "its end is the event that was told", last["event_id_end"], events[0].ID)
	expect(w, "its session", last["event_session_id"], events[0].SessionID)
	expect(w, "its place", last["event_location_end_latitude"]+" "+last["event_location_end_longitude"], "52.5201 13.4051")
	expect(w, "the area", last["curb_area_ids"], curbID("lot", "central"))
	for target, want := range map[string]int{
		"&curb_place_type=zone&curb_place_id=" + curbID("zone", "L1"): 2, "&curb_place_type=space&curb_place_id=" + curbID("spot", "A-3"): 1,
		"&curb_place_type=area&curb_place_id=" + curbID("lot", "central"): 3, "&curb_place_type=zone&curb_place_id=" + uuid.NewString(): 0,
	} {
		expect(w, "sessions with "+target, len(table(w, path+spanFrom(w, "02:00", "05:00")+target)), want)
	}
}

func clockOf(ms string) string {
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return ms
	}
	return time.UnixMilli(n).UTC().Format("15:04")
}

func aggregatesAreRight(w *world) {
	const path = "/feeds/cds/lots/central/metrics/aggregates"
	told := map[string]string{}
	for _, r := range table(w, path+spanFrom(w, "03:00", "05:00")) {
		told[strings.Join([]string{r["curb_place_type"], r["curb_place_id"], r["metric_type"], r["date"], r["hour"]}, " ")] = r["value"]
	}
	of := func(zone, metric, hour string) string {
		place := "zone " + curbID("zone", zone)
		if zone == "" {
			place = "area " + curbID("lot", "central")
		}
		return told[strings.Join([]string{place, metric, "2026-11-24", hour}, " ")]
	}
	// In Berlin it was an hour later.
	expect(w, "sessions", of("L1", "total_sessions", "5"), "2")
	expect(w, "turnover", of("L1", "turnover", "5"), "2")
	expect(w, "average dwell time in minutes", of("L1", "average_dwell_time", "5"), "40")
	expect(w, "occupancy", of("L1", "occupancy_percent", "5"), "0.5")
	expect(w, "sessions of the lot", of("", "total_sessions", "5"), "2")
	expect(w, "a mean of nothing", of("L1", "average_dwell_time", "4"), "")
	expect(w, "sessions where the sensor was silent all the time", of("L3", "total_sessions", "5"), "-1")
	expect(w, "occupancy there", of("L3", "occupancy_percent", "5"), "-1")
	expect(w, "occupancy where it was silent for ten minutes", of("L3", "occupancy_percent", "4"), "0.4") // 20 of the 50 that are known
	one := table(w, path+spanFrom(w, "04:00", "05:00")+"&metric_type=turnover&curb_place_type=zone&curb_place_id="+curbID("zone", "L1"))
	expect(w, "rows of one metric in one place", len(one), 1)
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

// The answers are right by the schemas of those who wrote the forms down.
func answersFitThePublishedSchemas(w *world) {
	p := publishedSchemas(w.T)
	items := func(target, kind string, of func([]byte) []json.RawMessage) []json.RawMessage {
		w.Helper()
		all := of(w.get(target, "Accept", kind))
		if len(all) == 0 {
			w.Errorf("nothing is at %s", target)
		}
		return all
	}
	list := func(body []byte) []json.RawMessage { return read[[]json.RawMessage](w, body) }
	for model, want := range map[string]int{typeParkingSpot: 7, typeOnStreetParking: 1, typeOffStreetParking: 1} {
		for _, kind := range []string{kindJSON, kindLD} {
			all := items("/feeds/ngsi-ld/v1/entities?type="+model, kind, list)
			expect(w, "entities of "+model, len(all), want)
			for _, one := range all {
				judge(w, p.schema(p.model(model)), model, one)
			}
		}
	}
	data := func(name string) func([]byte) []json.RawMessage {
		return func(body []byte) []json.RawMessage {
			return read[struct {
				Data map[string][]json.RawMessage `json:"data"`
			}](w, body).Data[name]
		}
	}
	for _, one := range items("/feeds/cds/lots/central/events/events?event_time="+day+"03", kindCurbJSON, data("events")) {
		judge(w, p.schema(p.shared("curb_event")), "an event", one)
	}
	for _, one := range items("/feeds/cds/lots/central/events/status", kindCurbJSON, data("status")) {
		judge(w, p.schema(p.shared("curb_status")), "a status", one)
	}
	rows := func(schema string, numbers []string, all []map[string]string) {
		w.Helper()
		if len(all) == 0 {
			w.Errorf("there is no %s", schema)
		}
		for _, row := range all {
			object := map[string]any{}
			for name, text := range row {
				switch {
				case text == "":
				case slices.Contains(numbers, name):
					object[name] = json.Number(text)
				case name == "curb_area_ids":
					object[name] = []string{text}
				default:
					object[name] = text
				}
			}
			body, err := json.Marshal(object)
			if err != nil {
				w.Fatal(err)
			}
			judge(w, p.schema(p.shared(schema)), "a row of "+schema, body)
		}
	}
	rows("session", []string{"event_time_start", "event_time_end", "event_location_start_latitude", "event_location_start_longitude", "event_location_end_latitude", "event_location_end_longitude"},
		table(w, "/feeds/cds/lots/central/metrics/sessions"+spanFrom(w, "02:00", "05:00")))
	rows("aggregate", []string{"hour", "value"}, table(w, "/feeds/cds/lots/central/metrics/aggregates"+spanFrom(w, "03:00", "05:00")))
}

// An hour that clocks show twice is one in the specification, which tells hours apart by nothing else; no session of it is lost.
func TestTheHourThatComesTwiceIsOne(t *testing.T) {
	w := newWorldOnSQLite(t)
	w.describe("lot", "central", fields{"id": "central", "name": "Central Garage", "timeZone": "Europe/Berlin"})
	w.happenOn("2026-10-24 20:00", "A-1", "central", "", event.ChangeAdded, event.Free)
	for _, clock := range []string{"00:10", "00:50", "01:10", "01:50"} { // 02:10, 02:50, and both once more
		w.happenOn("2026-10-25 "+clock, "A-1", "central", "", event.ChangeOccupied, event.Occupied)
		at, _ := time.Parse("15:04", clock)
		w.happenOn("2026-10-25 "+at.Add(5*time.Minute).Format("15:04"), "A-1", "central", "", event.ChangeReleased, event.Free)
	}
	w.settle()
	from, to := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 25, 2, 0, 0, 0, time.UTC)
	span := "?start_time=" + strconv.FormatInt(from.UnixMilli(), 10) + "&end_time=" + strconv.FormatInt(to.UnixMilli(), 10)
	var told []string
	for _, r := range table(w, "/feeds/cds/lots/central/metrics/aggregates"+span) {
		told = append(told, r["metric_type"]+" "+r["date"]+" "+r["hour"]+" "+r["value"])
	}
	expect(w, "the hour from 2 to 3", strings.Join(told, ", "),
		"total_sessions 2026-10-25 2 4, turnover 2026-10-25 2 2, average_dwell_time 2026-10-25 2 5, occupancy_percent 2026-10-25 2 0.16666666666666666")
}
