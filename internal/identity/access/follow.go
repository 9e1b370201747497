package access

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"parkwire/internal/kafkalog"
)

// FeedPath is where the parking part answers what was said behind a revision, and where nothing was, as soon as something is; without a
// revision at once. It is for gateways: nobody else is routed there.
const FeedPath = "/internal/access"

// FeedWait is how long the feed waits for something to tell.
const FeedWait = 2 * time.Second

const (
	feedPatience = FeedWait + 3*time.Second // for an answer
	feedPause    = 200 * time.Millisecond   // after one that was none
)

// Page is an answer of the feed.
type Page struct {
	Entries []Entry `json:"entries"`
	// Revision is up to where the entries tell everything, with those before; More says that there are further ones.
	Revision int64 `json:"revision"`
	More     bool  `json:"more,omitempty"`
}

// Follow hears of everything by the feed of the parking part, until ctx ends.
func (s *Set) Follow(ctx context.Context, parking http.Handler, logger *slog.Logger) error {
	known := none
	for ctx.Err() == nil {
		page, err := ask(ctx, parking, known)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			logger.Debug("the feed of keys and revocations does not answer", "error", err)
			s.heard(false, err)
			select {
			case <-ctx.Done():
			case <-time.After(feedPause):
			}
		case page.Revision < known: // the database is another one, or an older one, and counts anew
			logger.Warn("keys and revocations are read anew: the database counts them otherwise than before", "revision", page.Revision, "before", known)
			s.mu.Lock()
			s.clear()
			s.mu.Unlock()
			known = none
		default:
			s.Apply(page.Entries...)
			s.heard(!page.More, nil)
			known = page.Revision
		}
	}
	return nil
}

// none is the revision of who knows nothing.
const none = int64(-1)

// ask asks the feed once.
func ask(ctx context.Context, parking http.Handler, after int64) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, feedPatience)
	defer cancel()
	address := "http://parking" + FeedPath
	if after != none {
		address += fmt.Sprintf("?after=%d", after)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Page{}, err
	}
	w := &written{header: http.Header{}}
	parking.ServeHTTP(w, r)
	if err := ctx.Err(); err != nil {
		return Page{}, err
	}
	if w.status != http.StatusOK {
		return Page{}, fmt.Errorf("the parking service answers with status %d", w.status)
	}
	var page Page
	if err := json.Unmarshal(w.body.Bytes(), &page); err != nil {
		return Page{}, fmt.Errorf("reading the feed of keys and revocations: %w", err)
	}
	return page, nil
}

// written is an answer in memory.
type written struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *written) Header() http.Header { return w.header }

func (w *written) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *written) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Log is what [Set.FollowLog] needs of the event log; [kafkalog.Log] provides it.
type Log interface {
	EnsureTopics(ctx context.Context) error
	// Access calls fn for every record of the topic, whole when it has passed those that there were, and goes on until ctx ends.
	Access(ctx context.Context, fn func(kafkalog.Record), whole func()) error
	Ready() error
}

// FollowLog hears of everything by the topic, until ctx ends.
func (s *Set) FollowLog(ctx context.Context, log Log, logger *slog.Logger) error {
	watching := make(chan struct{})
	defer func() { <-watching }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(watching)
		s.watch(ctx, log)
	}()
	for ctx.Err() == nil {
		err := log.EnsureTopics(ctx)
		if err == nil {
			err = log.Access(ctx, func(r kafkalog.Record) { s.take(r, logger) }, func() {
				s.breaks(nil)
				s.heard(true, nil)
			})
		}
		if ctx.Err() == nil {
			s.breaks(err)
			logger.Warn("the topic of keys and revocations is read again from its beginning", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
	return nil
}

// watch looks whether the log answers, since a topic that nobody writes to looks like one of a log that is away.
func (s *Set) watch(ctx context.Context, log Log) {
	ticker := time.NewTicker(time.Second / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.heard(false, log.Ready())
		}
	}
}

// take takes over a record of the topic.
func (s *Set) take(r kafkalog.Record, logger *slog.Logger) {
	if r.Value == nil {
		if id, isKey := strings.CutPrefix(string(r.Key), KindKey+":"); isKey {
			s.mu.Lock()
			s.removeKey(id)
			s.mu.Unlock()
		}
		return // a revocation is forgotten when it concerns nobody any more
	}
	e, err := Decode(r.Value)
	if err != nil {
		logger.Warn("a record of keys and revocations cannot be read and is passed over", "offset", r.Offset, "error", err)
		return
	}
	s.Apply(e)
}
