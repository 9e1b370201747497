package live

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parkwire/internal/identity"
)

// fakeAccess lets tests revoke what is in tokens, and say when they expire.
type fakeAccess struct {
	mu      sync.Mutex
	revoked map[string]bool // by token id
	expires map[string]time.Time
	changed chan struct{}
	asked   int
}

func newFakeAccess() *fakeAccess {
	return &fakeAccess{revoked: map[string]bool{}, expires: map[string]time.Time{}, changed: make(chan struct{})}
}

func (f *fakeAccess) Check(p identity.Principal) (identity.Principal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.revoked[p.TokenID] {
		return identity.Principal{}, identity.Refuse("it was revoked")
	}
	if at, ok := f.expires[p.TokenID]; ok {
		p.Expires = at
	}
	return p, nil
}

func (f *fakeAccess) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

func (f *fakeAccess) say(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
	close(f.changed)
	f.changed = make(chan struct{})
}

// options makes the token of a request its id.
func (f *fakeAccess) options(o *Options) {
	o.Access = f
	o.Authorize = func(r *http.Request) (identity.Principal, error) {
		id := identity.Bearer(r, true)
		if id == "" {
			return identity.Principal{}, nil
		}
		return identity.Principal{Subject: "x", TokenID: id, Scopes: []string{"read"}}, nil
	}
}

func TestWhoListensByATokenThatIsRevokedIsClosedAtOnce(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		access := newFakeAccess()
		s := startSteady(t, access.options)
		var gone, stay []*listener
		for range 3 {
			gone = append(gone, s.webSocket("access_token", "a"))
			stay = append(stay, s.webSocket("access_token", "b"), s.webSocket())
		}
		talker, stream := s.v1("access_token", "a"), s.sse("", "access_token", "a")
		talker.expect("Welcome")
		s.connected(11)
		began := time.Now()
		access.say(func() { access.revoked["a"] = true })
		for _, l := range gone {
			if code := l.closed(); code != 4401 {
				t.Errorf("closed with %d", code)
			}
		}
		if code, reason := talker.closed(); code != 4401 || !strings.Contains(reason, "revoked") {
			t.Errorf("the talker is closed with %d %q", code, reason)
		}
		stream.until("its end", func(_ []frame, err error) bool { return err != nil })
		if took := time.Since(began); took > patience/2 {
			t.Errorf("it took %v", took)
		}
		s.connected(len(stay))
		s.write(1)
		for _, l := range stay {
			l.count(1)
		}
		s.service.bearers.mu.Lock()
		defer s.service.bearers.mu.Unlock()
		if shown, by := len(s.service.bearers.shown), len(s.service.bearers.by); shown != 1 || by != 3 {
			t.Errorf("%d tokens of %d clients are known still", shown, by)
		}
	})
}

func TestATokenThatIsRevokedWhileItsClientComesInEndsIt(t *testing.T) {
	access := newFakeAccess()
	s := startSteady(t, access.options)
	access.mu.Lock()
	access.revoked["a"] = true // nobody is told
	access.mu.Unlock()
	if code := s.webSocket("access_token", "a").closed(); code != 4401 {
		t.Errorf("closed with %d", code)
	}
}

func TestAKeyThatIsRotatedWhileItsClientComesInEndsItWithItsGrace(t *testing.T) {
	access := newFakeAccess()
	s := startSteady(t, access.options)
	access.mu.Lock()
	access.expires["a"] = time.Now().Add(10 * time.Millisecond) // nobody is told
	access.mu.Unlock()
	if code := s.webSocket("access_token", "a").closed(); code != 4401 {
		t.Errorf("closed with %d", code)
	}
}

func TestV1ARevocationConcernsTheTokenThatWasShownLast(t *testing.T) {
	access := newFakeAccess()
	s := startSteady(t, access.options)
	c := s.v1("access_token", "a")
	c.expect("Welcome")
	c.say(`{"type":"Authenticate","token":"b"}`)
	c.expect("Authenticated")
	access.say(func() { access.revoked["a"] = true })
	c.say(`{"type":"Subscribe","id":"s"}`)
	c.expect("Subscribed")
	access.say(func() { access.revoked["b"] = true })
	if code, _ := c.closed(); code != 4401 {
		t.Errorf("closed with %d", code)
	}
}

func TestV1WhatBecomesOfATokenConcernsNobodyWhoHasShownAnotherMeanwhile(t *testing.T) {
	for name, judged := range map[string]func(*fakeAccess){
		"revoked":       func(access *fakeAccess) { access.revoked["a"] = true },
		"ended earlier": func(access *fakeAccess) { access.expires["a"] = time.Now() },
	} {
		t.Run(name, func(t *testing.T) {
			access := newFakeAccess()
			s := startSteady(t, access.options)
			c := s.v1("access_token", "a")
			c.expect("Welcome")
			access.mu.Lock()
			judged(access) // nobody is told
			access.mu.Unlock()
			verdicts := s.service.bearers.judge(access)
			if len(verdicts) != 1 {
				t.Fatalf("%d clients are concerned", len(verdicts))
			}
			c.say(`{"type":"Authenticate","token":"b"}`)
			c.expect("Authenticated")
			for client, v := range verdicts {
				if client.judged(v) {
					t.Error("it is ended")
				}
				client.mu.Lock()
				if client.expiry != 0 {
					t.Error("it ends with the token before")
				}
				client.mu.Unlock()
			}
			c.say(`{"type":"Subscribe","id":"s"}`)
			c.expect("Subscribed")
		})
	}
}

func TestAKeyThatEndsEarlierThanItWasToEndsItsClientsThen(t *testing.T) {
	access := newFakeAccess()
	s := startSteady(t, access.options)
	l, other := s.webSocket("access_token", "a"), s.webSocket("access_token", "b")
	s.connected(2)
	access.say(func() { access.expires["a"] = time.Now().Add(10 * time.Millisecond) })
	if code := l.closed(); code != 4401 {
		t.Errorf("closed with %d", code)
	}
	s.write(1)
	other.count(1)
}

func TestWhatVeryManyClientsShowedIsJudgedOnce(t *testing.T) {
	access := newFakeAccess()
	b := newBearers()
	who := identity.Principal{Subject: "x", TokenID: "a"}
	clients := make([]*client, 1000)
	for i := range clients {
		clients[i] = &client{}
		b.enter(clients[i], who)
	}
	b.enter(clients[0], identity.Principal{}) // shows nothing any more
	access.revoked["a"] = true
	if got := b.judge(access); len(got) != 999 || access.asked != 1 {
		t.Errorf("%d clients are concerned, asked was %d times", len(got), access.asked)
	}
	for _, c := range clients {
		b.leave(c)
	}
	if len(b.by)+len(b.shown) > 0 {
		t.Error("something is left")
	}
}
