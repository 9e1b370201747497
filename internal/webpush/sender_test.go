package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"go.uber.org/goleak"

	"parkwire/internal/outward"
	"parkwire/internal/webpush/webpushtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pushService is one that takes what RFC 8030 and RFC 8292 ask for, and nothing else.
type pushService struct {
	*httptest.Server
	key    string // that of the server that may send
	got    []*http.Request
	bodies [][]byte
	answer int
}

func newPushService(t *testing.T, key string) *pushService {
	p := &pushService{key: key, answer: http.StatusCreated}
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := p.check(r); err != nil {
			t.Errorf("the push service refuses: %v", err)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		p.got, p.bodies = append(p.got, r), append(p.bodies, body)
		w.WriteHeader(p.answer)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pushService) check(r *http.Request) error {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "vapid t=")
	text, public, both := strings.Cut(rest, ", k=")
	if !ok || !both || public != p.key {
		return fmt.Errorf("authorization %q", r.Header.Get("Authorization"))
	}
	point, err := base64.RawURLEncoding.DecodeString(public)
	if err != nil {
		return err
	}
	verify, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return err
	}
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return verify, nil },
		jwt.WithValidMethods([]string{"ES256"}), jwt.WithAudience(p.URL), jwt.WithExpirationRequired())
	if err != nil {
		return err
	}
	if expires, _ := claims.GetExpirationTime(); time.Until(expires.Time) > 24*time.Hour {
		return errors.New("the token holds for more than a day")
	}
	if sub, _ := claims.GetSubject(); sub != "mailto:ops@example.org" {
		return fmt.Errorf("the contact is %q", sub)
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("TTL") == "" || len(r.Header.Get("Topic")) > 32 {
		return fmt.Errorf("%s with %v", r.Method, r.Header)
	}
	return nil
}

func newSender(t *testing.T, roots *x509.CertPool) *Sender {
	t.Helper()
	key, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	client := outward.NewClient(outward.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Roots: roots})
	t.Cleanup(client.Close)
	s, err := New(Options{Key: key, Contact: "mailto:ops@example.org", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAPushServiceTakesMessagesThatABrowserReads(t *testing.T) {
	roots := x509.NewCertPool()
	s := newSender(t, roots)
	service := newPushService(t, s.PublicKey())
	roots.AddCert(service.Certificate())
	browser := webpushtest.NewBrowser(t)
	keys := keysOf(t, browser)
	to := Subscription{Endpoint: service.URL + "/push/abc", Keys: keys}
	for i, m := range []Message{
		{Text: []byte(`{"text":"The spot is free."}`), TTL: time.Hour, Urgent: true, Topic: "rule-1"},
		{Text: []byte("{}"), TTL: time.Minute},
	} {
		answer, err := s.Send(t.Context(), to, m)
		if err != nil || !answer.OK() {
			t.Fatalf("message %d: %v %v", i, answer, err)
		}
		if got, err := browser.Read(service.bodies[i]); err != nil || string(got) != string(m.Text) {
			t.Errorf("message %d comes as %q (%v)", i, got, err)
		}
	}
	first, second := service.got[0].Header, service.got[1].Header
	if first.Get("TTL") != "3600" || first.Get("Urgency") != "high" || len(first.Get("Topic")) != 32 || strings.Contains(first.Get("Topic"), "rule") {
		t.Errorf("the first has the headers %v", first)
	}
	if second.Get("TTL") != "60" || second.Get("Urgency") != "normal" || second.Get("Topic") != "" {
		t.Errorf("the second has the headers %v", second)
	}
	if first.Get("Authorization") != second.Get("Authorization") {
		t.Error("each message has a token of its own, though the one before holds for hours")
	}
	service.answer = http.StatusGone
	if answer, err := s.Send(t.Context(), to, Message{}); err != nil || answer.Status != http.StatusGone {
		t.Errorf("a subscription that has ended: %v %v", answer, err)
	}
}

func TestTokensAreMadeAgainInTime(t *testing.T) {
	s := newSender(t, nil)
	now := time.Now()
	s.options.Now = func() time.Time { return now }
	tokenNow := func(endpoint string) string {
		text, err := s.authorization(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := tokenNow("https://push.example.org/a")
	if tokenNow("https://push.example.org/b") != first || tokenNow("https://push.example.com/a") == first {
		t.Error("a token is for a push service, and for one alone")
	}
	now = now.Add(tokenAge - tokenRenew + time.Second)
	if tokenNow("https://push.example.org/a") == first {
		t.Error("a token that ends soon is used again")
	}
}

func TestTheKeyIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vapid.key")
	if _, err := LoadKey(path, false); err == nil {
		t.Error("a key that is not there is read")
	}
	first, err := LoadKey(path, true)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadKey(path, false)
	if err != nil || again.Public() != first.Public() {
		t.Errorf("another key is read: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is for others too: %v %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files are left: %v", files)
	}
}

func TestKeysOfOpenSSLAreRead(t *testing.T) {
	for name, text := range map[string]string{
		"SEC 1": "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIER4r9+0D0mH7VbWoBKvl7Kpy7VSQ9hQlbd0KjAsRd3roAoGCCqGSM49\n" +
			"AwEHoUQDQgAEGXyvWX1jFhD2LrQ9Zffqh/OZwBxbH8Q94kiZAddfBHIN+7cfUcgK\ng+ZEY0QZ987TLltSjBGn1zDZLPaEGdnG4Q==\n-----END EC PRIVATE KEY-----\n",
	} {
		if key, err := parseKey([]byte(text)); err != nil || !strings.HasPrefix(key.Public(), "BBl8r1l9YxYQ9i60PWX36ofzmcAcWx") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{"nothing": "", "no PEM": "abc", "no key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := parseKey([]byte(text)); err == nil {
			t.Errorf("%s is taken for a key", name)
		}
	}
}

func TestPushServicesGetAContact(t *testing.T) {
	for _, good := range []string{"mailto:ops@example.org", "https://example.org/contact"} {
		if wrong := CheckContact(good); wrong != "" {
			t.Errorf("%s: %s", good, wrong)
		}
	}
	for _, bad := range []string{"", "ops@example.org", "mailto:", "mailto:Ops <ops@example.org>", "http://example.org", "https://"} {
		if CheckContact(bad) == "" {
			t.Errorf("%q is taken", bad)
		}
	}
}
