package feeds

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
)

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
