package feeds

import (
	"encoding/json"
	"slices"
)

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
