package feeds

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"parkwire/internal/rest"
)

// maxWait is how long a sign may wait for a change. A gateway waits 30 s for an answer to begin.
const maxWait = 25

// signView is what a sign shows. Times are Unix seconds: a microcontroller needs no calendar to compare them.
type signView struct {
	Free    int   `json:"free"`
	Total   int   `json:"total"`
	Unknown int   `json:"unknown"` // of which nobody knows; none of them is among the free ones
	AsOf    int64 `json:"asOf"`    // when something changed last; 0: nothing is known
	Stale   bool  `json:"stale"`
}

// text is the same in a line: free, total, since when, and "fresh" or "stale".
func (v signView) text() []byte {
	word := "fresh"
	if v.Stale {
		word = "stale"
	}
	return fmt.Appendf(nil, "%d %d %d %s\n", v.Free, v.Total, v.AsOf, word)
}

const (
	kindText = "text/plain; charset=utf-8"
	kindJSON = "application/json"
)

func (s *Service) lotSign(_ http.ResponseWriter, r *request) (*document, error) {
	return s.sign(r, r.PathValue("lotId"), "")
}

func (s *Service) zoneSign(_ http.ResponseWriter, r *request) (*document, error) {
	return s.sign(r, r.PathValue("lotId"), r.PathValue("zoneId"))
}

// sign answers with the counts of a lot or zone. With wait, a client that has the newest is answered when there is something newer, or when the time
// is over.
func (s *Service) sign(r *request, lotID, zoneID string) (*document, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	category := choice(p, "category", categories...)
	format := choice(p, "format", "text", "json")
	wait := p.Number("wait", 0, 0, maxWait)
	if err := p.End(); err != nil {
		return nil, err
	}
	kind := map[string]string{"text": kindText, "json": kindJSON}[format]
	if kind == "" {
		if kind = accepts(r, kindJSON, kindText); kind == "" {
			return nil, notAcceptable(kindJSON, "text/plain")
		}
	}
	newest := func() (*document, error) { return s.signDocument(r.Context(), lotID, zoneID, category, kind) }
	d, err := newest()
	if err != nil || wait == 0 || !d.has(r.Request) || r.Header.Get("If-None-Match") == "*" || !s.enter() { // "*" is every version: there is none to wait for
		return d, err
	}
	defer s.leave()
	until := time.After(time.Duration(wait) * time.Second)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-s.drained:
			return d, nil
		case <-until:
			return d, nil
		case <-look.C:
			if d, err = newest(); err != nil || !d.has(r.Request) {
				return d, err
			}
		}
	}
}

// enter takes a place among those who wait, where there is one.
func (s *Service) enter() bool {
	select {
	case <-s.drained:
		return false
	default:
	}
	select {
	case s.waiting <- struct{}{}:
		s.metrics.waiting.Inc()
		return true
	default:
		return false
	}
}

func (s *Service) leave() {
	s.metrics.waiting.Dec()
	<-s.waiting
}

func (s *Service) signDocument(ctx context.Context, lotID, zoneID, category, kind string) (*document, error) {
	state, err := s.present.get(ctx)
	if err != nil {
		return nil, err
	}
	l, err := state.lot(lotID)
	if err != nil {
		return nil, err
	}
	if zoneID != "" {
		if _, ok := l.zone(zoneID); !ok {
			return nil, zoneNotFound(lotID, zoneID)
		}
	}
	stale := s.stale()
	key := strings.Join([]string{"sign", lotID, zoneID, category, kind}, "\n")
	return s.document(ctx, key, fmt.Sprintf("%s.%t", state.version, stale), func(context.Context) (content, error) {
		counted, changed := l.count(func(s spot) bool {
			return (zoneID == "" || s.ZoneID == zoneID) && (category == "" || s.category == category)
		})
		v := signView{Free: counted.free, Total: counted.total, Unknown: counted.unknown, Stale: stale}
		if !changed.IsZero() {
			v.AsOf = changed.Unix()
		}
		if kind == kindText {
			return content{kind: kind, body: v.text()}, nil
		}
		body, err := json.Marshal(v)
		return content{kind: kind, body: append(body, '\n')}, err
	})
}

// categories are whom spots may be for.
var categories = []string{"standard", "accessible", "electric", "family", "motorcycle", "short_stay"}
