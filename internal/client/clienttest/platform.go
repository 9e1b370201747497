// Package clienttest has a platform for the tests of what uses one: it keeps state by the rules of the real
// one, as far as the tools rely on them.
package clienttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"parkwire/internal/client"
	"parkwire/internal/problem"
)

// Token is the one that may write.
const Token = "the-token"

// Event is a change that clients would hear of.
type Event struct {
	SpotID, Change, Status string
	ObservedAt             time.Time
}

// Platform is a fake platform.
type Platform struct {
	// Refuse, unless nil, is asked first: a problem that is not nil is the answer.
	Refuse func(r *http.Request) *problem.Problem
	// Swallow, unless nil, is asked last: whether the answer is lost after the request was done.
	Swallow func(r *http.Request) bool

	mux *http.ServeMux

	mu       sync.Mutex
	lots     map[string]client.Lot
	zones    map[string]bool
	spots    map[string]*spot
	events   []Event
	requests []string // "METHOD path"
	outcome  client.Outcome
}

type spot struct {
	lot             string
	status          string
	closed, faulted bool
	reference       string
	last            time.Time
}

// New makes an empty platform.
func New() *Platform {
	p := &Platform{mux: http.NewServeMux(), lots: map[string]client.Lot{}, zones: map[string]bool{}, spots: map[string]*spot{}}
	p.mux.HandleFunc("GET /api/v1/lots/{lot}", p.getLot)
	p.mux.HandleFunc("POST /api/v1/lots", p.postLot)
	p.mux.HandleFunc("POST /api/v1/lots/{lot}/zones", p.postZone)
	p.mux.HandleFunc("GET /api/v1/lots/{lot}/spots", p.getSpots)
	p.mux.HandleFunc("POST /api/v1/lots/{lot}/spots", p.postSpots)
	p.mux.HandleFunc("GET /api/v1/spots/{spot}", p.getSpot)
	p.mux.HandleFunc("POST /api/v1/spots/{spot}/{action}", p.act)
	p.mux.HandleFunc("PUT /api/v1/spots/{spot}/reservation", p.reserve)
	p.mux.HandleFunc("DELETE /api/v1/spots/{spot}/reservation", p.reserve)
	p.mux.HandleFunc("POST /api/v1/observations", p.observe)
	return p
}

// Client makes a client whose requests reach the platform without a network, and so also under
// testing/synctest.
func (p *Platform) Client(o client.Options) *client.Client {
	o.URL, o.Transport = "http://platform.test", p
	if o.Token == "" {
		o.Token = Token
	}
	c, err := client.New(o)
	if err != nil {
		panic(err) // the address above is one
	}
	return c
}

// RoundTrip implements [http.RoundTripper].
func (p *Platform) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := httptest.NewRecorder()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	p.ServeHTTP(answer, r)
	if p.Swallow != nil && p.Swallow(r) {
		return nil, fmt.Errorf("the connection was reset")
	}
	return answer.Result(), nil
}

func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r.Method+" "+r.URL.Path)
	if p.Refuse != nil {
		if refusal := p.Refuse(r); refusal != nil {
			if wait, ok := refusal.Extras["retryAfter"].(string); ok {
				w.Header().Set("Retry-After", wait)
			}
			answer(w, refusal.Status, refusal)
			return
		}
	}
	if r.Method != http.MethodGet && r.Header.Get("Authorization") != "Bearer "+Token {
		refuse(w, 401, "The token is not by this platform's key.")
		return
	}
	p.mux.ServeHTTP(w, r)
}

// Events are the changes so far.
func (p *Platform) Events() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.events)
}

// Requests are those so far whose "METHOD path" begins with prefix.
func (p *Platform) Requests(prefix string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.requests), func(r string) bool { return !strings.HasPrefix(r, prefix) })
}

// Outcome counts what became of all readings.
func (p *Platform) Outcome() client.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outcome
}

// Lots are the ids of the lots and how many spots each has.
func (p *Platform) Lots() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := map[string]int{}
	for id := range p.lots {
		n[id] = 0
	}
	for _, s := range p.spots {
		n[s.lot]++
	}
	return n
}

// LastObserved is when each spot was observed last.
func (p *Platform) LastObserved() map[string]time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := map[string]time.Time{}
	for id, s := range p.spots {
		last[id] = s.last
	}
	return last
}

func answer(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a recorder takes everything
}

func refuse(w http.ResponseWriter, status int, detail string) {
	answer(w, status, problem.New(status, "refused", detail))
}
