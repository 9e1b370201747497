// Package feeds publishes what the history service knows in forms that others have agreed on, read-only: FIWARE's smart data models as
// NGSI-LD, the Curb Data Specification, ParkAPI, and one of our own that is small enough for a sign on a street. docs/feeds.md says what each
// says, and what it cannot say and leaves out. A spot of which nobody knows what it is is never called free.
package feeds

import (
	"cmp"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/sqldb"
)

// Prefix is what every path of the feeds stands behind.
const Prefix = "/feeds"

// Options configure a [Service]. DB is required.
type Options struct {
	// DB is the history service's database; feeds only read it.
	DB *sqldb.DB
	// Until is up to when everything that happened is in the database; nil: the present, always. What is older than 15 s is called stale.
	Until func() time.Time
	// OnStreet are the ids of the lots that lie on a street. Forms that must say which is which call all others off street.
	OnStreet []string

	Now        func() time.Time      // nil: time.Now
	Logger     *slog.Logger          // nil: slog.Default()
	Registerer prometheus.Registerer // nil: metrics are not registered
}

// staleAfter is how old what is known may be.
const staleAfter = 15 * time.Second

// Service serves the feeds.
type Service struct {
	options  Options
	onStreet map[string]bool
	present  *present
	cache    *cache
	waiting  chan struct{} // a place for each request that waits for a change
	drained  chan struct{} // closed by Drain
	drain    func()
	metrics  *metrics
}

// maxWaiting bounds how many requests wait for a change at once.
const maxWaiting = 2000

// New returns a service. It does no I/O and needs nothing to be stopped.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Until == nil {
		o.Until = o.Now
	}
	o.Logger = cmp.Or(o.Logger, slog.Default())
	s := &Service{
		options: o, onStreet: map[string]bool{}, waiting: make(chan struct{}, maxWaiting), drained: make(chan struct{}),
		metrics: newMetrics(o.Registerer),
	}
	for _, id := range o.OnStreet {
		s.onStreet[id] = true
	}
	s.present = newPresent(o.DB, o.Now, s.metrics)
	s.cache = newCache(o.Now, s.metrics)
	s.drain = sync.OnceFunc(func() { close(s.drained) })
	return s
}

// Drain answers those who wait for a change, as it stands, and from now on lets nobody wait.
func (s *Service) Drain() { s.drain() }

// routes are all paths, behind [Prefix].
func (s *Service) routes() map[string]endpoint {
	return map[string]endpoint{
		"/signs/lots/{lotId}":                  {feed: "signs", serve: s.lotSign},
		"/signs/lots/{lotId}/zones/{zoneId}":   {feed: "signs", serve: s.zoneSign},
		"/ngsi-ld/v1/entities":                 {feed: "ngsi-ld", serve: s.entities},
		"/ngsi-ld/v1/entities/{entityId}":      {feed: "ngsi-ld", serve: s.entity},
		"/parkapi/v3/parking-sites":            {feed: "parkapi", serve: s.parkingSites},
		"/parkapi/v3/parking-spots":            {feed: "parkapi", serve: s.parkingSpots},
		"/cds/lots/{lotId}/events/events":      {feed: "cds", serve: s.curbEvents, fail: curbError},
		"/cds/lots/{lotId}/events/status":      {feed: "cds", serve: s.curbStatus, fail: curbError},
		"/cds/lots/{lotId}/metrics/sessions":   {feed: "cds", serve: s.curbSessions, fail: curbError},
		"/cds/lots/{lotId}/metrics/aggregates": {feed: "cds", serve: s.curbAggregates, fail: curbError},
	}
}

// Paths lists what is served, as in [http.ServeMux], for whoever describes or routes it.
func (s *Service) Paths() []string {
	var paths []string
	for path := range s.routes() {
		paths = append(paths, Prefix+path)
	}
	slices.Sort(paths)
	return paths
}

// Handler serves everything under [Prefix]. It trusts the headers by which a gateway says who makes a request, and leaves it to the gateway
// who may read at all; of lots it serves those alone that the token reaches. Requests have their ids already.
func (s *Service) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, e := range s.routes() {
		mux.Handle("GET "+Prefix+path, s.handle(e))
		mux.Handle(Prefix+path, s.handle(endpoint{feed: e.feed, fail: e.fail, serve: refuseMethod}))
	}
	mux.Handle("/", s.handle(endpoint{feed: "none", serve: notFound}))
	return mux
}

// stale reports whether what is known is too old to be relied on.
func (s *Service) stale() bool { return s.options.Now().Sub(s.options.Until()) > staleAfter }

// words splits a list of words that a parameter holds.
func words(text string) []string {
	var all []string
	for word := range strings.SplitSeq(text, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}
