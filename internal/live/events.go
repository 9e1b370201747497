package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/problem"
)

// Bounds of a page of events.
const (
	defaultLimit = 100
	maxLimit     = 1000
	maxPageBytes = 4 << 20
	// maxPageTime is how long is looked for more events when there is one already, since few may match.
	maxPageTime = time.Second
)

// errPageFull ends the reading for a page.
var errPageFull = errors.New("the page is full")

// page is a page of events, and a receiver of them.
type page struct {
	service *Service
	filter  filter
	limit   int
	began   time.Time

	body  []byte
	count int
	have  event.Offsets // what its reader has seen with it
}

func (p *page) event(e *entry, have event.Offsets) error {
	if p.filter.matches(&e.event) {
		if p.count++; p.count > 1 {
			p.body = append(p.body, ',')
		}
		p.body = event.AppendCursor(p.body, e.value, p.service.cursor(have))
	}
	if p.count >= p.limit || len(p.body) >= maxPageBytes || p.count > 0 && time.Since(p.began) > maxPageTime {
		p.have = slices.Clone(have)
		return errPageFull
	}
	return nil
}

func (p *page) flush(context.Context) error { return nil }

func (p *page) arrived(have event.Offsets) { p.have = have }

// serveEvents answers with the events behind a cursor. A page without events means that there are no more now.
func (s *Service) serveEvents(w http.ResponseWriter, r *http.Request) error {
	switch r.Method {
	case http.MethodOptions:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return nil
	case http.MethodGet, http.MethodHead:
	default:
		return notAllowed(w)
	}
	who, q, f, err := s.admit(r, "after", "limit")
	if err != nil {
		return err
	}
	if f, err = f.within(lotsOf(who)); err != nil {
		return err
	}
	limit, err := parseLimit(q)
	if err != nil {
		return err
	}
	ctx, cancel := s.whileRunning(r)
	defer cancel()
	p, err := s.readPage(ctx, q, page{service: s, filter: f, limit: limit, began: time.Now()})
	switch {
	case err == nil:
	case ctx.Err() != nil && r.Context().Err() == nil: // it is this instance that ends
		return errNotReady
	default:
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	body := append([]byte(`{"events":[`), p.body...)
	body = fmt.Appendf(body, `],"cursor":%q}`+"\n", s.cursor(p.have))
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return nil
}

// readPage fills a page with what there is behind the cursor of q, or from the oldest event on.
func (s *Service) readPage(ctx context.Context, q url.Values, empty page) (*page, error) {
	for {
		var have event.Offsets
		var err error
		if q.Has("after") {
			have, err = s.parseAfter(ctx, q.Get("after"))
		} else {
			have, err = s.shared.tails.fresh(ctx)
		}
		if err != nil {
			return nil, err
		}
		// What is in the log when somebody asks is in the answer, though this instance may not have heard of it yet.
		// Where the log cannot be asked, what it has heard of is.
		heads, err := s.shared.heads.fresh(ctx)
		if err != nil {
			heads = nil
		}
		p := empty
		err = s.catchUp(ctx, have, heads, &p)
		switch {
		case err == nil || errors.Is(err, errPageFull):
			return &p, nil
		case errors.Is(err, errCursorExpired) && !q.Has("after"): // the oldest events went meanwhile
		default:
			return nil, err
		}
	}
}

func parseLimit(q url.Values) (int, error) {
	if !q.Has("limit") {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(q.Get("limit"))
	if err != nil || n < 1 || n > maxLimit {
		return 0, problem.New(400, "invalid-parameter", fmt.Sprintf("The parameter \"limit\" must be a number from 1 to %d.", maxLimit)).WithField("limit")
	}
	return n, nil
}
