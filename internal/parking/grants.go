package parking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/identity/access"
	"parkwire/internal/relay"
	"parkwire/internal/rest"
)

// grant says something of a key or a revocation: it is kept, and told to who asks the feed and to who reads the topic. The transaction
// has the revision.
func (t *transaction) grant(ctx context.Context, e access.Entry, keptUntil time.Time) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("making an id: %w", err)
	}
	e.ID = id.String()
	value, err := json.Marshal(e)
	if err != nil {
		return err
	}
	kind, name := e.Name()
	t.records = append(t.records, relay.Record{Topic: relay.Access, Key: e.RecordKey(), Value: value})
	t.granted = true
	return t.SaveAccess(ctx, AccessRow{Kind: kind, ID: name, Revision: e.Revision, Value: value, KeptUntil: keptUntil})
}

// entries reads rows.
func entries(rows []AccessRow) ([]access.Entry, error) {
	all := make([]access.Entry, len(rows))
	for i, row := range rows {
		var err error
		if all[i], err = access.Decode(row.Value); err != nil {
			return nil, fmt.Errorf("reading %s %q: %w", row.Kind, row.ID, err)
		}
	}
	return all, nil
}

// entry reads a row.
func entry(row AccessRow, err error) (access.Entry, error) {
	if err != nil {
		return access.Entry{}, err
	}
	all, err := entries([]AccessRow{row})
	if err != nil {
		return access.Entry{}, err
	}
	return all[0], nil
}

// maxFeed is how many entries an answer of the feed has at most.
const maxFeed = 1000

// feedInterval is how often it is looked for what other processes have granted, as long as anybody waits for it.
const feedInterval = 250 * time.Millisecond

// feed wakes those who wait for something to be said of keys and revocations.
type feed struct {
	mu       sync.Mutex
	changed  chan struct{} // closed at the next change
	waiting  int
	revision int64 // that was seen last
}

func newFeed() *feed { return &feed{changed: make(chan struct{})} }

// tell wakes all.
func (f *feed) tell() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.changed)
	f.changed = make(chan struct{})
}

// wait returns what is closed at the next change. The caller calls done when it waits no more.
func (f *feed) wait() (changed <-chan struct{}, done func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting++
	return f.changed, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.waiting--
	}
}

// run looks for what other processes have granted.
func (f *feed) run(ctx context.Context, store Store) {
	ticker := time.NewTicker(feedInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		f.mu.Lock()
		waited := f.waiting > 0
		f.mu.Unlock()
		if !waited {
			continue
		}
		if revision, err := store.AccessRevision(ctx); err == nil && revision != f.revision { // who waits is told of errors
			f.revision = revision
			f.tell()
		}
	}
}

// getFeed answers what was said behind a revision, and waits for something where there is nothing.
func (s *Service) getFeed(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	after := revision(p, "after")
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	enough := time.NewTimer(access.FeedWait)
	defer enough.Stop()
	for waited := false; ; waited = true {
		changed, done := s.feed.wait()
		page, err := s.feedPage(r.Context(), after)
		if err != nil || waited || len(page.Entries) > 0 || page.Revision != after {
			done()
			return rest.Answer{Status: http.StatusOK, Body: page}, err
		}
		select {
		case <-changed:
		case <-enough.C:
		case <-r.Context().Done():
		}
		done()
	}
}

// revision reads a number; -1 where it is not there.
func revision(p *rest.Params, name string) int64 {
	text, there := p.One(name)
	if !there {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		p.Fail(name, wantRevision, strconv.Quote(text))
	}
	return n
}

func (s *Service) feedPage(ctx context.Context, after int64) (page access.Page, err error) {
	if page.Revision, err = s.store.AccessRevision(ctx); err != nil { // before the entries, which may be newer and are not counted then
		return page, err
	}
	rows, err := s.store.AccessSince(ctx, after, maxFeed)
	if err != nil {
		return page, err
	}
	if len(rows) == maxFeed {
		page.More, page.Revision = true, rows[maxFeed-1].Revision
	}
	page.Entries, err = entries(rows)
	return page, err
}

// pruneGrants forgets keys and revocations that nobody needs to know of any more.
func (s *Service) pruneGrants(ctx context.Context) (n int, err error) {
	err = s.update(ctx, func(ctx context.Context, t *transaction) error {
		dropped, err := t.DropAccess(ctx, t.now, pruneBatch)
		n = len(dropped)
		for _, row := range dropped {
			e, decoding := entry(row, nil)
			if decoding != nil {
				return errors.Join(err, decoding)
			}
			t.records = append(t.records, relay.Record{Topic: relay.Access, Key: e.RecordKey()})
		}
		return err
	})
	return n, err
}
