package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"parkwire/internal/identity"
)

const (
	refreshInterval = 10 * time.Minute // how often the provider is asked without a reason
	refreshPause    = 10 * time.Second // how often at most for tokens by unknown keys, whoever shows them
	patience        = 3 * time.Second  // how long such a token waits for the answer
	firstRetry      = time.Second      // after a failure; the pauses double
	lastRetry       = time.Minute
	answerTimeout   = 5 * time.Second
	answerLimit     = 1 << 20 // bytes
)

// published is what the provider said when it was last understood.
type published struct {
	endpoints Endpoints
	keys      []key
}

// A keySource keeps what the provider publishes. Its goroutine alone asks the provider; whoever wants to know something newer waits for the
// end of the round that it is in, or that comes next.
type keySource struct {
	issuer string
	client *http.Client
	logger *slog.Logger
	asked  *prometheus.CounterVec

	known  atomic.Pointer[published] // nil: the provider has never answered
	wanted chan struct{}             // of capacity 1: somebody waits for a round

	mu     sync.Mutex
	asking bool          // a round is under way
	began  time.Time     // when the last round began; zero: there was none
	err    error         // how the last that is over ended
	round  chan struct{} // closed at the end of the round under way, or of the next
}

var errUnasked = errors.New("it has not been asked yet")

// Unasked reports whether an error of [Provider.Ready] says only that the answer to the first question is still to come.
func Unasked(err error) bool { return errors.Is(err, errUnasked) }

func newKeySource(o Options) *keySource {
	s := &keySource{
		issuer: o.Issuer, logger: o.Logger, wanted: make(chan struct{}, 1), round: make(chan struct{}), err: errUnasked,
		client: &http.Client{Transport: o.Transport, Timeout: answerTimeout, CheckRedirect: safely},
	}
	metrics := promauto.With(o.Registerer)
	s.asked = metrics.NewCounterVec(prometheus.CounterOpts{
		Name: "parkwire_oidc_refreshes_total", Help: "How often the OpenID Connect provider was asked for its keys, by outcome.",
	}, []string{"outcome"})
	metrics.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parkwire_oidc_keys", Help: "Keys of the OpenID Connect provider that tokens are checked with.",
	}, func() float64 {
		if known := s.known.Load(); known != nil {
			return float64(len(known.keys))
		}
		return 0
	})
	return s
}

// NewTransport returns a transport of its own for the requests to a provider.
func NewTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns = 2
	return t
}

// safely follows redirections only to where nobody on the way can read or change the answer, as far as that holds for the first request.
func safely(r *http.Request, via []*http.Request) error {
	if len(via) > 3 {
		return errors.New("it redirects again and again")
	}
	if via[0].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return errors.New("it redirects to an address without TLS")
	}
	return nil
}

// run asks at the start, from time to time, and when somebody wants it to, but never more often than once in [refreshPause] for those.
func (s *keySource) run(ctx context.Context) {
	defer s.client.CloseIdleConnections()
	retry := firstRetry
	for {
		err := s.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		next := refreshInterval
		if err != nil {
			next, retry = retry, min(2*retry, lastRetry)
		} else {
			retry = firstRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		case <-s.wanted:
		}
	}
}

// ask is one round.
func (s *keySource) ask(ctx context.Context) error {
	s.mu.Lock()
	s.asking, s.began = true, time.Now()
	select {
	case <-s.wanted: // this is it
	default:
	}
	before := s.err
	s.mu.Unlock()

	news, err := s.fetch(ctx)
	switch known := s.known.Load(); {
	case ctx.Err() != nil:
	case err != nil:
		s.asked.WithLabelValues("failed").Inc()
		if before == nil || errors.Is(before, errUnasked) { // once, until it has answered
			s.logger.Warn("the OpenID Connect provider does not say its keys: of its tokens only those by known keys are taken", "issuer", s.issuer, "error", err)
		}
	default:
		s.asked.WithLabelValues("ok").Inc()
		if before != nil || !slices.EqualFunc(known.keys, news.keys, func(a, b key) bool { return a.id == b.id }) {
			s.logger.Info("the OpenID Connect provider has said its keys", "issuer", s.issuer, "keys", len(news.keys))
		}
		s.known.Store(news)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking, s.err = false, err
	close(s.round)
	s.round = make(chan struct{})
	return err
}

// ready returns nil, or why the keys may be others by now.
func (s *keySource) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		return nil
	}
	return fmt.Errorf("the OpenID Connect provider %s does not say its keys: %w", s.issuer, s.err)
}

// find returns the keys that the token may be signed with.
func (s *keySource) find(ctx context.Context, t *jwt.Token) (any, error) {
	if err := identity.Understood(t); err != nil {
		return nil, err
	}
	var id string
	if named, ok := t.Header["kid"]; ok {
		if id, ok = named.(string); !ok {
			return nil, identity.Refuse("it names its key by something that is no text")
		}
	}
	known := s.known.Load()
	if known == nil || id != "" && !known.have(id) {
		if err := s.refresh(ctx); err != nil {
			return nil, err
		}
		known = s.known.Load()
	}
	var set jwt.VerificationKeySet
	for _, k := range known.keys {
		if (id == "" || k.id == id) && slices.Contains(k.algorithms, t.Method.Alg()) {
			set.Keys = append(set.Keys, k.public)
		}
	}
	if len(set.Keys) == 0 {
		return nil, identity.Refuse("its signature is by no key that its issuer has for that")
	}
	return set, nil
}

func (p *published) have(id string) bool {
	return slices.ContainsFunc(p.keys, func(k key) bool { return k.id == id })
}

// refresh waits until the keys are those of at most [refreshPause] ago. The error says that they may be older.
func (s *keySource) refresh(ctx context.Context) error {
	s.mu.Lock()
	round, err := s.round, s.err
	recent := !s.asking && !s.began.IsZero() && time.Since(s.began) < refreshPause
	if !s.asking && !recent {
		select {
		case s.wanted <- struct{}{}:
		default:
		}
	}
	s.mu.Unlock()
	if !recent {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-round:
			s.mu.Lock()
			err = s.err
			s.mu.Unlock()
		case <-timer.C:
			err = errors.New("it has not answered yet")
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil { // what it is in particular is for the log alone
		return fmt.Errorf("the provider that issued it does not answer: %w", identity.ErrUnavailable)
	}
	return nil
}

// fetch asks for the provider's description of itself and for its keys.
func (s *keySource) fetch(ctx context.Context) (*published, error) {
	var d struct {
		Issuer        string `json:"issuer"`
		Keys          string `json:"jwks_uri"`
		Authorization string `json:"authorization_endpoint"`
		Token         string `json:"token_endpoint"`
		EndSession    string `json:"end_session_endpoint"`
		Revocation    string `json:"revocation_endpoint"`
	}
	address := strings.TrimSuffix(s.issuer, "/") + "/.well-known/openid-configuration"
	text, err := s.get(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("%s is no description of a provider: %w", address, err)
	}
	if d.Issuer != s.issuer {
		return nil, fmt.Errorf("%s is the description of %q, and not of %q", address, d.Issuer, s.issuer)
	}
	if s.trusted(d.Keys) == "" {
		return nil, fmt.Errorf("%s names %q as the address of the keys", address, d.Keys)
	}
	if text, err = s.get(ctx, d.Keys); err != nil {
		return nil, err
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Keys, err)
	}
	return &published{keys: keys, endpoints: Endpoints{
		Issuer: s.issuer, Authorization: s.trusted(d.Authorization), Token: s.trusted(d.Token),
		EndSession: s.trusted(d.EndSession), Revocation: s.trusted(d.Revocation),
	}}, nil
}

// trusted returns an address that the provider names, and "" where it is none, or one without TLS of a provider with TLS.
func (s *keySource) trusted(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || strings.HasPrefix(s.issuer, "https:")) {
		return ""
	}
	return address
}

func (s *keySource) get(ctx context.Context, address string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json, application/jwk-set+json")
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", address, answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit+1))
	if err == nil && len(text) > answerLimit {
		err = fmt.Errorf("the answer is larger than %d bytes", answerLimit)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", address, err)
	}
	return text, nil
}
