package alerts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

const (
	beat       = 15 * time.Second // without an alert something is said, lest a proxy takes the stream for dead
	streamPoll = time.Second      // how often it is looked for what other processes decided
	streamPage = 100              // alerts that are read at once for one stream
)

// streams are those that are open at this process. A stream holds no alerts: it has the place up to which it was told, and reads what came
// behind it from the database when it is woken. So nothing can be missed, or pile up, however slow a client is.
type streams struct {
	db         *sqldb.DB
	most       int
	perSubject int
	ended      *prometheus.CounterVec

	mu       sync.Mutex
	open     map[*stream]struct{}
	subjects map[string]int
	leaving  chan struct{} // closed when the process ends
	empty    chan struct{} // closed when it ends and none is left

	attention chan struct{}
	head      int64 // the newest decision of which streams were told; run's
}

type stream struct {
	subject string
	wake    chan struct{}
}

func newStreams(db *sqldb.DB, most, perSubject int) *streams {
	return &streams{
		db: db, most: most, perSubject: perSubject, open: map[*stream]struct{}{}, subjects: map[string]int{},
		leaving: make(chan struct{}), empty: make(chan struct{}), attention: make(chan struct{}, 1),
	}
}

func (s *streams) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// enter opens a stream; leave is called at its end.
func (s *streams) enter(subject string) (st *stream, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isLeaving():
		return nil, nil, problem.New(http.StatusServiceUnavailable, "instance-restarts", "This instance is shutting down. Try again in a moment.")
	case s.subjects[subject] >= s.perSubject:
		return nil, nil, problem.New(http.StatusTooManyRequests, "too-many-streams",
			fmt.Sprintf("You have %d alert streams open here, and may have no more. Close one first.", s.perSubject)).With("limit", s.perSubject)
	case len(s.open) >= s.most:
		return nil, nil, problem.New(http.StatusServiceUnavailable, "too-many-streams", "This instance has as many streams open as it may. Try again in a moment.")
	}
	st = &stream{subject: subject, wake: make(chan struct{}, 1)}
	s.open[st] = struct{}{}
	s.subjects[subject]++
	return st, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, st)
		if s.subjects[subject]--; s.subjects[subject] == 0 {
			delete(s.subjects, subject)
		}
		s.checkEmpty()
	}, nil
}

func (s *streams) isLeaving() bool {
	select {
	case <-s.leaving:
		return true
	default:
		return false
	}
}

// checkEmpty tells drain that no stream is left. The caller holds mu.
func (s *streams) checkEmpty() {
	if !s.isLeaving() || len(s.open) > 0 {
		return
	}
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

// drain ends all streams, and waits until they have or ctx ends.
func (s *streams) drain(ctx context.Context) {
	s.mu.Lock()
	if !s.isLeaving() {
		close(s.leaving)
	}
	s.checkEmpty()
	s.mu.Unlock()
	select {
	case <-s.empty:
	case <-ctx.Done():
	}
}

// attend has run look at once.
func (s *streams) attend() {
	select {
	case s.attention <- struct{}{}:
	default:
	}
}

// run wakes streams of whose subjects something was decided, here or elsewhere, until ctx ends.
func (s *streams) run(ctx context.Context, logger *slog.Logger) error {
	failing := false
	for {
		select {
		case <-ctx.Done():
			s.drain(ctx) // where nobody did: whoever waits for a client's next alert would do so for ever
			return nil
		case <-s.attention:
		case <-time.After(streamPoll):
		}
		if s.count() == 0 {
			continue // the next one begins with what there is by then
		}
		err := s.wake(ctx)
		if ctx.Err() == nil && (err != nil) != failing {
			if failing = err != nil; failing {
				logger.Warn("streams of alerts stand still", "error", err)
			} else {
				logger.Info("streams of alerts go on")
			}
		}
	}
}

func (s *streams) wake(ctx context.Context) error {
	subjects := map[string]struct{}{}
	var head int64
	err := s.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		clear(subjects)
		if head, err = countDecisions.read(ctx, tx); err != nil || head == s.head {
			return err
		}
		return sqldb.Each(ctx, tx, func(r sqldb.Row) error {
			var subject string
			err := r.Scan(&subject)
			subjects[subject] = struct{}{}
			return err
		}, "select distinct subject from alert_decisions where sequence > ?", s.head)
	})
	if err != nil {
		return err
	}
	s.head = head
	s.mu.Lock()
	defer s.mu.Unlock()
	for st := range s.open {
		if _, concerned := subjects[st.subject]; !concerned {
			continue
		}
		select {
		case st.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// getStream answers with the subject's alerts as server-sent events, from now on or behind the one that the client had last.
func (s *Service) getStream(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	after, given := p.One("after")
	p.One("access_token") // which the gateway has read
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		after, given = last, true // newer than the address, which stays the same over reconnects
	}
	from := int64(-1)
	if given && after != "" {
		n, err := strconv.ParseInt(after, 10, 64)
		if err != nil || n < 0 {
			p.Fail("after", `the "sequence" of an alert, such as 42`, strconv.Quote(after))
		}
		from = n
	}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	who, err := s.options.Access.Check(by.Who)
	if err != nil {
		return rest.Answer{}, identity.Refused(err)
	}
	a := rest.Answer{Kind: "text/event-stream", Cache: "no-store"}
	w.Header().Set("X-Accel-Buffering", "no") // NGINX passes on what comes when it comes
	if r.Method == http.MethodHead {
		a.Stream = func(io.Writer) error { return nil }
		return a, nil
	}
	st, leave, err := s.streams.enter(who.Subject)
	if err != nil {
		return rest.Answer{}, err
	}
	t := &telling{service: s, stream: st, who: who, from: from, flush: http.NewResponseController(w).Flush}
	if err := t.begin(r.Context()); err != nil { // before the answer begins, so that it can be one that says why not
		leave()
		return rest.Answer{}, err
	}
	a.Stream = func(out io.Writer) error {
		defer leave()
		return t.run(r.Context(), out)
	}
	return a, nil
}

// telling is one stream while it is served.
type telling struct {
	service *Service
	stream  *stream
	who     identity.Principal
	from    int64 // the newest sequence that was told, or passed over
	reset   string
	flush   func() error
}

// begin finds out where the stream goes on. What the client had last may be of a database that is no more, or too long ago.
func (t *telling) begin(ctx context.Context) error {
	return t.service.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) error {
		head, err := countDecisions.read(ctx, tx)
		if err != nil {
			return err
		}
		oldest, _, err := sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) },
			"select coalesce(min(sequence), ?) from alert_decisions", head+1)
		if err != nil {
			return err
		}
		switch {
		case t.from < 0:
			t.from = head
		case t.from > head:
			t.from, t.reset = head, "unknown"
		case t.from+1 < oldest:
			t.from, t.reset = oldest-1, "expired"
		}
		return nil
	})
}

// run tells what is decided until the client leaves, its token ends, or the process does. It ends between two events.
func (t *telling) run(ctx context.Context, out io.Writer) error {
	if t.reset != "" {
		if err := t.write(out, fmt.Appendf(nil, "event: reset\nid: %d\ndata: {\"reason\":%q}\n\n", t.from, t.reset)); err != nil {
			return nil
		}
	}
	if err := t.write(out, []byte(": alerts\n\n")); err != nil {
		return nil
	}
	expires := t.expiry()
	for {
		changed := t.service.options.Access.Changed() // before it is asked, so that nothing is missed
		if who, err := t.service.options.Access.Check(t.who); errors.Is(err, identity.ErrToken) {
			return t.goodbye(out, "revoked")
		} else if err == nil {
			t.who.Expires = who.Expires
			expires = t.expiry()
		}
		more, err := t.tell(ctx, out)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case errors.Is(err, errGone):
			return nil
		case errors.Is(err, sqldb.ErrUnavailable):
			return t.goodbye(out, "database")
		case err != nil:
			return err
		case more:
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.service.streams.leaving:
			return t.goodbye(out, "restart")
		case <-expires:
			return t.goodbye(out, "expired")
		case <-changed:
		case <-t.stream.wake:
		case <-time.After(beat):
			if err := t.write(out, []byte(":\n\n")); err != nil {
				return nil
			}
		}
	}
}

// expiry fires when the token is taken no more; nil: never.
func (t *telling) expiry() <-chan time.Time {
	if t.who.Expires.IsZero() {
		return nil
	}
	return time.After(max(0, t.who.Expires.Sub(t.service.options.Clock())))
}

// errGone says that there is nobody to tell any more.
var errGone = errors.New("the client is gone")

// tell writes what was decided since, and reports whether there may be more.
func (t *telling) tell(ctx context.Context, out io.Writer) (more bool, err error) {
	var found []kept
	var through int64
	err = t.service.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		found, through, err = decisionsOf(ctx, tx, t.who, "", t.from, false, streamPage)
		return err
	})
	if err != nil {
		return false, err
	}
	var b []byte
	for _, k := range found {
		b = fmt.Appendf(b, "event: alert\nid: %d\ndata: %s\n\n", k.sequence, k.document)
	}
	t.from = through
	if len(b) == 0 {
		return false, nil
	}
	if err := t.write(out, b); err != nil {
		return false, errGone
	}
	return len(found) == streamPage, nil
}

func (t *telling) write(out io.Writer, b []byte) error {
	if _, err := out.Write(b); err != nil {
		return err
	}
	return t.flush()
}

// goodbye ends the stream and says when to come back, at another time for each lest all do at once.
func (t *telling) goodbye(out io.Writer, reason string) error {
	t.service.streams.ended.WithLabelValues(reason).Inc()
	_ = t.write(out, fmt.Appendf(nil, ": %s\nretry: %d\n\n", reason, (time.Second+rand.N(4*time.Second)).Milliseconds()))
	return nil
}
