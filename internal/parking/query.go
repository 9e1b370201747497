package parking

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/identity"
)

// spotsAnswer returns a page of spots, with the notification cursor to go on from. Every page carries that of
// the first one, so that whoever reads all pages and then connects misses nothing that happened meanwhile.
func (s *Service) spotsAnswer(ctx context.Context, q SpotQuery, at page) (answer, error) {
	if at.after == "" {
		var err error
		if at.note, err = s.cursor(ctx); err != nil {
			return answer{}, err
		}
	}
	q.After, q.Limit = at.after, at.limit+1
	spots, err := s.store.Spots(ctx, q)
	if err != nil {
		return answer{}, err
	}
	l := listed("spots", at, spots, func(s Spot) string { return s.ID }, viewSpot)
	l.After = at.note
	return answer{status: http.StatusOK, body: l}, nil
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

func (s *Service) getSpots(_ http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	p := parseParams(r.URL.RawQuery)
	q := readQuery(p)
	if q.Lots = p.ids("lot"); q.Lots == nil {
		q.Lots = by.who.Lots
	}
	for _, lot := range q.Lots {
		if err := identity.AuthorizeLot(by.who, lot); err != nil && p.err == nil {
			return answer{}, err
		}
	}
	return s.listSpots(r, p, q, "")
}

// getLotSpots is getSpots for one lot, which must be there.
func (s *Service) getLotSpots(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	p := parseParams(r.URL.RawQuery)
	q := readQuery(p)
	q.Lots = []string{r.PathValue("lotId")}
	return s.listSpots(r, p, q, q.Lots[0])
}

// listSpots answers a page of the spots that match, or a file of all of them. A lot that is named must be there.
func (s *Service) listSpots(r *http.Request, p *params, q SpotQuery, lotID string) (answer, error) {
	file := p.format(r.Header.Values("Accept"))
	var at page
	if file == nil { // a file has no pages
		at = p.page("spots")
	}
	if err := p.end(); err != nil {
		return answer{}, err
	}
	name := "spots"
	if lotID != "" {
		if _, err := s.lot(r.Context(), lotID); err != nil {
			return answer{}, err
		}
		name += "-" + lotID
	}
	if file != nil {
		return s.export(r.Context(), q, file, name)
	}
	return s.spotsAnswer(r.Context(), q, at)
}

func readQuery(p *params) SpotQuery {
	q := SpotQuery{Zones: p.ids("zone"), Statuses: p.statuses("status"), Within: p.box("bbox")}
	if text, there := p.one("updated_since"); there {
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			p.fail("updated_since", `an RFC 3339 time, such as 2026-11-24T03:35:00Z ("+" is %2B in an address)`, strconv.Quote(text))
		}
		q.ChangedSince = t.UTC()
	}
	return q
}
