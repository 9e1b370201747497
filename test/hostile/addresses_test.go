package hostile

import "strings"

var paths = group{
	title: "Paths",
	about: "GET, with a good token, where nothing else is said. What is no address of the interfaces is the dashboard's, one page that knows its own paths.",
	attacks: []attack{
		{"out of the tree, by `..`", get("/api/v1/../../etc/passwd").send, "404 route-not-found", ""},
		{"out of the tree, encoded", get("/api/v1/%2e%2e/%2e%2e/%2e%2e/etc/passwd").send, "404 route-not-found", "400"},
		{"out of the tree, encoded twice", get("/api/v1/spots/%252e%252e%252f%252e%252e%252fetc%252fpasswd").send, "404 spot-not-found", ""},
		{"out of the tree, by `..;`", get("/api/v1/lots/..;/sensors").send, "404 route-not-found", ""},
		{"out of the tree, by backslashes", get(`/api/v1/spots/..\..\..\windows\win.ini`).send, "404 spot-not-found", ""},
		{"a spot whose id is `..`, encoded", get("/api/v1/spots/%2e%2e").send, "404 route-not-found", "404 route-not-found"},
		{"a spot whose id has an encoded slash", get("/api/v1/spots/A%2F1").send, "404 route-not-found", ""},
		{"an address within an address", get("http://169.254.169.254/latest/meta-data/").send, "200 dashboard", ""},
		{"slashes that stand twice", get("//api//v1//sensors").send, "404 route-not-found", ""},
		{"a slash at the end", get("/api/v1/sensors/").send, "404 route-not-found", ""},
		{"capitals", get("/API/V1/sensors").send, "200 dashboard", ""},
		{"parameters of a segment", get("/api/v1/sensors;jsessionid=1").send, "404 route-not-found", ""},
		{"NUL in an id", get("/api/v1/spots/A-1%00").send, "404 route-not-found", "400"},
		{"a line feed in an id, to split the answer", get("/api/v1/spots/A-1%0d%0aSet-Cookie:%20a=b").send, "404 route-not-found", ""},
		{"bytes in an id that are no UTF-8", get("/api/v1/spots/%ff%fe").send, "404 route-not-found", ""},
		{"letters that turn the direction of writing", get("/api/v1/spots/%E2%80%AE1-A").send, "404 route-not-found", ""},
		{"an id of 129 bytes", get("/api/v1/spots/" + strings.Repeat("a", 129)).send, "404 route-not-found", ""},
		{"a path of 15,000 bytes", get("/api/v1/spots/" + strings.Repeat("a", 15_000)).send, "404 route-not-found", ""},
		{"a path of 100,000 bytes", get("/" + strings.Repeat("a", 100_000)).send, "431", "414"},
		{"SQL in an id", get("/api/v1/spots/A-1'%20OR%20'1'='1").send, "404 spot-not-found", ""},
		{"a template in an id", get("/api/v1/spots/%7B%7B7*7%7D%7D$%7B7*7%7D").send, "404 spot-not-found", ""},
		{"a script in an id", get("/api/v1/spots/%3Cscript%3Ealert(1)%3C%2Fscript%3E").send, "404 route-not-found", ""},
		{"a percent sign that encodes nothing", get("/api/v1/spots/%zz").send, "400", ""},
		{"an action that is none", post("/api/v1/spots/A-1/explode", "").send, "404 route-not-found", ""},
		{"another custom verb", post("/api/v1/lots/central/spots:export", "").send, "404 route-not-found", ""},
		{"a version to come", get("/api/v2/spots").send, "404 route-not-found", ""},
		{"metrics, at the address of clients", get("/metrics").send, "200 dashboard", ""},
		{"a profile, at the address of clients", get("/debug/pprof/heap").send, "200 dashboard", ""},
		{"readiness, at the address of clients", get("/readyz").send, "200 dashboard", ""},
		{"the files of a repository", get("/.git/config").send, "200 dashboard", ""},
		{"the settings of others", get("/.env").send, "404 not-found", ""},
		{"a file beside the documents", get("/docs/../go.mod").send, "404 route-not-found", ""},
		{"a source of the dashboard that is not served", get("/%2e%2e/web/package.json").send, "404 not-found", "400"},
	},
}

var methods = group{
	title: "Methods",
	about: "With a good token.",
	attacks: []attack{
		{"TRACE", request{method: "TRACE", target: "/api/v1/spots"}.send, "405 method-not-allowed", "405"},
		{"CONNECT, to another host", request{method: "CONNECT", target: "169.254.169.254:80"}.send, "404 route-not-found", "400"},
		{"CONNECT, to a path", request{method: "CONNECT", target: "/api/v1/spots"}.send, "405 method-not-allowed", "405"},
		{"PUT of a collection", write("PUT", "/api/v1/lots", `{}`).send, "405 method-not-allowed", ""},
		{"DELETE of a collection", drop("/api/v1/spots").send, "405 method-not-allowed", ""},
		{"POST to a lot", post("/api/v1/lots/central", `{}`).send, "405 method-not-allowed", ""},
		{"GET of an action", get("/api/v1/spots/A-1/occupy").send, "405 method-not-allowed", ""},
		{"POST to the events", post("/api/v1/events", `{}`).send, "405 method-not-allowed", ""},
		{"POST to the notifications", post("/notifications", `{}`).send, "405 method-not-allowed", ""},
		{"PROPFIND", request{method: "PROPFIND", target: "/api/v1/spots"}.send, "405 method-not-allowed", ""},
		{"`get`", request{method: "get", target: "/api/v1/spots"}.send, "405 method-not-allowed", "400"},
		{"a method of 5,000 letters", request{method: strings.Repeat("M", 5_000), target: "/api/v1/spots"}.send, "405 method-not-allowed", ""},
		{"OPTIONS of everything", request{method: "OPTIONS", target: "*"}.send, "200", "400"},
	},
}

var headers = group{
	title: "Headers",
	about: "With a good token.",
	attacks: []attack{
		{"no Host", request{method: "GET", target: "/api/v1/spots", bare: true, lines: []string{"Connection: close"}}.send, "400", "400"},
		{"two hosts", get("/api/v1/spots", "Host: evil.example").send, "400", "400"},
		{"a Host that is none", request{method: "GET", target: "/api/v1/spots", bare: true, lines: []string{"Host: a b\"<>", "Connection: close"}}.send, "400", "400"},
		{"a header of 100,000 bytes", get("/api/v1/spots", "X-Long: "+strings.Repeat("a", 100_000)).send, "431", "400"},
		{"5,000 headers", get("/api/v1/spots", strings.Split(strings.Repeat("X-Many: aaaaaaaaaaaaaaaa\n", 5_000), "\n")[:5_000]...).send, "431", "400"},
		{"a header that goes on in the next line", get("/api/v1/spots", "X-Folded: a", " b").send, "200", "400"},
		{"a header with NUL", get("/api/v1/spots", "X-Nul: a\x00b").send, "400", "400"},
		{"a name with a space", get("/api/v1/spots", "X Name: a").send, "400", "400"},
		{"a line without a colon", get("/api/v1/spots", "X-Nothing").send, "400", "200"},
		{"a body in XML, with an external entity", post("/api/v1/lots", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, "Content-Type: application/xml").send, "415 media-type (Content-Type)", ""},
		{"a form", post("/api/v1/lots", "id=x&name=X", "Content-Type: application/x-www-form-urlencoded").send, "415 media-type (Content-Type)", ""},
		{"a file of a form", post("/api/v1/lots", "--b\r\n\r\n--b--", "Content-Type: multipart/form-data; boundary=b").send, "415 media-type (Content-Type)", ""},
		{"JSON as text, which pages of other sites may send unasked", post("/api/v1/lots", `{"id":"x","name":"X"}`, "Content-Type: text/plain").send, "415 media-type (Content-Type)", ""},
		{"a Content-Type that is none", post("/api/v1/lots", `{"id":"x","name":"X"}`, "Content-Type: ;;;").send, "415 media-type (Content-Type)", ""},
		{"a compressed body, which is not unpacked", post("/api/v1/lots", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "Content-Encoding: gzip").send, "400 invalid-body", ""},
		{"an expectation that is none", post("/api/v1/lots", `{}`, "Expect: 200-miracle").send, "417", "400 invalid-field (id)"},
		{"an If-Match that is no version", post("/api/v1/spots/A-1/occupy", "", `If-Match: "x"`).send, "412 version-mismatch", ""},
		{"an If-Match of the past", post("/api/v1/spots/A-1/occupy", "", `If-Match: "0"`).send, "412 version-mismatch", ""},
		{"a weak If-Match", post("/api/v1/spots/A-1/occupy", "", `If-Match: W/"1"`).send, "412 version-mismatch", ""},
		{"an empty Idempotency-Key", post("/api/v1/spots/A-1/occupy", "", "Idempotency-Key:").send, "400 idempotency-key-invalid (Idempotency-Key)", ""},
		{"an Idempotency-Key of 129 characters", post("/api/v1/spots/A-1/occupy", "", "Idempotency-Key: "+strings.Repeat("k", 129)).send, "400 idempotency-key-invalid (Idempotency-Key)", ""},
		{"an Idempotency-Key with a space", post("/api/v1/spots/A-1/occupy", "", "Idempotency-Key: a b").send, "400 idempotency-key-invalid (Idempotency-Key)", ""},
		{"an Idempotency-Key with one quote", post("/api/v1/spots/A-1/occupy", "", `Idempotency-Key: "a`).send, "400 idempotency-key-invalid (Idempotency-Key)", ""},
		{"an Idempotency-Key beyond ASCII", post("/api/v1/spots/A-1/occupy", "", "Idempotency-Key: é").send, "400 idempotency-key-invalid (Idempotency-Key)", ""},
		{"two Idempotency-Keys", post("/api/v1/spots/A-1/occupy", "", "Idempotency-Key: a", "Idempotency-Key: b").send, "400 idempotency-key-invalid (Idempotency-Key)", ""},
		{"a request id with spaces, to write into the log", get("/api/v1/nothing", "X-Request-Id: a level=ERROR msg=forged").send, "404 route-not-found", ""},
		{"a request id of 10,000 characters", get("/api/v1/nothing", "X-Request-Id: "+strings.Repeat("a", 10_000)).send, "404 route-not-found", ""},
		{"an Origin that may not listen", get("/notifications", "Accept: text/event-stream", "Origin: https://evil.example").send, "403 origin-not-allowed", ""},
		{"an Origin that ends as one that may", get("/notifications", "Accept: text/event-stream", "Origin: https://evil-signs.example.org").send, "403 origin-not-allowed", ""},
		{"an Origin that begins as one that may", get("/notifications", "Accept: text/event-stream", "Origin: "+goodOrigin+".evil.example").send, "403 origin-not-allowed", ""},
		{"the Origin `null`, of sandboxed pages", get("/notifications", "Accept: text/event-stream", "Origin: null").send, "403 origin-not-allowed", ""},
		{"two origins, of which one may", get("/notifications", "Accept: text/event-stream", "Origin: https://evil.example", "Origin: "+goodOrigin).send, "403 origin-not-allowed", ""},
	},
}

var queries = group{
	title: "Queries",
	about: "GET, with a good token.",
	attacks: []attack{
		{"an unknown parameter", get("/api/v1/spots?colour=red").send, "400 unknown-parameter (colour)", ""},
		{"a parameter in capitals", get("/api/v1/spots?LIMIT=1").send, "400 unknown-parameter (LIMIT)", ""},
		{"a parameter in brackets, as other frameworks have it", get("/api/v1/spots?limit[$ne]=1").send, "400 unknown-parameter (limit[$ne])", ""},
		{"a limit of 0", get("/api/v1/spots?limit=0").send, "400 invalid-parameter (limit)", ""},
		{"a limit below 0", get("/api/v1/spots?limit=-1").send, "400 invalid-parameter (limit)", ""},
		{"a limit of 5,001", get("/api/v1/spots?limit=5001").send, "400 invalid-parameter (limit)", ""},
		{"a limit beyond 64 bits", get("/api/v1/spots?limit=18446744073709551617").send, "400 invalid-parameter (limit)", ""},
		{"a limit of 1e3", get("/api/v1/spots?limit=1e3").send, "400 invalid-parameter (limit)", ""},
		{"two limits", get("/api/v1/spots?limit=1&limit=2").send, "400 invalid-parameter (limit)", ""},
		{"a cursor that is none", get("/api/v1/spots?cursor=nonsense").send, "400 invalid-parameter (cursor)", ""},
		{"the cursor of another list", get("/api/v1/spots?cursor=" + segment("lots\n\ncentral")).send, "400 invalid-parameter (cursor)", ""},
		{"a forged cursor with NUL", get("/api/v1/spots?cursor=" + segment("spots\n\nA\x00")).send, "400 invalid-parameter (cursor)", ""},
		{"a forged cursor with SQL, which is but a place in the order", get("/api/v1/spots?cursor=" + segment("spots\n\nz' OR 1=1")).send, "200", ""},
		{"SQL in a filter, which is but the name of a lot", get("/api/v1/spots?lot=x'%20OR%201=1--").send, "200", ""},
		{"a filter with NUL", get("/api/v1/spots?lot=a%00b").send, "400 invalid-parameter (lot)", ""},
		{"a filter that is no UTF-8", get("/api/v1/spots?lot=%ff").send, "400 invalid-parameter (lot)", ""},
		{"an empty filter", get("/api/v1/spots?lot=").send, "400 invalid-parameter (lot)", ""},
		{"101 lots", get("/api/v1/spots?" + strings.Repeat("lot=a&", 100) + "lot=a").send, "400 invalid-parameter (lot)", ""},
		{"a status that is none", get("/api/v1/spots?status=gone").send, "400 invalid-parameter (status)", ""},
		{"a status that only events have", get("/api/v1/spots?status=removed").send, "400 invalid-parameter (status)", ""},
		{"three edges of a box", get("/api/v1/spots?bbox=1,2,3").send, "400 invalid-parameter (bbox)", ""},
		{"a box from NaN to Inf", get("/api/v1/spots?bbox=NaN,NaN,Inf,Inf").send, "400 invalid-parameter (bbox)", ""},
		{"a box beyond the poles", get("/api/v1/spots?bbox=0,-91,1,91").send, "400 invalid-parameter (bbox)", ""},
		{"a box whose south is in the north", get("/api/v1/spots?bbox=0,2,1,1").send, "400 invalid-parameter (bbox)", ""},
		{"a time that is none", get("/api/v1/spots?updated_since=yesterday").send, "400 invalid-parameter (updated_since)", ""},
		{"a year of five digits", get("/api/v1/spots?updated_since=10000-01-01T00:00:00Z").send, "400 invalid-parameter (updated_since)", ""},
		{"a format that is none", get("/api/v1/spots?format=xml").send, "400 invalid-parameter (format)", ""},
		{"pages of a file", get("/api/v1/spots?format=csv&limit=1").send, "400 unknown-parameter (limit)", ""},
		{"a percent sign that encodes nothing", get("/api/v1/spots?lot=%zz").send, "400 invalid-parameter", ""},
		{"semicolons between parameters", get("/api/v1/spots?limit=1;lot=central").send, "400 invalid-parameter", ""},
		{"a query of a lot", get("/api/v1/lots/central?verbose=1").send, "400 unknown-parameter (verbose)", ""},
		{"a cursor of events that is none", get("/api/v1/events?after=nonsense").send, "400 invalid-cursor (after)", ""},
		{"a cursor of events with one letter changed", func(w *world) string {
			return get("/api/v1/events?after=" + w.cursor[:8] + "A" + w.cursor[9:]).send(w)
		}, "400 invalid-cursor (after)", ""},
		{"a cursor of events, cut", func(w *world) string { return get("/api/v1/events?after=" + w.cursor[:12]).send(w) }, "400 invalid-cursor (after)", ""},
		{"two cursors of events", func(w *world) string { return get("/api/v1/events?after=" + w.cursor + "&after=" + w.cursor).send(w) }, "400 invalid-parameter (after)", ""},
		{"1,001 events", get("/api/v1/events?limit=1001").send, "400 invalid-parameter (limit)", ""},
		{"a change that is none", get("/api/v1/events?change=exploded").send, "400 invalid-parameter (change)", ""},
		{"1,001 spots", get("/api/v1/events?" + many("spot", 1_001)).send, "400 invalid-parameter (spot)", ""},
		{"a token in the address of events", get("/api/v1/events?access_token=x").send, "400 unknown-parameter (access_token)", ""},
	},
}

// many repeats a parameter with as many values.
func many(name string, n int) string {
	var all strings.Builder
	for i := range n {
		if i > 0 {
			all.WriteByte('&')
		}
		all.WriteString(name + "=" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)))
	}
	return all.String()
}
