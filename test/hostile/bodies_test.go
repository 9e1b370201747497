package hostile

import (
	"fmt"
	"strings"
)

// lot adds a lot of which the text of one field is what is tried.
func lot(fields string) func(*world) string {
	return post("/api/v1/lots", `{"id":"x","name":"`+hidden+`",`+fields+`}`).send
}

// spot adds one to the lot central.
func spot(fields string) func(*world) string {
	return post("/api/v1/lots/central/spots", `{"spotId":"X-1",`+fields+`}`).send
}

// named adds a lot with this id, in JSON.
func named(id string) func(*world) string {
	return post("/api/v1/lots", `{"id":`+id+`,"name":"X"}`).send
}

func addLot(body string) func(*world) string   { return post("/api/v1/lots", body).send }
func addSpots(body string) func(*world) string { return post("/api/v1/lots/central/spots", body).send }

// list repeats an element, with a number in it where it has a %d.
func list(n int, element string) string {
	var all strings.Builder
	for i := range n {
		if i > 0 {
			all.WriteByte(',')
		}
		all.WriteString(strings.ReplaceAll(element, "%d", fmt.Sprint(i)))
	}
	return "[" + all.String() + "]"
}

var bodies = group{
	title: "Bodies",
	about: "With a good token. Lots are added where nothing else is said.",
	attacks: []attack{
		{"nothing", addLot(""), "400 invalid-body", ""},
		{"half an object", addLot(`{"id":"x",`), "400 invalid-body", ""},
		{"an object, and something behind it", addLot(`{"id":"x","name":"X"} {}`), "400 invalid-body", ""},
		{"a list", addLot(`[{"id":"x","name":"X"}]`), "400 invalid-body", ""},
		{"a text", addLot(`"x"`), "400 invalid-body", ""},
		{"`null`", addLot(`null`), "400 invalid-body", ""},
		{"a number", addLot(`1`), "400 invalid-body", ""},
		{"NaN", addLot(`{"id":"x","name":NaN}`), "400 invalid-body", ""},
		{"a comment", addLot(`{"id":"x","name":"X"/**/}`), "400 invalid-body", ""},
		{"a comma too much", addLot(`{"id":"x","name":"X",}`), "400 invalid-body", ""},
		{"100,000 lists in each other", addLot(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), "400 invalid-body", ""},
		{"100,000 objects in each other", lot(`"location":` + strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)), "400 invalid-body", ""},
		{"a byte order mark", addLot("\xef\xbb\xbf" + `{"id":"x","name":"X"}`), "400 invalid-body", ""},
		{"UTF-16", addLot("\xff\xfe{\x00}\x00"), "400 invalid-body", ""},
		{"an unknown field", lot(`"colour":"red"`), "400 unknown-field (colour)", ""},
		{"a field in capitals", addLot(`{"ID":"x","name":"X"}`), "400 invalid-field (id)", ""},
		{"`__proto__`", lot(`"__proto__":{"scope":"admin"}`), "400 unknown-field (__proto__)", ""},
		{"a field that the platform alone writes", lot(`"createdAt":"2000-01-01T00:00:00Z"`), "400 unknown-field (createdAt)", ""},
		{"a field twice, the second one empty (the last one counts)", addLot(`{"id":"x","name":"X","id":""}`), "400 invalid-field (id)", ""},
		{"9 MiB", addLot(`{"id":"x","name":"` + strings.Repeat("a", 9<<20) + `"}`), "413 body-too-large", ""},
		{"33 MiB, more than NGINX takes", func(w *world) string {
			return request{method: "POST", target: "/api/v1/lots", lines: []string{typed, "Expect: 100-continue"}, body: strings.Repeat(" ", 33<<20)}.send(w)
		}, "413 body-too-large", ""},
		{"9 MiB in chunks", func(w *world) string {
			return request{method: "POST", target: "/api/v1/observations", bare: true, lines: []string{"Host: a", "Connection: close", typed,
				"Authorization: Bearer " + forgery{}.token(w), "Transfer-Encoding: chunked"}, body: "900000\r\n" + strings.Repeat(" ", 9<<20) + "\r\n0\r\n\r\n"}.send(w)
		}, "413 body-too-large", ""},
		{"no id", addLot(`{"name":"X"}`), "400 invalid-field (id)", ""},
		{"an id that is empty", named(`""`), "400 invalid-field (id)", ""},
		{"an id that is a number", named(`1`), "400 invalid-field (id)", ""},
		{"an id that is `null`", named(`null`), "400 invalid-field (id)", ""},
		{"an id with a slash", named(`"a/b"`), "400 invalid-field (id)", ""},
		{"an id that is `..`", named(`".."`), "400 invalid-field (id)", ""},
		{"an id with space at its end", named(`"a "`), "400 invalid-field (id)", ""},
		{"an id with NUL", named(`"a\u0000b"`), "400 invalid-field (id)", ""},
		{"an id with a line feed", named(`"a\nb"`), "400 invalid-field (id)", ""},
		{"an id with half a character (\\ud800)", named(`"\ud800"`), "400 invalid-field (id)", ""},
		{"an id with bytes that are no UTF-8", named("\"\xff\xfe\""), "400 invalid-field (id)", ""},
		{"an id that turns the direction of writing", named(`"a\u202eb"`), "400 invalid-field (id)", ""},
		{"an id with a space that is not to be seen", named(`"a\u200bb"`), "400 invalid-field (id)", ""},
		{"an id of 129 bytes", named(`"` + strings.Repeat("a", 129) + `"`), "400 invalid-field (id)", ""},
		{"an id that is taken", named(`"central"`), "409 id-taken (id)", ""},
		{"a name that is empty", addLot(`{"id":"x","name":""}`), "400 invalid-field (name)", ""},
		{"a name of 201 characters", addLot(`{"id":"x","name":"` + strings.Repeat("ü", 201) + `"}`), "400 invalid-field (name)", ""},
		{"a name with control characters of a terminal", addLot(`{"id":"x","name":"\u001b[2J"}`), "400 invalid-field (name)", ""},
		{"an address of 501 characters", lot(`"address":"` + strings.Repeat("a", 501) + `"`), "400 invalid-field (address)", ""},
		{"a time zone that is a path", lot(`"timeZone":"../../etc/passwd"`), "400 invalid-field (timeZone)", ""},
		{"a time zone that is the server's", lot(`"timeZone":"Local"`), "400 invalid-field (timeZone)", ""},
		{"a heartbeat below 0", lot(`"heartbeatSeconds":-1`), "400 invalid-field (heartbeatSeconds)", ""},
		{"a heartbeat of half a second", lot(`"heartbeatSeconds":0.5`), "400 invalid-field (heartbeatSeconds)", ""},
		{"a heartbeat of 1e3", lot(`"heartbeatSeconds":1e3`), "400 invalid-field (heartbeatSeconds)", ""},
		{"a heartbeat beyond 64 bits", lot(`"heartbeatSeconds":99999999999999999999`), "400 invalid-field (heartbeatSeconds)", ""},
		{"a latitude of 90.1", lot(`"location":{"lat":90.1,"lon":0}`), "400 invalid-field (location.lat)", ""},
		{"a latitude of 1e999", lot(`"location":{"lat":1e999,"lon":0}`), "400 invalid-field (location.lat)", ""},
		{"half a location", lot(`"location":{"lat":1}`), "400 invalid-field (location.lon)", ""},
		{"a location that is a list", lot(`"location":[1,2]`), "400 invalid-field (location)", ""},
		{"a location with more", lot(`"location":{"lat":1,"lon":1,"alt":1}`), "400 unknown-field (location.alt)", ""},
		{"no spots", addSpots(`[]`), "400 invalid-body", ""},
		{"10,001 spots", addSpots(list(10_001, `{"spotId":"x-%d"}`)), "400 invalid-body", ""},
		{"a spot twice in one request", addSpots(`[{"spotId":"X-1"},{"spotId":"X-1"}]`), "400 invalid-field (spotId)", ""},
		{"a good spot and one that is there", addSpots(`[{"spotId":"X-1"},{"spotId":"A-1"}]`), "409 id-taken (spotId)", ""},
		{"a good spot and a number", addSpots(`[{"spotId":"X-1"},1]`), "400 invalid-body", ""},
		{"a spot of another lot's zone", spot(`"zoneId":"north-L1"`), "400 invalid-field (zoneId)", ""},
		{"a spot of another category", spot(`"category":"vip"`), "400 invalid-field (category)", ""},
		{"a spot that begins reserved", spot(`"status":"reserved"`), "400 invalid-field (status)", ""},
		{"a spot that was seen tomorrow", spot(`"observedAt":"2999-01-01T00:00:00Z"`), "400 invalid-field (observedAt)", ""},
		{"a spot that was seen in the year 0", spot(`"observedAt":"0000-01-01T00:00:00Z"`), "400 invalid-field (observedAt)", ""},
		{"a spot that was seen at a time without a zone", spot(`"observedAt":"2026-11-24T03:35:00"`), "400 invalid-field (observedAt)", ""},
		{"a spot whose version is chosen", spot(`"version":9`), "400 unknown-field (version)", ""},
		{"a zone of another storey than there is", post("/api/v1/lots/central/zones", `{"id":"x","name":"X","level":1001}`).send, "400 invalid-field (level)", ""},
		{"an id, by a patch", patch("/api/v1/spots/A-1", `{"spotId":"X-1"}`).send, "400 unknown-field (spotId)", ""},
		{"a status, by a patch", patch("/api/v1/spots/A-1", `{"status":"occupied"}`).send, "400 unknown-field (status)", ""},
		{"another lot, by a patch", patch("/api/v1/spots/A-1", `{"lotId":"north"}`).send, "400 unknown-field (lotId)", ""},
		{"the name of a lot removed, by a patch", patch("/api/v1/lots/central", `{"name":null}`).send, "400 invalid-field (name)", ""},
		{"a JSON Patch (RFC 6902)", patch("/api/v1/spots/A-1", `[{"op":"replace","path":"/status","value":"free"}]`, "Content-Type: application/json-patch+json").send, "415 media-type (Content-Type)", ""},
		{"a body of an action", post("/api/v1/spots/A-1/occupy", `{"force":true}`).send, "400 unknown-field (force)", ""},
		{"to occupy a spot that is closed", post("/api/v1/spots/A-2/occupy", "").send, "409 transition-refused", ""},
		{"to reserve a spot that is occupied", write("PUT", "/api/v1/spots/A-3/reservation", `{}`).send, "409 transition-refused", ""},
		{"to reserve a spot that somebody else has", write("PUT", "/api/v1/spots/A-4/reservation", `{"reference":"order-2"}`).send, "409 transition-refused", ""},
		{"to reserve until yesterday", write("PUT", "/api/v1/spots/A-1/reservation", `{"until":"2020-01-01T00:00:00Z"}`).send, "400 invalid-field (until)", ""},
		{"to reserve for 201 characters", write("PUT", "/api/v1/spots/A-1/reservation", `{"reference":"`+strings.Repeat("a", 201)+`"}`).send, "400 invalid-field (reference)", ""},
		{"to remove a lot with spots", drop("/api/v1/lots/central").send, "409 lot-in-use", ""},
		{"to remove a zone with spots", drop("/api/v1/lots/central/zones/central-L1").send, "409 zone-in-use", ""},
		{"to remove a zone through another lot", drop("/api/v1/lots/north/zones/central-L1").send, "404 zone-not-found", ""},
		{"a sensor of another model", post("/api/v1/sensors", `{"id":"x","model":"abacus"}`).send, "400 invalid-field (model)", ""},
		{"a sensor on a spot that is not there", post("/api/v1/sensors", `{"id":"x","model":"decoded","spotId":"nowhere"}`).send, "400 invalid-field (spotId)", ""},
		{"a sensor that is there, in capitals", post("/api/v1/sensors", `{"id":"`+strings.ToUpper(bosch)+`","model":"decoded"}`).send, "409 id-taken (id)", ""},
	},
}

// ndjson sends readings a line each.
func ndjson(lines ...string) func(*world) string {
	return post("/api/v1/observations", strings.Join(lines, "\n"), "Content-Type: application/x-ndjson").send
}

// reading sends one of the spot A-1, with these fields.
func reading(fields string) func(*world) string {
	return ndjson(`{"spotId":"A-1","observedAt":"2026-01-01T00:00:00Z",` + fields + `}`)
}

var readings = group{
	title: "Readings",
	about: "To `/api/v1/observations`, as NDJSON where nothing else is said. A bad reading is rejected by itself, with its line; a body that cannot be read is refused as a whole.",
	attacks: []attack{
		{"nothing", ndjson(""), "400 invalid-body", ""},
		{"a line that is no JSON", ndjson("occupied!"), "200 1 rejected", ""},
		{"a line of 20,000 bytes", ndjson(`{"spotId":"` + strings.Repeat("a", 20_000) + `"}`), "200 1 rejected", ""},
		{"a list on one line", ndjson(`[{"spotId":"A-1"}]`), "200 1 rejected", ""},
		{"two readings on one line", ndjson(`{"spotId":"A-1","occupied":true,"observedAt":"2026-01-01T00:00:00Z"}{"spotId":"A-1"}`), "200 1 rejected", ""},
		{"2,000 lines that are no JSON", ndjson(strings.Repeat("x\n", 2_000)), "200 2000 rejected", ""},
		{"lines of a Macintosh", ndjson("x\ry"), "200 1 rejected", ""},
		{"a line with NUL", ndjson("\x00"), "200 1 rejected", ""},
		{"lists in each other, as deep as a line is long", ndjson(strings.Repeat("[", 16_000)), "200 1 rejected", ""},
		{"a spot that is not there", ndjson(`{"spotId":"nowhere","occupied":true,"observedAt":"2026-01-01T00:00:00Z"}`), "200 1 rejected (spotId)", ""},
		{"a spot with NUL", ndjson(`{"spotId":"a\u0000","occupied":true,"observedAt":"2026-01-01T00:00:00Z"}`), "200 1 rejected (spotId)", ""},
		{"no spot", ndjson(`{"occupied":true,"observedAt":"2026-01-01T00:00:00Z"}`), "200 1 rejected (spotId)", ""},
		{"no time", ndjson(`{"spotId":"A-1","occupied":true}`), "200 1 rejected (observedAt)", ""},
		{"a time of next year", ndjson(`{"spotId":"A-1","occupied":true,"observedAt":"2999-01-01T00:00:00Z"}`), "200 1 rejected (observedAt)", ""},
		{"a time in seconds", ndjson(`{"spotId":"A-1","occupied":true,"observedAt":1767225600}`), "200 1 rejected (observedAt)", ""},
		{"a time before 1970", ndjson(`{"spotId":"A-1","occupied":true,"observedAt":"0001-01-01T00:00:00Z"}`), "200 1 rejected (observedAt)", ""},
		{"the 30th of February", ndjson(`{"spotId":"A-1","occupied":true,"observedAt":"2026-02-30T00:00:00Z"}`), "200 1 rejected (observedAt)", ""},
		{"no state", reading(`"sequence":1`), "200 1 rejected (occupied)", ""},
		{"a state that is a text", reading(`"occupied":"true"`), "200 1 rejected (occupied)", ""},
		{"a state that is `null`", reading(`"occupied":null`), "200 1 rejected (occupied)", ""},
		{"a number below 0", reading(`"occupied":true,"sequence":-1`), "200 1 rejected (sequence)", ""},
		{"a number beyond 64 bits", reading(`"occupied":true,"sequence":9223372036854775808`), "200 1 rejected (sequence)", ""},
		{"a sensor of 129 bytes", reading(`"occupied":true,"sensorId":"` + strings.Repeat("a", 129) + `"`), "200 1 rejected (sensorId)", ""},
		{"an unknown field", reading(`"occupied":true,"source":"operator"`), "200 1 rejected (source)", ""},
		{"an object as JSON", post("/api/v1/observations", `{"spotId":"A-1"}`).send, "400 invalid-body", ""},
		{"a list that is not closed", post("/api/v1/observations", `[{"spotId":"A-1","occupied":true,"observedAt":"2026-01-01T00:00:00Z"}`).send, "400 invalid-body", ""},
		{"a list, and something behind it", post("/api/v1/observations", `[{"spotId":"A-1","occupied":true,"observedAt":"2026-01-01T00:00:00Z"}] 1`).send, "400 invalid-body", ""},
		{"a list of lists", post("/api/v1/observations", `[[],[]]`).send, "200 2 rejected", ""},
		{"a body that ends before its length", func(w *world) string {
			return cut("POST /api/v1/observations HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n"+typed, `[{"spotId":"A-1","occupied":true,"observedAt":"2026-01-01T00:00:00Z"},`)(w)
		}, "400 body-unreadable", "closed"},
		{"a query", post("/api/v1/observations?lot=central", `[]`).send, "400 unknown-parameter (lot)", ""},
	},
}

// upload imports a file into the lot central.
func upload(kind, file string, query ...string) func(*world) string {
	return post("/api/v1/lots/central/spots:import?"+strings.Join(query, "&"), file, "Content-Type: "+kind).send
}

func csv(file string, query ...string) func(*world) string { return upload("text/csv", file, query...) }

// features imports GeoJSON.
func features(all string) func(*world) string {
	return upload("application/geo+json", `{"type":"FeatureCollection","features":[`+all+`]}`)
}

// feature imports one, with this geometry.
func feature(geometry string) func(*world) string {
	return features(`{"type":"Feature","geometry":` + geometry + `,"properties":{"spotId":"X-1"}}`)
}

var imports = group{
	title: "Files of spots",
	about: "Imported into a lot. A bad row is rejected by itself; a file that cannot be read is refused as a whole.",
	attacks: []attack{
		{"nothing", csv(""), "400 invalid-body", ""},
		{"a header alone that names no spot", csv("colour;size\nred;1\n"), "400 invalid-body", ""},
		{"UTF-16", csv("\xff\xfei\x00d\x00"), "400 invalid-body", ""},
		{"Latin-1, said to be so", upload("text/csv; charset=iso-8859-1", "id\nX-1\n"), "415 media-type (Content-Type)", ""},
		{"Latin-1, not said to be so", csv("id,name\nX-1,Stra\xdfe\n"), "200 1 rejected (name)", ""},
		{"a spreadsheet", upload("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK\x03\x04"), "415 media-type (Content-Type)", ""},
		{"a spreadsheet that is said to be a table", csv("PK\x03\x04\x14\x00\x06\x00\x08\x00"), "400 invalid-body", ""},
		{"a page that is said to be a table", csv("<!DOCTYPE html><html></html>"), "400 invalid-body", ""},
		{"a quote that is not closed", csv("id,name\nX-1,\"A\n"), "200 1 rejected", ""},
		{"a cell too many", csv("id,name\nX-1,A,B\n"), "200 1 rejected", ""},
		{"a row without a spot", csv("id,name\n,A\n"), "200 1 rejected (spotId)", ""},
		{"a spot twice", csv("id,name\nA-1,\nA-1,\n"), "200 1 rejected (spotId)", ""},
		{"a spot with a slash", csv("id\n../../etc\n"), "200 1 rejected (spotId)", ""},
		{"a spot with NUL", csv("id\nX\x001\n"), "200 1 rejected (spotId)", ""},
		{"a spot of another lot", csv("id\nN-1\n"), "200 1 rejected (spotId)", ""},
		{"a row of another lot", csv("id,lotId\nX-1,north\n"), "200 1 rejected (lotId)", ""},
		{"a zone that is not there", csv("id,zone\nX-1,L9\n"), "200 1 rejected (zoneId)", ""},
		{"a zone of another lot, to be created", csv("id,zone\nX-1,north-L1\n", "createZones=1"), "200 1 rejected (zoneId)", ""},
		{"a latitude that is a word", csv("id,lat,lon\nX-1,north,1\n"), "200 1 rejected (lat)", ""},
		{"a latitude of NaN", csv("id,lat,lon\nX-1,NaN,1\n"), "200 1 rejected (lat)", ""},
		{"a longitude of 1e999", csv("id,lat,lon\nX-1,1,1e999\n"), "200 1 rejected (lon)", ""},
		{"half a place", csv("id,lat,lon\nX-1,1,\n"), "200 1 rejected (lon)", ""},
		{"a category that is none", csv("id,category\nX-1,vip\n"), "200 1 rejected (category)", ""},
		{"a heartbeat of a week and a second", csv("id,heartbeatSeconds\nX-1,604801\n"), "200 1 rejected (heartbeatSeconds)", ""},
		{"a status that is none", csv("id,status\nX-1,exploded\n"), "200 1 rejected (status)", ""},
		{"50,001 rows", csv("id\n" + strings.Repeat("x\n", 50_001)), "413 too-many-rows", ""},
		{"10,001 rows, all or nothing", csv("id\n"+strings.Repeat("x\n", 10_001), "atomic=1"), "413 too-many-rows", ""},
		{"a good row and a bad one, all or nothing", csv("id,lat,lon\nX-1,1,1\nX-2,91,1\n", "atomic=1"), "422 import-rejected", ""},
		{"a flag that is none", csv("id\nX-1\n", "dryRun=maybe"), "400 invalid-parameter (dryRun)", ""},
		{"a dry run (for comparison: it changes nothing)", csv("id\nX-1\n", "dryRun=1"), "200", ""},
		{"into a lot that is not there", post("/api/v1/lots/nowhere/spots:import", "id\nX-1\n", "Content-Type: text/csv").send, "404 lot-not-found", ""},
		{"GeoJSON that is cut", upload("application/geo+json", `{"type":"FeatureCollection","features":[{"type":"Feature"`), "400 invalid-body", ""},
		{"one feature that is no collection", upload("application/geo+json", `{"type":"Feature","geometry":null,"properties":{"spotId":"X-1"}}`), "400 invalid-body", ""},
		{"two collections", upload("application/geo+json", `{"type":"FeatureCollection","features":[]}{}`), "400 invalid-body", ""},
		{"features that are an object", upload("application/geo+json", `{"type":"FeatureCollection","features":{}}`), "400 invalid-body", ""},
		{"places of another system", upload("application/geo+json", `{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:31468"}},"features":[]}`), "400 invalid-body", ""},
		{"a feature that is a number", features("1"), "200 1 rejected", ""},
		{"a feature whose properties are a list", features(`{"type":"Feature","geometry":null,"properties":[]}`), "200 1 rejected", ""},
		{"a feature without an id", features(`{"type":"Feature","geometry":null,"properties":{}}`), "200 1 rejected (spotId)", ""},
		{"a line in the place of a point", feature(`{"type":"LineString","coordinates":[[1,1],[2,2]]}`), "200 1 rejected (geometry)", ""},
		{"a point of texts", feature(`{"type":"Point","coordinates":["1","1"]}`), "200 1 rejected (geometry)", ""},
		{"a point beyond the pole", feature(`{"type":"Point","coordinates":[1,91]}`), "200 1 rejected (lat)", ""},
		{"a polygon with a hole", feature(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]],[[0,0],[1,0],[1,1],[0,0]]]}`), "200 1 rejected (geometry)", ""},
		{"a polygon that is not closed", feature(`{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}`), "200 1 rejected (geometry)", ""},
		{"a polygon whose area is beyond all numbers", feature(`{"type":"Polygon","coordinates":[[[0,0],[1e308,0],[1e308,1e308],[0,0]]]}`), "200 1 rejected (lat)", ""},
		{"9,000 lists in each other", feature(strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000)), "200 1 rejected", ""},
		{"100,000 lists in each other", feature(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), "400 invalid-body", ""},
	},
}
