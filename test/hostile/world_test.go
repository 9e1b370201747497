package hostile

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// A world is a platform under attack.
type world struct {
	t       *testing.T // the attack that is under way
	stack   *stack.Stack
	edge    bool // NGINX stands in front
	key     []byte
	secrets []string // what must not be logged
	cursor  string   // behind the last event that was not caused by an attack
	last    string   // the state, as it is to stay
	admin   stack.API

	provider      *provider
	kept, revoked apiKey
}

type apiKey struct{ ID, Secret string }

const (
	audience   = "hostile" // of the tokens that are taken
	goodOrigin = "https://signs.example.org"
	hidden     = "hunter2-in-a-body" // a secret that clients send in bodies
)

// settings of all processes. Reading needs a token too, so that every route can be broken into; the log says all it can.
func settings(key string, p *provider) []string {
	return []string{
		"PARKWIRE_OIDC_ISSUER=" + p.issuer, "PARKWIRE_OIDC_AUDIENCE=" + api,
		"PARKWIRE_JWT_KEY=" + key, "PARKWIRE_JWT_AUDIENCE=" + audience, "PARKWIRE_READ_PUBLIC=false", "PARKWIRE_LOG_LEVEL=debug",
		"PARKWIRE_CORS_ORIGINS=" + goodOrigin, "PARKWIRE_WEBSOCKET_ORIGINS=" + goodOrigin, "PARKWIRE_LIVE_COMPRESSION=true", "PARKWIRE_RATE_LIMIT=0",
	}
}

func embedded(t *testing.T) *world {
	stack.WantEmbedded(t)
	key, p := rand.Text()+rand.Text(), newProvider(t)
	s := stack.Prepare(t)
	s.One.Settings = settings(key, p)
	s.One.Restart(t)
	return begin(t, s, key, p)
}

func distributed(t *testing.T) *world {
	key, p := rand.Text()+rand.Text(), newProvider(t)
	s := stack.Assemble(t, stack.RealServers(t), stack.Layout{Gateways: 2, Parking: 2, Live: 2, History: 1, Audit: 1, Alerts: 1, Env: func(string) []string { return settings(key, p) }})
	s.StartAll(t)
	s.WaitAllReady(t)
	s.StartEdge(t)
	return begin(t, s, key, p)
}

// begin fills the platform with what attacks are aimed at.
func begin(t *testing.T, s *stack.Stack, key string, p *provider) *world {
	w := &world{t: t, stack: s, provider: p, key: []byte(key), edge: s.Edge != nil, secrets: []string{key, hidden}}
	w.admin = s.API
	w.admin.Token = w.sign(forgery{claims: `{"sub":"owner","scope":"admin"}`})
	type body = map[string]any
	for lot, spots := range map[string][]body{
		"central": {{"spotId": "A-1", "zoneId": "central-L1"}, {"spotId": "A-2", "status": "closed"}, {"spotId": "A-3", "status": "occupied"}, {"spotId": "A-4"}},
		"north":   {{"spotId": "N-1"}},
	} {
		w.admin.Do(t, 201, "POST", "/api/v1/lots", body{"id": lot, "name": lot}, nil)
		w.admin.Do(t, 201, "POST", "/api/v1/lots/"+lot+"/zones", body{"id": lot + "-L1", "name": "Level 1"}, nil)
		w.admin.Do(t, 201, "POST", "/api/v1/lots/"+lot+"/spots", spots, nil)
	}
	w.admin.Do(t, 200, "PUT", "/api/v1/spots/A-4/reservation", body{"reference": "order-1"}, nil)
	for sensor, of := range map[string]body{
		bosch: {"model": "bosch-tps110", "spotId": "A-1"}, nwave: {"model": "nwave-nps405"}, decoded: {"model": "decoded", "spotId": "A-3"},
	} {
		of["id"] = sensor
		w.admin.Do(t, 201, "POST", "/api/v1/sensors", of, nil)
	}
	for name, to := range map[string]*apiKey{"kept": &w.kept, "revoked": &w.revoked} {
		w.admin.Do(t, 201, "POST", "/api/v1/keys", body{"name": name, "scopes": []string{"ingest"}}, to)
		w.secrets = append(w.secrets, to.Secret)
	}
	w.admin.Do(t, 204, "DELETE", "/api/v1/keys/"+w.revoked.ID, nil, nil)
	for _, of := range []body{{"tokenId": "stolen"}, {"subject": "leaver"}} {
		w.admin.Do(t, 201, "POST", "/api/v1/revocations", of, nil)
	}
	w.awaitRevocations(t)
	w.awaitEvents(t, 6)
	w.last = w.state()
	return w
}

// awaitRevocations waits until each process that clients reach knows the newest revocation, and until each gateway knows both keys.
func (w *world) awaitRevocations(t *testing.T) {
	t.Helper()
	leaver := w.sign(forgery{claims: `{"sub":"leaver","iat":"-1h"}`})
	addresses := append([]*stack.Node{w.stack.One}, append(w.stack.Gateways, w.stack.Live...)...)
	for _, n := range addresses {
		for began := time.Now(); n != nil; time.Sleep(20 * time.Millisecond) {
			r, err := http.NewRequest("HEAD", n.URL+"/notifications", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", "text/event-stream")
			r.Header.Set("Authorization", "Bearer "+leaver)
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode == http.StatusUnauthorized {
				break
			}
			if time.Since(began) > time.Minute {
				t.Fatalf("%s does not know of a revocation", n.Name)
			}
		}
	}
}

// The sensors of the world: on the spot A-1, on none, and on A-3.
const bosch, nwave, decoded = "0004a30b001c0530", "0004a30b001c0531", "0004a30b001c0532"

type events struct {
	Events []json.RawMessage
	Cursor string
}

// awaitEvents waits until everything that was done so far can be read from the log.
func (w *world) awaitEvents(t *testing.T, want int) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var page events
		w.admin.Do(t, 200, "GET", "/api/v1/events", nil, &page)
		if w.cursor = page.Cursor; len(page.Events) == want {
			return
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%d events came instead of %d", len(page.Events), want)
		}
	}
}

// heard is when a sensor sent something, and how well it was heard, which may be known of one that says nonsense; and how far the event
// log is known to hold everything.
var heard = regexp.MustCompile(`,"(lastSeenAt|rssi|snr|after)":("[^"]*"|[0-9.-]+)`)

// state is everything that an attack could change, as text.
func (w *world) state() string {
	w.t.Helper()
	var all strings.Builder
	for _, path := range []string{"lots", "lots/central/zones", "lots/north/zones", "spots", "sensors", "spots/A-1/history", "spots/A-3/history", "keys", "revocations"} {
		all.Write(heard.ReplaceAll(w.admin.Do(w.t, 200, "GET", "/api/v1/"+path, nil, nil).Body, nil))
	}
	var page events
	w.admin.Do(w.t, 200, "GET", "/api/v1/events?after="+w.cursor, nil, &page)
	for _, e := range page.Events {
		fmt.Fprintf(&all, "event %s\n", e)
	}
	return all.String()
}

func (w *world) nodes() []*stack.Node {
	if w.stack.One != nil {
		return []*stack.Node{w.stack.One}
	}
	return append(w.stack.Nodes(), w.stack.Edge)
}

// lives checks that no process ended and that all can serve.
func (w *world) lives(t *testing.T) {
	t.Helper()
	for _, n := range w.nodes() {
		select {
		case <-n.Exited():
			t.Fatalf("%s ended", n.Name)
		default:
		}
		if status, reason := n.Readiness(); status != 200 {
			t.Errorf("%s is not ready any more: %d %s", n.Name, status, reason)
		}
	}
}

// logsAreClean checks that what an attack sent is in no log, and that none was taken for a failure of the platform.
func (w *world) logsAreClean(t *testing.T) {
	t.Helper()
	for _, n := range w.nodes() {
		for line := range strings.Lines(n.Output()) {
			for _, secret := range w.secrets {
				if strings.Contains(line, secret) {
					t.Errorf("a secret stands in the log of %s: %s", n.Name, line)
				}
			}
			if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
				t.Errorf("an attack made %s fail: %s", n.Name, line)
			}
		}
	}
}
