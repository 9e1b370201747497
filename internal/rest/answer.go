package rest

import (
	"cmp"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"

	"parkwire/internal/problem"
)

// Answer is what an endpoint has to say when nothing is wrong.
type Answer struct {
	Status   int    // 0: 200
	Location string // header Location, where something was made
	ETag     string // header ETag, with its quotes
	Cache    string // header Cache-Control; "": no-cache
	Body     any    // becomes JSON; nil: none
	Once     any    // is answered in its place, and not kept for who repeats the request
	Replayed bool   // it was given before, to a request under the same key

	Text   []byte                // a body of another kind, in the place of the one above
	Stream func(io.Writer) error // writes a body of another kind, however long, in the place of both
	Kind   string                // media type of Text or Stream
	File   string                // the name under which that may be kept; "": it is only looked at
}

// headerReplayed says that an answer was given before.
const headerReplayed = "Idempotent-Replayed"

// Encode returns the body in JSON; nil where there is none.
func (a Answer) Encode() ([]byte, error) {
	if a.Body == nil {
		return nil, nil
	}
	return json.Marshal(a.Body)
}

// write answers. Where the answer cannot be encoded nothing was written.
func (a Answer) write(w http.ResponseWriter, r *http.Request) error {
	if a.Once != nil {
		a.Body = a.Once
	}
	body, err := a.Text, error(nil)
	if body == nil {
		if body, err = a.Encode(); err != nil {
			return err
		}
		a.Kind = ""
	}
	h := w.Header()
	a.head(h)
	if body == nil {
		w.WriteHeader(a.status())
		return nil
	}
	if a.Kind == "" {
		h.Set("Content-Type", TypeJSON)
		body = append(body, '\n')
	}
	if isZipped(h, r, a.status(), len(body)) {
		zip(w, a.status(), body)
		return nil
	}
	w.WriteHeader(a.status())
	_, _ = w.Write(body) // a client that is gone needs no answer
	return nil
}

// head writes what stands above the body.
func (a Answer) head(h http.Header) {
	h.Set("Cache-Control", cmp.Or(a.Cache, "no-cache"))
	if a.Location != "" {
		h.Set("Location", a.Location)
	}
	if a.ETag != "" {
		h.Set("ETag", a.ETag)
	}
	if a.Replayed {
		h.Set(headerReplayed, "true")
	}
	if a.Kind == "" {
		return
	}
	h.Set("Vary", "Accept")
	h.Set("Content-Type", a.Kind)
	if a.File != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.File}))
	}
}

func (a Answer) status() int { return cmp.Or(a.Status, http.StatusOK) }

// stream writes an answer that is not held in memory. Where that fails in the middle the connection is cut off, so that half
// an answer is not taken for a whole one.
func (s server) stream(w http.ResponseWriter, r *http.Request, a Answer) {
	a.head(w.Header())
	w.WriteHeader(a.status())
	if r.Method == http.MethodHead {
		return
	}
	if err := a.Stream(w); err != nil {
		if r.Context().Err() == nil {
			s.logger.Warn("an answer broke off", "path", r.URL.Path, "request", problem.RequestID(r.Context()), "error", err)
		}
		panic(http.ErrAbortHandler)
	}
}

// NotModified is what is answered to who has the newest already, see [IfNoneMatch].
func NotModified(etag, cache string) Answer {
	return Answer{Status: http.StatusNotModified, ETag: etag, Cache: cache}
}

// An Offer is a way to write an answer.
type Offer struct {
	Name  string   // value of the parameter format
	Kinds []string // media types by which the header Accept asks for it
}

// Format returns the name of the offer that is asked for: by the parameter format, or by the header Accept; the first where neither says.
func (p *Params) Format(r *http.Request, offers ...Offer) string {
	names := make([]string, len(offers))
	for i, offer := range offers {
		names[i] = offer.Name
	}
	if _, there := p.values["format"]; there {
		return p.Choice("format", names...)
	}
	p.known = append(p.known, "format")
	best, most := names[0], 0.0
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, params, err := mime.ParseMediaType(one)
		if err != nil {
			continue
		}
		if name, likes := offered(kind, offers), weight(params); name != "" && likes > most {
			best, most = name, likes
		}
	}
	return best
}

func offered(kind string, offers []Offer) string {
	for _, offer := range offers {
		for _, its := range offer.Kinds {
			if its == kind {
				return offer.Name
			}
		}
	}
	return ""
}
