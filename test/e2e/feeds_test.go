package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// sign is what a sign gets of a lot.
type sign struct {
	Free, Total, Unknown int
	AsOf                 int64
	Stale                bool
}

// Through the gateway, from one process and from many, feeds follow what happens, are told to whoever has the newest, and are the same after
// whoever serves them was killed.
func TestFeedsFollowWhatHappens(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		s.AddLot(t, "central", "f-1", "f-2", "f-3")
		s.AddLot(t, "other", "o-1")
		says := func(what string, want sign) {
			t.Helper()
			var got sign
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
				if a, err := s.Try("GET", "/feeds/signs/lots/central", nil); err == nil && a.Status == 200 {
					if err := json.Unmarshal(a.Body, &got); err != nil {
						t.Fatal(err)
					}
					if got.AsOf = 0; got == want {
						return
					}
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s: the sign shows %+v, not %+v", what, got, want)
				}
			}
		}
		says("at first", sign{Free: 3, Total: 3})
		s.Act(t, "f-1", "occupy")
		says("after one came", sign{Free: 2, Total: 3})

		// Who has the newest is told so, or waits until there is something newer.
		ask := func(query, etag string) (int, http.Header, string) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/feeds/signs/lots/central"+query, nil)
			if err != nil {
				t.Fatal(err)
			}
			if etag != "" {
				r.Header.Set("If-None-Match", etag)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			return answer.StatusCode, answer.Header, string(body)
		}
		_, header, _ := ask("?format=text", "")
		etag := header.Get("ETag")
		if status, _, body := ask("?format=text", etag); status != 304 || body != "" {
			t.Errorf("who has the newest is answered %d %q", status, body)
		}
		go s.Act(t, "f-2", "occupy")
		for status := 304; status == 304; { // a machine may be so slow that the time is over
			status, _, _ = ask("?format=text&wait=25", etag)
		}
		says("after two came", sign{Free: 1, Total: 3})

		// A token sees its lots, in every form.
		var key struct{ Secret string }
		admin := stack.API{URL: s.URL, Token: s.TokenFor(t, "admin")}
		admin.Do(t, 201, "POST", "/api/v1/keys", map[string]any{"name": "sign", "scopes": []string{"read"}, "lots": []string{"other"}}, &key)
		mine := stack.API{URL: s.URL, Token: key.Secret}
		gateways := []string{s.URL}
		for _, n := range s.Gateways {
			gateways = append(gateways, n.URL)
		}
		for _, gateway := range gateways { // each hears of the key in its time
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
				if a, err := (stack.API{URL: gateway, Token: key.Secret}).Try("GET", "/feeds/signs/lots/other", nil); err == nil && a.Status == 200 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("the key does not hold at %s", gateway)
				}
			}
		}
		for _, path := range []string{"/feeds/signs/lots/central", "/feeds/cds/lots/central/events/events", "/feeds/cds/lots/central/metrics/sessions"} {
			mine.Do(t, 403, "GET", path, nil, nil)
		}
		for _, path := range []string{
			"/feeds/ngsi-ld/v1/entities?type=ParkingSpot&options=keyValues", "/feeds/parkapi/v3/parking-sites", "/feeds/parkapi/v3/parking-spots",
			"/feeds/cds/lots/central/events/events", "/feeds/cds/lots/central/events/status", "/feeds/cds/lots/central/metrics/sessions", "/feeds/cds/lots/central/metrics/aggregates",
		} {
			s.Do(t, 200, "GET", path, nil, nil) // and as openapi.yaml describes it
		}

		killed := s.History
		if s.One != nil {
			killed = []*stack.Node{s.One}
		}
		for _, n := range killed {
			n.Kill(t)
		}
		for _, n := range killed {
			n.Restart(t)
		}
		says("after it was killed", sign{Free: 1, Total: 3})
		s.Act(t, "f-1", "release")
		says("and goes on", sign{Free: 2, Total: 3})
	})
}
