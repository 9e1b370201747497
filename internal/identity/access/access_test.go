package access_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/identity"
	"parkwire/internal/identity/access"
	"parkwire/internal/kafkalog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 24, 3, 35, 0, 0, time.UTC)

// feed is a parking part that has said some things.
type feed struct {
	mu      sync.Mutex
	entries []access.Entry // by revision
	base    int64          // revision of the first, less one
	down    bool
	asked   int
}

func (f *feed) say(e ...access.Entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range e {
		e.Revision = f.base + int64(len(f.entries)) + 1
		f.entries = append(f.entries, e)
	}
}

func (f *feed) set(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
}

func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(time.Millisecond) // it would wait for longer
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.down {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	after := int64(-1)
	_, _ = fmt.Sscan(r.URL.Query().Get("after"), &after)
	page := access.Page{Revision: f.base + int64(len(f.entries))}
	for _, e := range f.entries {
		if e.Revision <= after {
			continue
		}
		if len(page.Entries) == 2 {
			page.More, page.Revision = true, page.Entries[1].Revision
			break
		}
		page.Entries = append(page.Entries, e)
	}
	_ = json.NewEncoder(w).Encode(page)
}

func follow(t *testing.T, f *feed) *access.Set {
	t.Helper()
	set := access.NewSet(func() time.Time { return now })
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = set.Follow(ctx, f, slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() { stop(); <-ended })
	return set
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come about that " + what)
		}
	}
}

// aKey is a key and its secret.
func aKey(id string, change ...func(*access.Key)) (access.Entry, string) {
	text, secret := access.NewSecret()
	k := access.Key{ID: id, Name: "n", Scopes: []string{"read"}, Secrets: []access.Secret{secret}, CreatedAt: now.Add(-time.Hour)}
	for _, f := range change {
		f(&k)
	}
	return access.Entry{Key: &k}, text
}

// fails reports whether the error is of a kind.
func fails(kind error) func(identity.Principal, error) bool {
	return func(_ identity.Principal, err error) bool { return errors.Is(err, kind) }
}

var (
	refused     = fails(identity.ErrToken)
	unavailable = fails(identity.ErrUnavailable)
)

func TestNothingIsTakenBeforeEverythingIsKnown(t *testing.T) {
	f := &feed{down: true}
	known, secret := aKey("k")
	f.say(known)
	set := follow(t, f)
	until(t, "it was asked", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.asked > 0 })
	token := identity.Principal{Subject: "x", TokenID: "t"}
	if !unavailable(set.Key(secret)) || !unavailable(set.Check(token)) || set.Ready() == nil {
		t.Error("something is taken")
	}
	if p, err := set.Check(identity.Principal{}); err != nil || !p.Anonymous() {
		t.Errorf("who shows nothing is %+v, %v", p, err)
	}
	f.set(func() { f.down = false })
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	if _, err := set.Key(secret); err != nil {
		t.Error(err)
	}
	if _, err := set.Check(token); err != nil {
		t.Error(err)
	}
}

func TestWhatIsKnownHoldsWhileTheFeedIsAwayAndANewKeyIsRefusedForNow(t *testing.T) {
	f := &feed{}
	known, secret := aKey("k")
	gone, goneSecret := aKey("gone", func(k *access.Key) { k.RevokedAt = now })
	f.say(known, gone)
	set := follow(t, f)
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	fresh, freshSecret := aKey("new")
	if !refused(set.Key(freshSecret)) {
		t.Error("a key that is not there is not refused")
	}
	f.set(func() { f.down = true })
	until(t, "it is away", func() bool { return set.Ready() != nil })
	if _, err := set.Key(secret); err != nil {
		t.Error(err)
	}
	if _, err := set.Check(identity.Principal{Subject: "x", TokenID: "t"}); err != nil {
		t.Error(err)
	}
	if !refused(set.Key(goneSecret)) {
		t.Error("a revoked key is not refused")
	}
	if !unavailable(set.Key(freshSecret)) {
		t.Error("a key that may have been made meanwhile is refused for good")
	}
	if !refused(set.Key("pw_short")) || !refused(set.Key("x"+freshSecret[1:])) {
		t.Error("what cannot be a key may be one")
	}
	f.say(fresh)
	f.set(func() { f.down = false })
	until(t, "the new key is known", func() bool { _, err := set.Key(freshSecret); return err == nil })
}

func TestAKeyHoldsAsLongAsItSays(t *testing.T) {
	set := follow(t, &feed{})
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	for name, c := range map[string]struct {
		change func(*access.Key)
		holds  bool
	}{
		"for ever":                         {func(*access.Key) {}, true},
		"until later":                      {func(k *access.Key) { k.ExpiresAt = now.Add(time.Second) }, true},
		"until now":                        {func(k *access.Key) { k.ExpiresAt = now }, false},
		"revoked":                          {func(k *access.Key) { k.RevokedAt = now }, false},
		"revoked by a clock ahead of ours": {func(k *access.Key) { k.RevokedAt = now.Add(time.Hour) }, false},
		"another secret soon":              {func(k *access.Key) { k.Secrets[0].Until = now.Add(time.Second) }, true},
		"another secret":                   {func(k *access.Key) { k.Secrets[0].Until = now }, false},
	} {
		e, secret := aKey(name, c.change)
		e.Revision = 1
		set.Apply(e)
		p, err := set.Key(secret)
		if (err == nil) != c.holds || err != nil && !errors.Is(err, identity.ErrToken) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
		if err != nil {
			continue
		}
		if again, err := set.Check(p); err != nil || again.Subject != p.Subject || !again.Expires.Equal(p.Expires) {
			t.Errorf("%s: %+v became %+v, %v", name, p, again, err)
		}
	}
}

func TestOfAKeyTheNewestHoldsInWhateverOrderItIsHeard(t *testing.T) {
	set := follow(t, &feed{})
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	first, secret := aKey("k")
	first.Revision = 1
	revoked := *first.Key
	revoked.RevokedAt = now
	set.Apply(access.Entry{Revision: 2, Key: &revoked}, first)
	set.Apply(first, first)
	if !refused(set.Key(secret)) {
		t.Error("an old word brought the key back")
	}
}

func TestTokensOfASubjectAreRevokedThatWereIssuedUntilThen(t *testing.T) {
	set := follow(t, &feed{})
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	kept := now.Add(time.Hour)
	set.Apply(
		access.Entry{Revision: 1, Revocation: &access.Revocation{ID: "1", Subject: "anna", At: now, KeptUntil: kept}},
		access.Entry{Revision: 2, Revocation: &access.Revocation{ID: "2", Subject: "anna", At: now.Add(-time.Hour), KeptUntil: kept}},
		access.Entry{Revision: 3, Revocation: &access.Revocation{ID: "3", TokenID: "t", At: now, KeptUntil: kept}},
	)
	for _, c := range []struct {
		p       identity.Principal
		revoked bool
	}{
		{identity.Principal{Subject: "anna", IssuedAt: now}, true},
		{identity.Principal{Subject: "anna", IssuedAt: now.Add(-time.Minute)}, true},
		{identity.Principal{Subject: "anna"}, true}, // nobody knows when
		{identity.Principal{Subject: "anna", IssuedAt: now.Add(time.Second)}, false},
		{identity.Principal{Subject: "bert", IssuedAt: now.Add(-time.Hour)}, false},
		{identity.Principal{Subject: "bert", TokenID: "t", IssuedAt: now.Add(time.Hour)}, true},
	} {
		if _, err := set.Check(c.p); errors.Is(err, identity.ErrToken) != c.revoked {
			t.Errorf("%+v: %v", c.p, err)
		}
	}
}

func TestADatabaseThatCountsAnewIsReadAnew(t *testing.T) {
	f := &feed{base: 100}
	old, oldSecret := aKey("old")
	f.say(old)
	set := follow(t, f)
	until(t, "the key is known", func() bool { _, err := set.Key(oldSecret); return err == nil })
	other, secret := aKey("new")
	f.set(func() { f.base, f.entries = 0, nil })
	f.say(other)
	until(t, "the other key is known", func() bool { _, err := set.Key(secret); return err == nil })
	if !refused(set.Key(oldSecret)) {
		t.Error("a key that is in no database any more holds")
	}
}

func TestALongFeedIsReadToItsEnd(t *testing.T) {
	f := &feed{}
	var secrets []string
	for i := range 7 {
		e, secret := aKey(fmt.Sprint(i))
		f.say(e)
		secrets = append(secrets, secret)
	}
	set := follow(t, f)
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	for i, secret := range secrets {
		if _, err := set.Key(secret); err != nil {
			t.Errorf("key %d: %v", i, err)
		}
	}
}

// topic is an event log with what was granted.
type topic struct {
	records chan kafkalog.Record
	past    []kafkalog.Record
	mu      sync.Mutex
	err     error
}

func (l *topic) EnsureTopics(context.Context) error { return nil }

func (l *topic) Ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *topic) Access(ctx context.Context, fn func(kafkalog.Record), whole func()) error {
	for _, r := range l.past {
		fn(r)
	}
	whole()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-l.records:
			fn(r)
		}
	}
}

func record(e access.Entry, revision int64) kafkalog.Record {
	e.Revision = revision
	value, _ := json.Marshal(e)
	return kafkalog.Record{Key: []byte(e.RecordKey()), Value: value}
}

func TestTheTopicTellsTheSameAndSaysWhenItCannot(t *testing.T) {
	a, aSecret := aKey("a")
	b, bSecret := aKey("b")
	l := &topic{records: make(chan kafkalog.Record), past: []kafkalog.Record{record(a, 1), {Key: []byte("key:x"), Value: []byte("{")}, {Key: []byte("key:y"), Value: []byte("{}")}}}
	set := access.NewSet(func() time.Time { return now })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = set.FollowLog(ctx, l, slog.New(slog.DiscardHandler))
	}()
	defer func() { stop(); <-ended }()
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	changed := set.Changed()
	l.records <- record(b, 2)
	<-changed
	for _, secret := range []string{aSecret, bSecret} {
		if _, err := set.Key(secret); err != nil {
			t.Error(err)
		}
	}
	l.records <- kafkalog.Record{Key: []byte("key:a")} // it ended long ago
	until(t, "it is forgotten", func() bool { return refused(set.Key(aSecret)) })
	l.mu.Lock()
	l.err = errors.New("Kafka is away")
	l.mu.Unlock()
	until(t, "it is away", func() bool { return unavailable(set.Key(aSecret)) })
	if _, err := set.Key(bSecret); err != nil {
		t.Error(err)
	}
}

// unreadable is a log that answers, and whose topic cannot be read from some time until another.
type unreadable struct {
	topic
	read, asked int
	mended      bool
}

func (l *unreadable) Ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	return nil
}

func (l *unreadable) Access(ctx context.Context, fn func(kafkalog.Record), whole func()) error {
	l.mu.Lock()
	l.read++
	first, mended := l.read == 1, l.mended
	l.mu.Unlock()
	if mended {
		return l.topic.Access(ctx, fn, whole)
	}
	if first {
		whole()
	}
	return errors.New("the topic may not be read")
}

func TestWhoCannotReadTheTopicSaysSoThoughTheLogAnswers(t *testing.T) {
	l := &unreadable{}
	set := access.NewSet(func() time.Time { return now })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = set.FollowLog(ctx, l, slog.New(slog.DiscardHandler))
	}()
	defer func() { stop(); <-ended }()
	_, secret := aKey("unheard")
	broken := func() bool {
		err := set.Ready()
		return err != nil && strings.Contains(err.Error(), "may not be read")
	}
	until(t, "it says why", broken)
	asked := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.asked
	}
	before, always := asked(), true
	until(t, "the log answers a few times", func() bool {
		always = always && broken()
		return asked() > before+3
	})
	if !always {
		t.Error("it was ready in between")
	}
	if !unavailable(set.Key(secret)) {
		t.Error("a key of which it may not have heard is judged")
	}
	l.mu.Lock()
	l.mended = true
	l.mu.Unlock()
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	if !refused(set.Key(secret)) {
		t.Error("a key that there is not is not refused")
	}
}

func TestTheDoormanTakesAKeyWhereverItIsShownAndOneThingOnly(t *testing.T) {
	set := follow(t, &feed{})
	until(t, "it is ready", func() bool { return set.Ready() == nil })
	e, secret := aKey("k")
	e.Revision = 1
	set.Apply(e)
	verifier, err := identity.NewHS256([]byte("0123456789abcdef0123456789abcdef"), identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	token, err := verifier.Issue(identity.Principal{Subject: "anna", Scopes: []string{"read"}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	tokens := identity.Tokens{identity.Issuer: verifier}
	for name, c := range map[string]struct {
		tokens  identity.Tokens
		target  string
		headers []string
		subject string
		refused bool
	}{
		"nothing":                   {tokens, "/", nil, "", false},
		"a key as a token":          {tokens, "/", []string{"Authorization", "Bearer " + secret}, "key:k", false},
		"a key in its header":       {tokens, "/", []string{"X-API-Key", secret}, "key:k", false},
		"a key in an address":       {tokens, "/notifications?access_token=" + secret, nil, "key:k", false},
		"elsewhere in an address":   {tokens, "/api/v1/lots?access_token=" + secret, nil, "", false},
		"a key without tokens":      {nil, "/", []string{"X-API-Key", secret}, "key:k", false},
		"a token":                   {tokens, "/", []string{"Authorization", "Bearer " + token}, "anna", false},
		"a token that nobody reads": {nil, "/", []string{"Authorization", "Bearer " + token}, "", false},
		"a token in the header":     {tokens, "/", []string{"X-API-Key", token}, "", true},
		"both":                      {tokens, "/", []string{"X-API-Key", secret, "Authorization", "Bearer " + token}, "", true},
		"two keys":                  {tokens, "/", []string{"X-API-Key", secret, "X-API-Key", secret}, "", true},
		"an empty key":              {tokens, "/", []string{"X-API-Key", ""}, "", true},
		"another key":               {tokens, "/", []string{"X-API-Key", secret[:45] + "-"}, "", true},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		for i := 0; i < len(c.headers); i += 2 {
			r.Header.Add(c.headers[i], c.headers[i+1])
		}
		p, err := access.Doorman{Tokens: c.tokens, Set: set}.Authenticate(r)
		if p.Subject != c.subject || errors.Is(err, identity.ErrToken) != c.refused {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	set.Apply(access.Entry{Revision: 2, Revocation: &access.Revocation{ID: "1", Subject: "anna", At: time.Now(), KeptUntil: time.Now().Add(time.Hour)}})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if _, err := (access.Doorman{Tokens: tokens, Set: set}).Authenticate(r); !errors.Is(err, identity.ErrToken) {
		t.Errorf("a revoked token: %v", err)
	}
}
