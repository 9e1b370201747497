package feeds

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// endpoint serves one path.
type endpoint struct {
	feed  string // names it in metrics
	serve func(w http.ResponseWriter, r *request) (*document, error)
	fail  func(problem.Problem) problem.Problem // what the form wants errors to have beside; nil: nothing
}

// request is one, of somebody who may read.
type request struct {
	*http.Request
	who identity.Principal
}

// maxAge is for how long an answer may be taken for the newest, by browsers and whatever stands in between.
const maxAge = 2 * time.Second

func (s *Service) handle(e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := identity.Behind{}.Authenticate(r)
		if err != nil {
			err = identity.Refused(err)
		}
		for _, name := range []string{"lotId", "zoneId"} {
			if id := r.PathValue(name); err == nil && id != "" && !rest.ValidID(id) {
				err = rest.RouteNotFound(r.URL.Path)
			}
		}
		if id := r.PathValue("lotId"); err == nil && id != "" {
			err = identity.AuthorizeLot(who, id)
		}
		var d *document
		if err == nil {
			d, err = e.serve(w, &request{r, who})
		}
		if err != nil {
			s.metrics.requests.WithLabelValues(e.feed, "refused").Inc()
			s.fail(w, r, e, err)
			return
		}
		s.metrics.requests.WithLabelValues(e.feed, s.write(w, r, who, d)).Inc()
	})
}

// write answers with a document, or says that the client has it already; it returns which.
func (s *Service) write(w http.ResponseWriter, r *http.Request, who identity.Principal, d *document) string {
	h := w.Header()
	for name, values := range d.header {
		h[name] = values
	}
	scope := "public"
	if !who.Anonymous() {
		scope = "private"
	}
	h.Set("Cache-Control", fmt.Sprintf("%s, max-age=%d", scope, int(maxAge.Seconds())))
	h.Set("Vary", "Accept, Accept-Encoding, Authorization")
	h.Set("X-Content-Type-Options", "nosniff")
	body, etag := d.body, d.etag
	if zipped := d.gzipped(); zipped != nil && rest.TakesGzip(r) {
		body, etag = zipped, d.gzipTag()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	modified, known := d.lastModified(s.options.Now())
	if known {
		h.Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	}
	if d.held(r, modified, known) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return "not modified"
	}
	h.Set("Content-Type", d.kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that is gone needs no answer
	}
	return "sent"
}

func (s *Service) fail(w http.ResponseWriter, r *http.Request, e endpoint, err error) {
	p, internal := rest.ProblemOf(err, sqldb.ErrUnavailable)
	if internal {
		s.options.Logger.Error("a request failed", "method", r.Method, "path", r.URL.Path, "request", problem.RequestID(r.Context()), "error", err)
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	if e.fail != nil {
		p = e.fail(p)
	}
	identity.Challenge(w.Header(), p)
	problem.Write(w, r, p)
}

func refuseMethod(w http.ResponseWriter, r *request) (*document, error) {
	allowed := []string{"GET", "HEAD"}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	return nil, rest.MethodNotAllowed(r.Method, r.URL.Path, allowed)
}

func notFound(_ http.ResponseWriter, r *request) (*document, error) {
	return nil, rest.RouteNotFound(r.URL.Path)
}

func lotNotFound(id string) problem.Problem {
	return problem.New(http.StatusNotFound, "lot-not-found", fmt.Sprintf("There is no lot %q.", id))
}

func zoneNotFound(lotID, id string) problem.Problem {
	return problem.New(http.StatusNotFound, "zone-not-found", fmt.Sprintf("The lot %q has no zone %q.", lotID, id))
}

func notAcceptable(offers ...string) problem.Problem {
	return problem.New(http.StatusNotAcceptable, "not-acceptable",
		fmt.Sprintf("What the header Accept asks for is not there. There is %s.", strings.Join(offers, " and ")))
}

// accepts returns the first of the kinds, which may have parameters, that the client takes; "" where it takes none.
func accepts(r *request, kinds ...string) string {
	asked := strings.Join(r.Header.Values("Accept"), ",")
	if strings.TrimSpace(asked) == "" {
		return kinds[0]
	}
	best, most := "", 0.0
	for _, kind := range kinds {
		if weight := rated(asked, kind); weight > most {
			best, most = kind, weight
		}
	}
	return best
}

// rated is how much the header Accept likes a kind; 0: not at all. What it says most precisely holds.
func rated(asked, kind string) float64 {
	bare, _, _ := strings.Cut(kind, ";")
	main, _, _ := strings.Cut(bare, "/")
	weight, precise := 0.0, -1
	for one := range strings.SplitSeq(asked, ",") {
		name, q := media(one)
		level := -1
		switch {
		case name == strings.ToLower(strings.ReplaceAll(kind, " ", "")):
			level = 3
		case name == bare:
			level = 2
		case name == main+"/*":
			level = 1
		case name == "*/*":
			level = 0
		}
		if level > precise {
			weight, precise = q, level
		}
	}
	return weight
}

// media splits one element of Accept into the media type with its own parameters, and its weight.
func media(one string) (name string, weight float64) {
	weight = 1
	var kept []string
	for part := range strings.SplitSeq(one, ";") {
		part = strings.ToLower(strings.TrimSpace(part))
		if q, ok := strings.CutPrefix(part, "q="); ok {
			if parsed, err := strconv.ParseFloat(q, 64); err == nil {
				weight = parsed
			}
			continue
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, ";"), weight
}

// document returns the newest version of a document, of which key says all that distinguishes it from others but the version: what version
// names does not change the bytes.
func (s *Service) document(ctx context.Context, key, version string, build func(context.Context) (content, error)) (*document, error) {
	return s.cache.get(ctx, key, version, build)
}
