package e2e

import (
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// What cannot be done is refused with its reason, through every hop, and changes nothing.
func TestBadRequestsAreRefusedAndChangeNothing(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		client := s.WebSocket(t)
		s.AddLot(t, "central", "b-01", "b-02")
		s.Act(t, "b-02", "close")
		client.Count(t, 3)
		before := s.Spots(t, "central")

		nobody, forger := s.API, s.API
		nobody.Token, forger.Token = "", s.Token[:len(s.Token)-4]+"AAAA"
		reader := s.API
		reader.Token = s.TokenFor(t, "read")
		type body = map[string]any
		for name, c := range map[string]struct {
			api    stack.API
			status int
			method string
			path   string
			body   any
			field  string
		}{
			"malformed JSON":               {s.API, 400, "POST", "/api/v1/lots", `{"id":"x",`, ""},
			"an unknown field":             {s.API, 400, "POST", "/api/v1/lots", body{"id": "x", "name": "X", "colour": "red"}, "colour"},
			"a lot without id":             {s.API, 400, "POST", "/api/v1/lots", body{"name": "X"}, "id"},
			"a lot whose id is taken":      {s.API, 409, "POST", "/api/v1/lots", body{"id": "central", "name": "X"}, "id"},
			"a spot whose id is taken":     {s.API, 409, "POST", "/api/v1/lots/central/spots", body{"spotId": "b-01"}, "spotId"},
			"one taken id among new":       {s.API, 409, "POST", "/api/v1/lots/central/spots", []body{{"spotId": "b-03"}, {"spotId": "b-01"}}, ""},
			"an unknown time zone":         {s.API, 400, "POST", "/api/v1/lots", body{"id": "x", "name": "X", "timeZone": "Mars/Olympus"}, "timeZone"},
			"a status that is none":        {s.API, 400, "POST", "/api/v1/lots/central/spots", body{"spotId": "b-03", "status": "full"}, "status"},
			"a lot that is not there":      {s.API, 404, "GET", "/api/v1/lots/nowhere", nil, ""},
			"a spot in such a lot":         {s.API, 404, "POST", "/api/v1/lots/nowhere/spots", body{"spotId": "b-03"}, ""},
			"a spot that is not there":     {s.API, 404, "POST", "/api/v1/spots/b-99/occupy", nil, ""},
			"to occupy a closed spot":      {s.API, 409, "POST", "/api/v1/spots/b-02/occupy", nil, ""},
			"to reserve a closed spot":     {s.API, 409, "PUT", "/api/v1/spots/b-02/reservation", body{}, ""},
			"an action that is none":       {s.API, 404, "POST", "/api/v1/spots/b-01/explode", nil, ""},
			"a route that is none":         {s.API, 404, "GET", "/api/v1/nonsense", nil, ""},
			"a version of the API to come": {s.API, 404, "GET", "/api/v9/lots", nil, ""},
			"a method that is none":        {s.API, 405, "PUT", "/api/v1/lots", body{}, ""},
			"a lot with spots removed":     {s.API, 409, "DELETE", "/api/v1/lots/central", nil, ""},
			"a page that is too long":      {s.API, 400, "GET", "/api/v1/lots?limit=100000", nil, "limit"},
			"a cursor that is none":        {s.API, 400, "GET", "/api/v1/spots?cursor=nonsense", nil, "cursor"},
			"a body that is too large":     {s.API, 413, "POST", "/api/v1/observations", "[" + strings.Repeat(" ", 9<<20) + "]", ""},
			"a write without a token":      {nobody, 401, "POST", "/api/v1/spots/b-01/occupy", nil, ""},
			"a write with a forged token":  {forger, 401, "POST", "/api/v1/spots/b-01/occupy", nil, ""},
			"a write of a reader":          {reader, 403, "POST", "/api/v1/spots/b-01/occupy", nil, ""},
			"readings of a reader":         {reader, 403, "POST", "/api/v1/observations", []body{}, ""},
		} {
			t.Run(name, func(t *testing.T) {
				p := c.api.Refused(t, c.status, c.method, c.path, c.body)
				if c.field != "" && !strings.Contains(p.Field, c.field) {
					t.Errorf("the field at fault is named %q; it is %q: %+v", p.Field, c.field, p)
				}
			})
		}
		t.Run("readings are judged one by one", func(t *testing.T) {
			var counts struct {
				Accepted, Unchanged, Late, Rejected int
				Errors                              []struct {
					Line          int
					SpotID        string `json:"spotId"`
					Field, Reason string
				}
			}
			now := time.Now().UTC()
			s.Do(t, 200, "POST", "/api/v1/observations", []body{
				{"spotId": "b-99", "occupied": true, "observedAt": now},
				{"spotId": "b-01", "occupied": true, "observedAt": now.Add(time.Hour)},
				{"spotId": "b-01", "occupied": "perhaps", "observedAt": now},
				{"spotId": "b-01", "occupied": true},
			}, &counts)
			if counts.Rejected != 4 || counts.Accepted != 0 || len(counts.Errors) != 4 {
				t.Fatalf("of four bad readings: %+v", counts)
			}
			for i, e := range counts.Errors {
				if e.Line != i+1 || e.Reason == "" {
					t.Errorf("the error of reading %d is %+v", i+1, e)
				}
			}
		})
		sameState(t, s, "central", before)
		marker := s.Act(t, "b-01", "occupy")
		if frames := client.Spot(t, "b-01", marker.Version); len(frames) != 4 {
			t.Errorf("of what was refused came events: %v", frames[3:])
		}
	})
}
