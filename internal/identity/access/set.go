package access

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"parkwire/internal/identity"
)

// Set is everything that is known of keys and revocations. It is fed by [Set.Follow] or [Set.FollowLog], and may be used by
// several goroutines.
//
// Before it has heard everything, nothing that is shown is taken, since it may have been revoked. After that, what is known holds while
// whoever feeds it is away; a key that is not known may have been made meanwhile, and is refused for now rather than for good.
type Set struct {
	clock func() time.Time

	mu       sync.RWMutex
	keys     map[string]Entry
	secrets  map[string]string // ids of keys by the hashes of their secrets
	tokens   map[string]time.Time
	subjects map[string]cut
	whole    bool          // it has heard everything that there was
	away     error         // why it hears of nothing new at present
	broken   error         // why the topic cannot be read, whatever else answers
	pruned   time.Time     // when
	changed  chan struct{} // closed at the next change
}

// cut says that what was issued to a subject until a time is revoked, and until when that must be known.
type cut struct{ at, until time.Time }

// NewSet returns a set that knows nothing. clock tells the time; nil: time.Now.
func NewSet(clock func() time.Time) *Set {
	if clock == nil {
		clock = time.Now
	}
	s := &Set{clock: clock, changed: make(chan struct{})}
	s.clear()
	return s
}

// clear forgets everything. The caller holds mu.
func (s *Set) clear() {
	s.keys, s.secrets, s.tokens, s.subjects = map[string]Entry{}, map[string]string{}, map[string]time.Time{}, map[string]cut{}
	s.whole = false
}

// Apply takes over what is said, in any order and however often.
func (s *Set) Apply(entries ...Entry) {
	if len(entries) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		if e.Key != nil {
			s.applyKey(e)
		} else {
			s.applyRevocation(e.Revocation)
		}
	}
	if now := s.clock(); now.Sub(s.pruned) > pruneInterval {
		s.prune(now)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Set) applyKey(e Entry) {
	if known, ok := s.keys[e.Key.ID]; ok && known.Revision >= e.Revision {
		return
	}
	s.removeKey(e.Key.ID)
	s.keys[e.Key.ID] = e
	for _, secret := range e.Key.Secrets {
		s.secrets[secret.SHA256] = e.Key.ID
	}
}

func (s *Set) removeKey(id string) {
	if e, ok := s.keys[id]; ok {
		for _, secret := range e.Key.Secrets {
			delete(s.secrets, secret.SHA256)
		}
		delete(s.keys, id)
	}
}

func (s *Set) applyRevocation(r *Revocation) {
	if r.TokenID != "" {
		s.tokens[r.TokenID] = later(s.tokens[r.TokenID], r.KeptUntil)
		return
	}
	known := s.subjects[r.Subject]
	s.subjects[r.Subject] = cut{later(known.at, r.At), later(known.until, r.KeptUntil)}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// pruneInterval is how often it is looked for what can be forgotten, when something new is heard.
const pruneInterval = time.Minute

// prune forgets revocations of what has expired, and keys that ended long ago. The caller holds mu.
func (s *Set) prune(now time.Time) {
	s.pruned = now
	for id, until := range s.tokens {
		if until.Before(now) {
			delete(s.tokens, id)
		}
	}
	for subject, c := range s.subjects {
		if c.until.Before(now) {
			delete(s.subjects, subject)
		}
	}
	for id, e := range s.keys {
		if ended := e.Key.Ended(); !ended.IsZero() && ended.Add(KeysKept).Before(now) {
			s.removeKey(id)
		}
	}
}

// KeysKept is how long it is told of a key, after it has ended, that it did.
const KeysKept = 30 * 24 * time.Hour

// heard says whether what there was is known whole, and whether what comes is heard of; err: why not.
func (s *Set) heard(whole bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.whole = s.whole || whole
	s.away = cmp.Or(err, s.broken)
}

// breaks says why the topic cannot be read; nil: it can.
func (s *Set) breaks(err error) {
	s.mu.Lock()
	s.broken = err
	s.mu.Unlock()
	s.heard(false, err)
}

// Ready returns nil, or why nothing that is shown can be judged yet, or new keys cannot.
func (s *Set) Ready() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.away != nil {
		return fmt.Errorf("which keys and tokens hold cannot be found out: %w", s.away)
	}
	if !s.whole {
		return errors.New("which keys and tokens hold is not known yet")
	}
	return nil
}

// Changed returns a channel that is closed when something else is said of keys or revocations.
func (s *Set) Changed() <-chan struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.changed
}

// Key returns whom an API key speaks for, given its secret. Errors are as those of [identity.TokenVerifier].
func (s *Set) Key(secret string) (identity.Principal, error) {
	if !isSecret(secret) {
		return identity.Principal{}, identity.Refuse("it is no API key of this platform")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	digest := hash(secret).SHA256
	return s.judgeKey(s.secrets[digest], digest)
}

// fingerprintLength is how much of a secret's hash tells the secrets of a key apart.
const fingerprintLength = 16

// judgeKey returns whom a key speaks for, shown by the secret whose hash begins with digest. The caller holds mu.
func (s *Set) judgeKey(id, digest string) (identity.Principal, error) {
	key, at := s.keys[id].Key, -1
	if key != nil {
		at = slices.IndexFunc(key.Secrets, func(secret Secret) bool { return strings.HasPrefix(secret.SHA256, digest) })
	}
	now := s.clock()
	switch {
	case !s.whole:
		return identity.Principal{}, unavailable("which API keys there are is not known yet")
	case at < 0 && s.away != nil:
		return identity.Principal{}, unavailable("there may be a new API key of which nothing was heard yet")
	case at < 0:
		return identity.Principal{}, identity.Refuse("there is no such API key")
	case !key.RevokedAt.IsZero(): // at once, however the clocks go
		return identity.Principal{}, identity.Refuse("the API key was revoked")
	case past(key.ExpiresAt, now):
		return identity.Principal{}, identity.Refuse("the API key has expired")
	case past(key.Secrets[at].Until, now):
		return identity.Principal{}, identity.Refuse("the API key has another secret by now")
	}
	return identity.Principal{
		Subject: identity.PrefixKey + id, Scopes: key.Scopes, Lots: key.Lots, TokenID: key.Secrets[at].SHA256[:fingerprintLength],
		IssuedAt: key.CreatedAt, Expires: earlier(key.ExpiresAt, key.Secrets[at].Until),
	}, nil
}

func past(t, now time.Time) bool { return !t.IsZero() && !now.Before(t) }

// Check returns the principal as it is by now, or why what it showed is taken no more: its token was revoked, or the key ended. Somebody who
// showed nothing stays who they are.
func (s *Set) Check(p identity.Principal) (identity.Principal, error) {
	if p.Anonymous() {
		return p, nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if id, isKey := strings.CutPrefix(p.Subject, identity.PrefixKey); isKey {
		return s.judgeKey(id, p.TokenID)
	}
	if !s.whole {
		return identity.Principal{}, unavailable("which tokens were revoked is not known yet")
	}
	_, revoked := s.tokens[p.TokenID]
	if c, some := s.subjects[p.Subject]; revoked || some && !p.IssuedAt.After(c.at) {
		return identity.Principal{}, identity.Refuse("it was revoked")
	}
	return p, nil
}

func unavailable(why string) error { return fmt.Errorf("%s: %w", why, identity.ErrUnavailable) }
