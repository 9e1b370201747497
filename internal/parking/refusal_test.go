package parking_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parkwire/internal/identity"
	"parkwire/internal/parking"
	"parkwire/internal/problem"
)

// What is wrong with a request is said by its name, with what would be right, and nothing is changed.
func TestBadRequestsNameWhatIsWrong(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": "located", "name": "X", "location": body{"lat": 1, "lon": 2}})
	long := strings.Repeat("x", 501)
	tooMany := "[" + strings.Repeat("1,", 10_000) + "1]"
	cursor := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, c := range map[string]struct {
		status       int
		slug, field  string
		method, path string
		content      any
	}{
		"malformed JSON":           {400, "invalid-body", "", "POST", "/lots", `{"id":"x",`},
		"no body":                  {400, "invalid-body", "", "POST", "/lots", nil},
		"an array for an object":   {400, "invalid-body", "", "POST", "/lots", `[]`},
		"null for an object":       {400, "invalid-body", "", "POST", "/lots", `null`},
		"something behind":         {400, "invalid-body", "", "POST", "/lots", `{"id":"x","name":"X"} {}`},
		"an unknown field":         {400, "unknown-field", "colour", "POST", "/lots", body{"id": "x", "name": "X", "colour": "red"}},
		"a long unknown field":     {400, "unknown-field", long[:80] + "…", "POST", "/lots", body{"id": "x", "name": "X", long: 1}},
		"a long unknown parameter": {400, "unknown-parameter", long[:80] + "…", "GET", "/lots?" + long + "=1", nil},
		"a name in another case":   {400, "unknown-field", "NAME", "POST", "/lots", body{"id": "x", "name": "X", "NAME": "Y"}},
		"a field missing":          {400, "invalid-field", "id", "POST", "/lots", body{"name": "X"}},
		"a field null":             {400, "invalid-field", "name", "POST", "/lots", body{"id": "x", "name": nil}},
		"a wrong type":             {400, "invalid-field", "name", "POST", "/lots", body{"id": "x", "name": 7}},
		"an empty id":              {400, "invalid-field", "id", "POST", "/lots", body{"id": "", "name": "X"}},
		"an id with a slash":       {400, "invalid-field", "id", "POST", "/lots", body{"id": "a/b", "name": "X"}},
		"an id that is a place":    {400, "invalid-field", "id", "POST", "/lots", body{"id": "..", "name": "X"}},
		"an id with a control":     {400, "invalid-field", "id", "POST", "/lots", body{"id": "a\nb", "name": "X"}},
		"an id with space around":  {400, "invalid-field", "id", "POST", "/lots", body{"id": " a", "name": "X"}},
		"an id too long":           {400, "invalid-field", "id", "POST", "/lots", body{"id": long[:129], "name": "X"}},
		"an id that is no UTF-8":   {400, "invalid-field", "id", "POST", "/lots", "{\"id\":\"a\xff\",\"name\":\"X\"}"},
		"a name too long":          {400, "invalid-field", "name", "POST", "/lots", body{"id": "x", "name": long[:201]}},
		"an address too long":      {400, "invalid-field", "address", "POST", "/lots", body{"id": "x", "name": "X", "address": long}},
		"an unknown time zone":     {400, "invalid-field", "timeZone", "POST", "/lots", body{"id": "x", "name": "X", "timeZone": "Mars/Olympus"}},
		"the machine's time zone":  {400, "invalid-field", "timeZone", "POST", "/lots", body{"id": "x", "name": "X", "timeZone": "Local"}},
		"a latitude that is none":  {400, "invalid-field", "location.lat", "POST", "/lots", body{"id": "x", "name": "X", "location": body{"lat": 91, "lon": 0}}},
		"half a location":          {400, "invalid-field", "location.lon", "POST", "/lots", body{"id": "x", "name": "X", "location": body{"lat": 9}}},
		"too much of a location":   {400, "unknown-field", "location.alt", "POST", "/lots", body{"id": "x", "name": "X", "location": body{"lat": 9, "lon": 9, "alt": 9}}},
		"a location of text":       {400, "invalid-field", "location", "POST", "/lots", body{"id": "x", "name": "X", "location": "here"}},
		"half a second":            {400, "invalid-field", "heartbeatSeconds", "POST", "/lots", body{"id": "x", "name": "X", "heartbeatSeconds": 0.5}},
		"a level that is none":     {400, "invalid-field", "level", "POST", "/lots/central/zones", body{"id": "x", "name": "X", "level": 5000}},
		"an id changed":            {400, "unknown-field", "id", "PATCH", "/lots/central", body{"id": "y"}},
		"a name removed":           {400, "invalid-field", "name", "PATCH", "/lots/central", body{"name": nil}},
		"a status changed":         {400, "unknown-field", "status", "PATCH", "/spots/b-01", body{"status": "free"}},
		"a zone that is none":      {400, "invalid-field", "zoneId", "PATCH", "/spots/b-01", body{"zoneId": "nowhere"}},
		"a category that is none":  {400, "invalid-field", "category", "PATCH", "/spots/b-01", body{"category": "luxury"}},
		"a status that is none":    {400, "invalid-field", "status", "POST", "/lots/central/spots", body{"spotId": "b-03", "status": "full"}},
		"a status to come":         {400, "invalid-field", "status", "POST", "/lots/central/spots", body{"spotId": "b-03", "status": "reserved"}},
		"seen in the future":       {400, "invalid-field", "observedAt", "POST", "/lots/central/spots", body{"spotId": "b-03", "observedAt": "2026-11-24T12:01:01Z"}},
		"no spots":                 {400, "invalid-body", "", "POST", "/lots/central/spots", `[]`},
		"half an array of spots":   {400, "invalid-body", "", "POST", "/lots/central/spots", `[{"spotId":"b-03"}`},
		"two arrays of spots":      {400, "invalid-body", "", "POST", "/lots/central/spots", `[{"spotId":"b-03"}] []`},
		"too many spots":           {400, "invalid-body", "", "POST", "/lots/central/spots", tooMany},
		"half a new location":      {400, "invalid-field", "location.lon", "PATCH", "/spots/b-01", body{"location": body{"lat": 9}}},
		"half a location removed":  {400, "invalid-field", "location.lat", "PATCH", "/lots/located", body{"location": body{"lat": nil}}},
		"a spot of text":           {400, "invalid-body", "", "POST", "/lots/central/spots", `"b-03"`},
		"an action with a body":    {400, "unknown-field", "by", "POST", "/spots/b-01/occupy", body{"by": "me"}},
		"a parameter of a write":   {400, "unknown-parameter", "force", "POST", "/spots/b-01/occupy?force=1", nil},
		"an unknown parameter":     {400, "unknown-parameter", "colour", "GET", "/spots?colour=red", nil},
		"a limit too high":         {400, "invalid-parameter", "limit", "GET", "/lots?limit=100000", nil},
		"a limit of nothing":       {400, "invalid-parameter", "limit", "GET", "/lots?limit=0", nil},
		"a limit given twice":      {400, "invalid-parameter", "limit", "GET", "/lots?limit=1&limit=2", nil},
		"a cursor that is none":    {400, "invalid-parameter", "cursor", "GET", "/spots?cursor=nonsense", nil},
		"an empty cursor":          {400, "invalid-parameter", "cursor", "GET", "/spots?cursor=", nil},
		"a cursor of no text":      {400, "invalid-parameter", "cursor", "GET", "/spots?cursor=" + cursor("spots\n\n\x00"), nil},
		"a cursor of no UTF-8":     {400, "invalid-parameter", "cursor", "GET", "/lots?cursor=" + cursor("lots\n\n\xff"), nil},
		"a cursor of no number":    {400, "invalid-parameter", "cursor", "GET", "/spots/b-01/history?cursor=aGlzdG9yeQoKeA", nil},
		"a box of three":           {400, "invalid-parameter", "bbox", "GET", "/spots?bbox=1,2,3", nil},
		"a box upside down":        {400, "invalid-parameter", "bbox", "GET", "/spots?bbox=1,2,3,1", nil},
		"a box of no numbers":      {400, "invalid-parameter", "bbox", "GET", "/spots?bbox=NaN,0,1,1", nil},
		"a status to find":         {400, "invalid-parameter", "status", "GET", "/spots?status=removed", nil},
		"a time with a bare plus":  {400, "invalid-parameter", "updated_since", "GET", "/spots?updated_since=2026-11-24T12:00:00+01:00", nil},
		"a query that is none":     {400, "invalid-parameter", "", "GET", "/lots?limit=%zz", nil},
		"a spot that is not there": {404, "spot-not-found", "", "POST", "/spots/b-99/occupy", nil},
		"an id that cannot be":     {404, "route-not-found", "", "GET", "/spots/a%00b", nil},
		"an action that is none":   {404, "route-not-found", "", "POST", "/spots/b-01/explode", nil},
		"a route that is none":     {404, "route-not-found", "", "GET", "/nonsense", nil},
		"a lot id taken":           {409, "id-taken", "id", "POST", "/lots", body{"id": "central", "name": "X"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.refused(t, c.status, c.slug, c.field, c.method, "/api/v1"+c.path, c.content)
			if strings.Contains(got.Detail, long) {
				t.Errorf("the problem repeats all of a long value: %s", got.Detail)
			}
		})
	}
	if events, _ := p.published(t); len(events) != 1 {
		t.Errorf("of what was refused there are events: %+v", events[1:])
	}
}

func TestMethodsThatAreNoneAreToldWhichAre(t *testing.T) {
	p := newPlatform(t)
	for path, allow := range map[string]string{
		"/lots": "GET, POST, HEAD", "/spots/x": "DELETE, GET, PATCH, HEAD", "/spots/x/reservation": "DELETE, PUT", "/observations": "POST",
		"/spots/x/close": "POST",
	} {
		w := p.send("OPTIONS", "/api/v1"+path, nil)
		if w.Code != 405 || w.Header().Get("Allow") != allow || w.Header().Get("Content-Type") != problem.ContentType {
			t.Errorf("%s: %d, Allow %q: %s", path, w.Code, w.Header().Get("Allow"), w.Body)
		}
	}
}

func TestBodiesOfOtherTypesAreRefused(t *testing.T) {
	p := newPlatform(t)
	p.refused(t, 415, "media-type", "Content-Type", "POST", "/api/v1/lots", body{"id": "x", "name": "X"}, "Content-Type", "text/plain")
	p.refused(t, 415, "media-type", "Content-Type", "POST", "/api/v1/lots", body{"id": "x", "name": "X"}, "Content-Type", "application/merge-patch+json")
	p.refused(t, 415, "media-type", "Content-Type", "POST", "/api/v1/observations", []body{}, "Content-Type", "text/csv")
	do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": "x", "name": "X"}, "Content-Type", "application/json; charset=utf-8")
	do[lot](t, p, 201, "POST", "/api/v1/lots", body{"id": "y", "name": "Y"}, "Content-Type", "")
}

// The gateway decides who may read; who may write is looked at here again.
func TestWritesNeedTheirScope(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	p.scopes = identity.ScopeIngest
	if r := p.observe(t, reading("b-01", true, noon)); r.Accepted != 1 {
		t.Errorf("%+v", r)
	}
	p.refused(t, 403, "scope-missing", "", "POST", "/api/v1/spots/b-01/occupy", nil)
	p.scopes = identity.ScopeRead
	p.refused(t, 403, "scope-missing", "", "POST", "/api/v1/observations", []body{})
	w := p.send("POST", "/api/v1/lots", body{}, identity.HeaderSubject, "", identity.HeaderScopes, "")
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%d, WWW-Authenticate %q", w.Code, w.Header().Get("WWW-Authenticate"))
	}
	if w := p.send("GET", "/api/v1/lots", nil, identity.HeaderSubject, "", identity.HeaderScopes, ""); w.Code != 200 {
		t.Errorf("reading without a token: %d", w.Code)
	}
}

// broken is a store whose database is away, or worse.
type broken struct {
	parking.Store
	err   error
	after int // so many transactions succeed first
}

func (b *broken) Update(ctx context.Context, change func(context.Context, parking.Tx) error) error {
	if b.after--; b.after >= 0 {
		return b.Store.Update(ctx, change)
	}
	return b.err
}

func (b *broken) Spots(context.Context, parking.SpotQuery) ([]parking.Spot, error) { return nil, b.err }

func TestWithoutTheDatabaseRequestsAreRefusedAndMayComeAgain(t *testing.T) {
	store := &broken{err: fmt.Errorf("dialing the database's secret host: %w", parking.ErrUnavailable), after: 3}
	p := newPlatform(t, func(o *parking.Options) { store.Store, o.Store = o.Store, store })
	p.addLot(t, "central", "b-01")
	for _, c := range [][2]string{
		{"POST", "/lots"}, {"POST", "/spots/b-01/occupy"}, {"POST", "/observations"}, {"GET", "/spots"},
	} {
		if c[1] == "/lots" {
			store.after = 0
		}
		var content any
		switch c[1] {
		case "/lots":
			content = body{"id": "x", "name": "X"}
		case "/observations":
			content = []body{reading("b-01", true, noon)}
		}
		w := p.send(c[0], "/api/v1"+c[1], content)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), ":database-unavailable") || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s %s: %d, Retry-After %q: %s", c[0], c[1], w.Code, w.Header().Get("Retry-After"), w.Body)
		}
	}
	// Of a large request the first transactions may be done already: the answer says so.
	store.after = 2
	var all []body
	for i := range 3000 {
		all = append(all, reading("b-01", i%2 == 0, noon.Add(-time3000(i))))
	}
	got := p.refused(t, 503, "database-unavailable", "", "POST", "/api/v1/observations", all)
	if got.Extras["committed"] != 2000.0 || !strings.Contains(got.Detail, "2000 of 3000") {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNobodysFaultSaysNothingOfTheInside(t *testing.T) {
	store := &broken{err: errors.New("SQL logic error at secret.db")}
	p := newPlatform(t, func(o *parking.Options) { store.Store, o.Store = o.Store, store })
	got := p.refused(t, 500, "internal", "", "POST", "/api/v1/lots", body{"id": "x", "name": "X"})
	if strings.Contains(got.Detail, "secret") {
		t.Error(got.Detail)
	}
}

func TestARequestThatEndedChangesNothing(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	for _, path := range []string{"/api/v1/spots/b-01/occupy", "/api/v1/observations"} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := httptest.NewRequest("POST", path, strings.NewReader("")).WithContext(ctx)
		identity.Forward(r.Header, identity.Principal{Subject: "x", Scopes: []string{"admin"}})
		w := httptest.NewRecorder()
		p.handler.ServeHTTP(w, r)
		if w.Code < 400 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if s := p.spot(t, "b-01"); s.Version != 1 {
		t.Errorf("%+v", s)
	}
}

// Whoever passes requests on may bound them more narrowly than this part does; it is answered in the same words.
func TestBodiesThatAreTooLargeAreRefused(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "central", "b-01")
	inner := p.handler
	p.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 100)
		inner.ServeHTTP(w, r)
	})
	for _, path := range []string{"/api/v1/observations", "/api/v1/lots", "/api/v1/lots/central/spots"} {
		content := "[" + strings.Repeat(" ", 200) + "]"
		got := p.refused(t, 413, "body-too-large", "", "POST", path, content)
		if got.Extras["limit"] != 100.0 {
			t.Errorf("%+v", got)
		}
	}
	lines := strings.Repeat(`{"spotId":"b-01","occupied":true,"observedAt":"2026-11-24T12:00:00Z"}`+"\n", 3)
	p.refused(t, 413, "body-too-large", "", "POST", "/api/v1/observations", lines, "Content-Type", "application/x-ndjson")
	if s := p.spot(t, "b-01"); s.Version != 1 {
		t.Errorf("%+v", s)
	}
}

// Two requests that add the same id at once: the one that was second is told so.
func TestWhoAddsSecondIsTold(t *testing.T) {
	store := &overtaken{}
	p := newPlatform(t, func(o *parking.Options) { store.Store, o.Store = o.Store, store })
	p.addLot(t, "central")
	store.overtake = func() {
		store.overtake = nil
		do[spot](t, p, 201, "POST", "/api/v1/lots/central/spots", body{"spotId": "b-01"})
	}
	p.refused(t, 409, "id-taken", "spotId", "POST", "/api/v1/lots/central/spots", []body{{"spotId": "b-00"}, {"spotId": "b-01"}})
}

// overtaken is a store in which another transaction adds a spot first.
type overtaken struct {
	parking.Store
	overtake func()
}

func (o *overtaken) Update(ctx context.Context, change func(context.Context, parking.Tx) error) error {
	if first := o.overtake; first != nil {
		first()
		return fmt.Errorf("saving spots: %w", parking.ErrTaken)
	}
	return o.Store.Update(ctx, change)
}
