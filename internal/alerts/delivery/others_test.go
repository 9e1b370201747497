package delivery_test

import (
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parkwire/internal/alerts/delivery"
	"parkwire/internal/mail"
	"parkwire/internal/mail/mailtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
	"parkwire/internal/webpush"
	"parkwire/internal/webpush/webpushtest"
)

// pushService is one with a certificate, which remembers bodies.
type pushService struct {
	*httptest.Server
	status atomic.Int64
	mu     sync.Mutex
	bodies [][]byte
	topics []string
}

func newPushService(t *testing.T) *pushService {
	p := &pushService{}
	p.status.Store(http.StatusCreated)
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.bodies, p.topics = append(p.bodies, body), append(p.topics, r.Header.Get("Topic"))
		p.mu.Unlock()
		if !strings.HasPrefix(r.Header.Get("Authorization"), "vapid t=") {
			t.Errorf("a request has the headers %v", r.Header)
		}
		w.WriteHeader(int(p.status.Load()))
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pushService) got() [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies
}

// topicsOf are those of the messages since a number of them.
func (p *pushService) topicsOf(since int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.topics[since:])
}

func subscriptionOf(b webpushtest.Browser, endpoint string) object {
	return object{"endpoint": endpoint, "expirationTime": nil, "keys": object{"p256dh": b.P256DH(), "auth": b.Auth()}}
}

func withPush(t *testing.T, p *pushService) func(*delivery.Options) {
	key, err := webpush.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return func(o *delivery.Options) {
		o.PushKey, o.PushContact = key, "mailto:ops@example.org"
		o.HTTP.Roots = x509.NewCertPool()
		o.HTTP.Roots.AddCert(p.Certificate())
	}
}

func TestABrowserIsTold(t *testing.T) {
	p := newPushService(t)
	each(t, withPush(t, p), func(t *testing.T, s *stand) {
		before := len(p.got())
		p.status.Store(http.StatusCreated)
		status, key, _ := s.send(anna, "GET", "/push-key", nil)
		if text, _ := key["key"].(string); status != http.StatusOK || len(text) != 87 {
			t.Fatalf("the key: %d %v", status, key)
		}
		browser := webpushtest.NewBrowser(t)
		body := object{"kind": "push", "name": "phone", "subscription": subscriptionOf(browser, p.URL+"/push/"+t.Name())}
		status, c, _ := s.send(anna, "POST", "/channels", body)
		if status != http.StatusCreated || c["endpoint"] != p.URL+"/push/"+t.Name() || c["secret"] != nil {
			t.Fatalf("adding it: %d %v", status, c)
		}
		id := c["id"].(string)
		if status, again, _ := s.send(anna, "POST", "/channels", body); status != http.StatusOK || again["id"] != id {
			t.Errorf("a browser that subscribes again: %d %v", status, again)
		}
		decided := s.decide(1, id)[0]
		s.await(id, "delivered", 1)
		text, err := browser.Read(p.got()[before])
		if err != nil || !strings.Contains(string(text), decided) || !json.Valid(text) {
			t.Errorf("the browser reads %q (%v)", text, err)
		}
		p.status.Store(http.StatusGone)
		s.decide(1, id)
		s.await(id, "dead", 1)
		_, c, _ = s.send(anna, "GET", "/channels/"+id, nil)
		if c["state"] != "ended" {
			t.Errorf("its subscription has ended: %v", c)
		}
		if status, p, _ := s.send(anna, "PATCH", "/channels/"+id, object{"state": "active"}); status != http.StatusConflict || p["type"] != "urn:parkwire:problem:channel-ended" {
			t.Errorf("it is used again: %d %v", status, p)
		}
		p.status.Store(http.StatusCreated)
		if status, again, _ := s.send(anna, "POST", "/channels", body); status != http.StatusOK || again["id"] != id || again["state"] != "active" {
			t.Errorf("a browser that subscribes anew: %d %v", status, again)
		}
	})
}

func TestAMailboxIsToldOnceItsOwnerHasSaidSo(t *testing.T) {
	server, _ := mailtest.New(t, nil)
	sender, err := mail.New(mail.Options{URL: server.URL("smtp", "", "?starttls=never"), From: "parking@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(o *delivery.Options) { o.Mail = sender }, func(t *testing.T, s *stand) {
		before := len(server.Got())
		status, c, _ := s.send(anna, "POST", "/channels", object{"kind": "mail", "address": "anna@Example.net"})
		if status != http.StatusCreated || c["state"] != "unconfirmed" || c["address"] != "anna@example.net" {
			t.Fatalf("adding it: %d %v", status, c)
		}
		id := c["id"].(string)
		s.decide(1, id) // nobody has said that it may be sent
		eventually(t, func() bool { return len(server.Got()) > before })
		code := regexp.MustCompile(`The code is ([2-9A-Z]{8})\.`).FindStringSubmatch(letterOf(t, server.Got()[before].Text))[1]
		if len(s.deliveries(id, "")) != 0 {
			t.Error("a mailbox is told before it was confirmed, or its code is listed")
		}
		if status, p, _ := s.send(anna, "POST", "/channels/"+id+"/test", nil); status != http.StatusConflict || p["type"] != "urn:parkwire:problem:channel-unconfirmed" {
			t.Errorf("a test of it: %d %v", status, p)
		}
		if status, p, _ := s.send(anna, "POST", "/channels/"+id+"/confirm", object{"code": "AAAAAAAA"}); status != http.StatusConflict || p["triesLeft"] != 4.0 {
			t.Errorf("a wrong code: %d %v", status, p)
		}
		status, c, _ = s.send(anna, "POST", "/channels/"+id+"/confirm", object{"code": " " + strings.ToLower(code[:4]) + "-" + code[4:]})
		if status != http.StatusOK || c["state"] != "active" {
			t.Fatalf("the code: %d %v", status, c)
		}
		s.decide(1, id)
		s.await(id, "delivered", 1)
		if text := server.Got()[before+1]; !strings.Contains(text.Text, "Subject: The spot A-1 is free.") || text.To != "RCPT TO:<anna@example.net>" {
			t.Errorf("it is told %v", text)
		}
	})
}

// A push service keeps the newest of a topic alone for a phone that is away.
func TestWhatIsOfOneTopicAloneReplacesWhatWaits(t *testing.T) {
	p := newPushService(t)
	each(t, withPush(t, p), func(t *testing.T, s *stand) {
		before := len(p.got())
		_, c, _ := s.send(anna, "POST", "/channels", object{"kind": "push", "subscription": subscriptionOf(webpushtest.NewBrowser(t), p.URL+"/push/"+t.Name())})
		id := c["id"].(string)
		for i, topic := range []string{"r/a", "r/b", "r/a", ""} {
			s.decideAbout(topic, id)
			s.await(id, "delivered", i+1)
		}
		got := p.topicsOf(before)
		if len(got) != 4 || got[0] == "" || got[0] == got[1] || got[0] != got[2] || got[3] != "" {
			t.Errorf("the messages have the topics %q", got)
		}
	})
}

// A code is in the database for as long as it has to be sent.
func TestCodesAreForgottenWhenTheyWereSent(t *testing.T) {
	server, _ := mailtest.New(t, nil)
	sender, err := mail.New(mail.Options{URL: server.URL("smtp", "", "?starttls=never"), From: "parking@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	left := `select count(*) from alert_deliveries where type = 'channel.confirm' and state in ('delivered', 'dead') and (text <> '' or document <> '')`
	over := `select count(*) from alert_deliveries where type = 'channel.confirm' and state = `
	each(t, func(o *delivery.Options) { o.Mail = sender }, func(t *testing.T, s *stand) {
		s.send(anna, "POST", "/channels", object{"kind": "mail", "address": "anna@example.net"})
		eventually(t, func() bool { return number(t, s.db, over+"'delivered'") == 1 })
		if n := number(t, s.db, left); n != 0 {
			t.Error("a code that was sent is kept")
		}
	})
	sqldbtest.Each(t, sets, func(t *testing.T, open func() *sqldb.DB) { // one that sends nothing
		s := newStand(t, open(), func(o *delivery.Options) { o.Mail = sender })
		_, c, _ := s.send(anna, "POST", "/channels", object{"kind": "mail", "address": "anna@example.net"})
		s.send(anna, "DELETE", "/channels/"+c["id"].(string), nil)
		if dead, n := number(t, s.db, over+"'dead'"), number(t, s.db, left); dead != 1 || n != 0 {
			t.Errorf("%d codes were given up, and %d are kept", dead, n)
		}
	})
}

func letterOf(t *testing.T, text string) string {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestCodesCannotBeGuessedNorMailboxesFilled(t *testing.T) {
	server, _ := mailtest.New(t, nil)
	sender, err := mail.New(mail.Options{URL: server.URL("smtp", "", "?starttls=never"), From: "parking@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(o *delivery.Options) { o.Mail = sender }, func(t *testing.T, s *stand) {
		add := func(address string) (int, object) {
			status, c, _ := s.send(anna, "POST", "/channels", object{"kind": "mail", "address": address})
			return status, c
		}
		_, c := add("anna@example.net")
		id := c["id"].(string)
		for range 5 {
			s.send(anna, "POST", "/channels/"+id+"/confirm", object{"code": "AAAAAAAA"})
		}
		if status, p, _ := s.send(anna, "POST", "/channels/"+id+"/confirm", object{"code": "AAAAAAAA"}); status != http.StatusConflict || p["type"] != "urn:parkwire:problem:code-ended" {
			t.Errorf("a sixth code: %d %v", status, p)
		}
		s.send(anna, "DELETE", "/channels/"+id, nil)
		for range 2 {
			if status, c := add("anna@example.net"); status != http.StatusCreated {
				t.Fatalf("%d %v", status, c)
			}
		}
		if status, p := add("anna@example.net"); status != http.StatusTooManyRequests {
			t.Errorf("a fourth code in a day: %d %v", status, p)
		}
		for i := range 7 {
			if status, c := add("anna" + string(rune('a'+i)) + "@example.net"); status != http.StatusCreated {
				t.Fatalf("%d %v", status, c)
			}
		}
		if status, p := add("other@example.net"); status != http.StatusTooManyRequests {
			t.Errorf("an eleventh code of one subject: %d %v", status, p)
		}
	})
}
