package parking

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/rest"
)

// spotsAnswer returns a page of spots, with the notification cursor to go on from. Every page carries that of
// the first one, so that whoever reads all pages and then connects misses nothing that happened meanwhile.
func (s *Service) spotsAnswer(ctx context.Context, q SpotQuery, at rest.Page) (rest.Answer, error) {
	if at.After == "" {
		var err error
		if at.Note, err = s.cursor(ctx); err != nil {
			return rest.Answer{}, err
		}
	}
	q.After, q.Limit = at.After, at.Limit+1
	spots, err := s.store.Spots(ctx, q)
	if err != nil {
		return rest.Answer{}, err
	}
	l := rest.Listed("spots", at, spots, func(s Spot) string { return s.ID }, viewSpot)
	l.After = at.Note
	return rest.Answer{Status: http.StatusOK, Body: l}, nil
}

// cursor returns the place in the event log up to which the state holds everything: what the relay knows to be
// there was committed before. It must be asked for before the state is read. "" while the log is not known.
func (s *Service) cursor(ctx context.Context) (string, error) {
	topic, known := s.options.Topic()
	if !known {
		return "", nil
	}
	offsets, err := s.store.Positions(ctx, topic)
	if err != nil {
		return "", err
	}
	if len(offsets) == 0 {
		offsets = event.NewOffsets(1) // nothing is in this log yet: its beginning, not "from now on"
	}
	return event.Cursor{Topic: topic, Offsets: offsets}.String(), nil
}

func (s *Service) getSpots(_ http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	q := readQuery(p)
	if q.Lots = p.IDs("lot"); q.Lots == nil {
		q.Lots = by.Who.Lots
	}
	for _, lot := range q.Lots {
		if err := identity.AuthorizeLot(by.Who, lot); err != nil && p.Err() == nil {
			return rest.Answer{}, err
		}
	}
	return s.listSpots(r, p, q, "")
}

// getLotSpots is getSpots for one lot, which must be there.
func (s *Service) getLotSpots(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	q := readQuery(p)
	q.Lots = []string{r.PathValue("lotId")}
	return s.listSpots(r, p, q, q.Lots[0])
}

// listSpots answers a page of the spots that match, or a file of all of them. A lot that is named must be there.
func (s *Service) listSpots(r *http.Request, p *rest.Params, q SpotQuery, lotID string) (rest.Answer, error) {
	file := format(p, r)
	var at rest.Page
	if file == nil { // a file has no pages
		at = p.Page("spots")
	}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	name := "spots"
	if lotID != "" {
		if _, err := s.lot(r.Context(), lotID); err != nil {
			return rest.Answer{}, err
		}
		name += "-" + lotID
	}
	if file != nil {
		return s.export(r.Context(), q, file, name)
	}
	return s.spotsAnswer(r.Context(), q, at)
}

func readQuery(p *rest.Params) SpotQuery {
	return SpotQuery{Zones: p.IDs("zone"), Statuses: statuses(p, "status"), Within: box(p, "bbox"), ChangedSince: p.Time("updated_since")}
}

// box reads west,south,east,north.
func box(p *rest.Params, name string) *Box {
	text, there := p.One(name)
	if !there {
		return nil
	}
	var degrees [4]float64
	parts := strings.Split(text, ",")
	ok := len(parts) == len(degrees)
	for i := range degrees {
		var err error
		if ok {
			degrees[i], err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
			ok = err == nil
		}
	}
	b := Box{West: degrees[0], South: degrees[1], East: degrees[2], North: degrees[3]}
	if !ok || !rest.ValidLon(b.West) || !rest.ValidLon(b.East) || !rest.ValidLat(b.South) || !rest.ValidLat(b.North) || b.South > b.North {
		p.Fail(name, "west,south,east,north in degrees, such as 13.3,52.4,13.5,52.6", strconv.Quote(text))
		return nil
	}
	return &b
}

// statuses reads a repeatable parameter.
func statuses(p *rest.Params, name string) []event.Status {
	var statuses []event.Status
	for _, v := range p.Take(name) {
		s := event.Status(v)
		if s == event.Removed || !slices.Contains(event.Statuses, s) {
			p.Fail(name, wantStatus, strconv.Quote(v))
		}
		if !slices.Contains(statuses, s) {
			statuses = append(statuses, s)
		}
	}
	return statuses
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
