package live

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"parkwire/internal/identity"
)

// lotsInToken lets tests say to which lots a token is limited: its text is their ids, and "-" that it is limited to none.
func lotsInToken(o *Options) {
	o.Authorize = func(r *http.Request) (identity.Principal, error) {
		p := identity.Principal{Subject: "x"}
		switch token := identity.Bearer(r, true); token {
		case "":
		case "-":
			p.Lots = []string{}
		default:
			p.Lots = strings.Split(token, ",")
		}
		return p, nil
	}
}

func TestWhoIsLimitedToLotsHearsOfNoOther(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := startSteady(t, lotsInToken)
		s.write(0, 1, 2, 3, 4, 5)
		everything := s.webSocket()
		var limited []*listener
		for _, query := range [][]string{
			{}, {"snapshot", "1"}, {"after", s.cursorAt(-1, -1, -1, -1)}, {"lot", "lot-1"}, {"spot", "s-001", "spot", "s-002", "spot", "s-004"}, {"status", "free", "status", "occupied"},
		} {
			query = append(query, "access_token", "lot-9,lot-1,lot-1")
			limited = append(limited, s.webSocket(query...), s.sse("", query...))
		}
		s.connected(1 + len(limited))
		for _, foreign := range []string{`{"type":"Note"}`, `{"type":"ParkingSpotUpdated","spotId":"x","status":"free","lotId":"lot-2"}`} {
			_ = s.bus.Publish(t.Context(), []byte(foreign))
		}
		s.write(0, 2, 1, 3, 5, 4)
		everything.count(8)
		for _, l := range limited {
			frames := l.until("the last event of the lot", func(f []frame, _ error) bool {
				return slices.ContainsFunc(f, func(f frame) bool { return f.SpotID == "s-004" && f.Version == 2 })
			})
			for _, f := range frames {
				if f.LotID != "lot-1" {
					t.Errorf("%s got %s", l.name, f.raw)
				}
			}
			if len(seen(frames)) != 2 {
				t.Errorf("%s got %d spots", l.name, len(seen(frames)))
			}
		}
	})
}

func TestAllWhoAreLimitedToTheSameLotsShareALogOfFrames(t *testing.T) {
	s := startSteady(t, lotsInToken)
	for _, lots := range []string{"lot-1,lot-2", "lot-2,lot-1", "lot-1,lot-2,lot-1"} {
		s.webSocket("access_token", lots)
	}
	s.webSocket("access_token", "lot-1,lot-2", "lot", "lot-1", "lot", "lot-2")
	s.connected(4)
	s.service.mu.Lock()
	defer s.service.mu.Unlock()
	if n := len(s.service.subs.byKey); n != 1 {
		t.Errorf("there are %d subscriptions", n)
	}
}

func TestALotThatIsNotOfTheTokenCannotBeListenedTo(t *testing.T) {
	s := startSteady(t, lotsInToken)
	for _, c := range []struct{ path, token, lot string }{
		{PathNotifications, "lot-1", "lot-2"}, {PathNotifications, "lot-1", "none"}, {PathNotifications, "-", ""}, {PathNotifications, "-", "lot-1"},
		{PathEvents, "lot-1", "lot-2"}, {PathEvents, "-", ""},
	} {
		query := []string{}
		if c.lot != "" {
			query = append(query, "lot", c.lot)
		}
		header := http.Header{"Authorization": {"Bearer " + c.token}, "Accept": {"text/event-stream"}}
		if status, _, body := s.get("GET", c.path+"?"+values(query).Encode(), header); status != 403 || !strings.Contains(body, `:lot-not-allowed"`) {
			t.Errorf("%+v: answered %d %s", c, status, body)
		}
	}
}

func TestPagesOfEventsHaveTheLotsOfTheTokenAlone(t *testing.T) {
	s := startSteady(t, lotsInToken)
	s.write(0, 1, 2, 3, 4, 5, 1)
	status, _, body := s.get("GET", PathEvents, http.Header{"Authorization": {"Bearer lot-1"}})
	var page eventsPage
	if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Events) != 3 || page.Cursor == "" {
		t.Fatalf("answered %d %s (%v)", status, body, err)
	}
	for _, e := range page.Events {
		if e.LotID != "lot-1" {
			t.Errorf("it has %+v", e)
		}
	}
}

func TestV1SubscriptionsReachTheLotsOfTheTokenAlone(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := startSteady(t, lotsInToken)
		s.write(0, 1, 2)
		c := s.v1("access_token", "lot-1")
		c.expect("Welcome")
		for _, lot := range []string{"lot-2", "none"} {
			c.say(`{"type":"Subscribe","id":"a","lot":["lot-1",%q]}`, lot)
			if m := c.expect("Error"); m.Code != codeLotNotAllowed || m.ID != "a" || m.Field != "lot" {
				t.Errorf("%+v", m)
			}
		}
		c.say(`{"type":"Subscribe","id":"a","snapshot":true}`)
		c.expect("Subscribed")
		if m := c.expect("Snapshot"); len(m.Events) != 1 || m.Events[0].LotID != "lot-1" {
			t.Errorf("%+v", m)
		}
		s.write(0, 2, 1)
		if got := c.events(1); got[0].LotID != "lot-1" || got[0].Version != 2 {
			t.Errorf("%+v", got)
		}
		c.say(`{"type":"Subscribe","id":"b","spot":["s-002"],"after":%q}`, s.cursorAt(-1, -1, -1, -1)) // in another lot: as if there were none
		c.expect("Subscribed")
		s.write(2, 1)
		if got := c.events(1); got[0].LotID != "lot-1" || got[0].Version != 3 {
			t.Errorf("%+v", got)
		}
	})
}

func TestV1AConnectionStaysWithTheLotsOfItsFirstToken(t *testing.T) {
	s := startSteady(t, lotsInToken)
	for first, others := range map[string][]string{"lot-1,lot-2": {"lot-1", "lot-1,lot-2,lot-3", "-"}, "": {"lot-1", "-"}} {
		c := s.v1("access_token", first)
		c.expect("Welcome")
		for _, other := range others {
			c.say(`{"type":"Authenticate","token":%q}`, other)
			if m := c.expect("Error"); m.Code != codeLotsChanged || m.Field != "token" {
				t.Errorf("from %q to %q: %+v", first, other, m)
			}
		}
		if first != "" {
			c.say(`{"type":"Authenticate","token":"lot-2,lot-1"}`)
			c.expect("Authenticated")
		}
	}
}
