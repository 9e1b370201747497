package delivery_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parkwire/internal/alerts/delivery"
	"parkwire/internal/identity"
	"parkwire/internal/webhook"
)

var bert = identity.Principal{Subject: "bert", Scopes: []string{identity.ScopeRead}}

func TestASecretIsToldOnceAndCanBeChanged(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		rec := newReceiver(t, nil)
		id, old := s.webhook(rec.URL)
		_, c, header := s.send(anna, "GET", "/channels/"+id, nil)
		if c["secret"] != nil || c["url"] != rec.URL || header.Get("ETag") == "" {
			t.Errorf("it is answered as %v", c)
		}
		status, c, _ := s.send(anna, "POST", "/channels/"+id+"/rotate", nil)
		fresh, _ := c["secret"].(string)
		if status != http.StatusOK || fresh == "" || fresh == old || c["previousUntil"] == nil {
			t.Fatalf("changing the secret: %d %v", status, c)
		}
		s.decide(1, id)
		s.await(id, "delivered", 1)
		r := rec.all()[0]
		for what, secret := range map[string]string{"the old": old, "the new": fresh} {
			if err := webhook.Verify(secret, r.header, []byte(r.body), time.Now()); err != nil {
				t.Errorf("%s secret does not sign: %v", what, err)
			}
		}
		s.send(anna, "POST", "/channels/"+id+"/rotate", nil)
		s.decide(1, id)
		s.await(id, "delivered", 2)
		if r := rec.all()[1]; webhook.Verify(old, r.header, []byte(r.body), time.Now()) == nil {
			t.Error("the secret before the one before signs")
		}
	})
}

func TestChannelsAreTheirSubjectsAlone(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		rec := newReceiver(t, nil)
		id, _ := s.webhook(rec.URL)
		for _, request := range [][2]string{{"GET", ""}, {"PATCH", ""}, {"DELETE", ""}, {"POST", "/test"}, {"POST", "/rotate"}, {"POST", "/confirm"}} {
			var body any
			if request[0] == "PATCH" {
				body = object{"state": "paused"}
			}
			if request[1] == "/confirm" {
				body = object{"code": "x"}
			}
			if status, p, _ := s.send(bert, request[0], "/channels/"+id+request[1], body); status != http.StatusNotFound || p["type"] != "urn:parkwire:problem:channel-not-found" {
				t.Errorf("%s %s of another: %d %v", request[0], request[1], status, p)
			}
			if status, _, _ := s.send(identity.Principal{}, request[0], "/channels/"+id+request[1], body); status != http.StatusUnauthorized {
				t.Errorf("%s %s of nobody: %d", request[0], request[1], status)
			}
		}
		s.decide(1, id)
		s.await(id, "delivered", 1)
		for _, path := range []string{"/channels", "/deliveries"} {
			if _, list, _ := s.send(bert, "GET", path, nil); len(list["items"].([]any)) != 0 {
				t.Errorf("%s of another: %v", path, list)
			}
			if _, list, _ := s.send(anna, "GET", path, nil); len(list["items"].([]any)) != 1 {
				t.Errorf("%s: %v", path, list)
			}
		}
	})
}

func TestDeliveriesOfLotsThatATokenDoesNotReachAreNotThere(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		id, _ := s.webhook(newReceiver(t, nil).URL)
		s.decide(1, id) // of lot l
		s.await(id, "delivered", 1)
		for lots, want := range map[string]int{"l": 1, "m": 0, "": 0} {
			who := anna
			who.Lots = strings.Fields(lots)
			if _, list, _ := s.send(who, "GET", "/deliveries", nil); len(list["items"].([]any)) != want {
				t.Errorf("a token for the lots %q sees %v", lots, list)
			}
		}
	})
}

func TestChannelsAreChangedPausedAndDeleted(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		first, second := newReceiver(t, nil), newReceiver(t, nil)
		id, _ := s.webhook(first.URL)
		_, _, header := s.send(anna, "GET", "/channels/"+id, nil)
		etag := header.Get("ETag")
		status, c, _ := s.send(anna, "PATCH", "/channels/"+id, object{"url": second.URL, "name": "other"}, "If-Match", etag)
		if status != http.StatusOK || c["url"] != second.URL || c["name"] != "other" {
			t.Fatalf("changing it: %d %v", status, c)
		}
		if status, _, _ := s.send(anna, "PATCH", "/channels/"+id, object{"name": "third"}, "If-Match", etag); status != http.StatusPreconditionFailed {
			t.Errorf("what was changed meanwhile is changed again: %d", status)
		}
		s.decide(1, id)
		s.await(id, "delivered", 1)
		if len(first.all()) != 0 || len(second.all()) != 1 {
			t.Error("it goes to the address before")
		}
		s.send(anna, "PATCH", "/channels/"+id, object{"state": "paused"})
		s.decide(3, id)
		if status, p, _ := s.send(anna, "POST", "/channels/"+id+"/test", nil); status != http.StatusConflict || p["type"] != "urn:parkwire:problem:channel-not-active" {
			t.Errorf("a test of a channel that is paused: %d %v", status, p)
		}
		s.send(anna, "PATCH", "/channels/"+id, object{"state": "active"})
		s.decide(1, id)
		s.await(id, "delivered", 2)
		if status, _, _ := s.send(anna, "DELETE", "/channels/"+id, nil); status != http.StatusNoContent {
			t.Errorf("deleting it: %d", status)
		}
		s.decide(1, id)
		if n := len(s.deliveries(id, "")); n != 2 {
			t.Errorf("a channel that is not there has %d deliveries", n)
		}
	})
}

func TestATestOfAChannelArrives(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		rec := newReceiver(t, nil)
		id, _ := s.webhook(rec.URL)
		status, answer, _ := s.send(anna, "POST", "/channels/"+id+"/test", nil)
		if status != http.StatusAccepted {
			t.Fatalf("%d %v", status, answer)
		}
		s.await(id, "delivered", 1)
		if r := rec.all()[0]; r.id != answer["deliveryId"] || !strings.Contains(r.body, `"type":"channel.test"`) || !strings.Contains(r.body, id) {
			t.Errorf("%s came: %s", r.id, r.body)
		}
	})
}

func TestWhatIsNoChannelIsRefused(t *testing.T) {
	each(t, nil, func(t *testing.T, s *stand) {
		for _, c := range []struct {
			body   object
			status int
			field  string
		}{
			{object{}, 400, "kind"},
			{object{"kind": "fax"}, 400, "kind"},
			{object{"kind": "webhook"}, 400, "url"},
			{object{"kind": "webhook", "url": 5}, 400, "url"},
			{object{"kind": "webhook", "url": "https://a:b@example.org/"}, 400, "url"},
			{object{"kind": "webhook", "url": "https://example.org/", "secret": "mine"}, 400, "secret"},
			{object{"kind": "webhook", "url": "https://example.org/", "name": "a\nb"}, 400, "name"},
			{object{"kind": "push"}, 400, "subscription"},
			{object{"kind": "push", "subscription": object{"endpoint": "https://push.example.org/x"}}, 400, "subscription"},
			{object{"kind": "push", "subscription": object{"endpoint": "https://10.0.0.1/x", "keys": object{"p256dh": "a", "auth": "b"}}}, 400, "subscription.endpoint"},
			{object{"kind": "push", "subscription": object{"endpoint": "https://push.example.org/x", "keys": object{"p256dh": "a", "auth": "b"}}}, 400, "subscription.keys"},
			{object{"kind": "mail", "address": "Anna <anna@example.org>"}, 400, "address"},
			{object{"kind": "mail", "address": "anna@example.org\r\nBcc: b@example.org"}, 400, "address"},
			{object{"kind": "mail", "address": "anna@example.org"}, 409, "kind"},
		} {
			status, p, _ := s.send(anna, "POST", "/channels", c.body)
			if status != c.status || p["field"] != c.field {
				t.Errorf("%v: %d %v", c.body, status, p)
			}
			if text, _ := p["detail"].(string); strings.Contains(text, "a:b@") {
				t.Errorf("a password is repeated: %s", text)
			}
		}
		if status, p, _ := s.send(anna, "GET", "/push-key", nil); status != 409 || p["type"] != "urn:parkwire:problem:push-not-configured" {
			t.Errorf("a key that is not there: %d %v", status, p)
		}
	})
}

func TestASubjectHasAtMostTwentyChannels(t *testing.T) {
	each(t, func(o *delivery.Options) { o.Sending.Poll = time.Hour }, func(t *testing.T, s *stand) {
		for range 20 {
			s.webhook("https://example.org/hook")
		}
		status, p, _ := s.send(anna, "POST", "/channels", object{"kind": "webhook", "url": "https://example.org/"})
		if status != http.StatusConflict || p["limit"] != 20.0 {
			t.Errorf("one more: %d %v", status, p)
		}
		if status, _, _ := s.send(bert, "POST", "/channels", object{"kind": "webhook", "url": "https://example.org/"}); status != http.StatusCreated {
			t.Errorf("one of another: %d", status)
		}
		_, list, _ := s.send(anna, "GET", "/channels?limit=15", nil)
		_, rest, _ := s.send(anna, "GET", "/channels?limit=15&cursor="+list["next"].(string), nil)
		if len(list["items"].([]any)) != 15 || len(rest["items"].([]any)) != 5 || rest["next"] != nil {
			t.Error("pages do not hold all of them")
		}
	})
}
