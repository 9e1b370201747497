package parking_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/internal/identity"
	"parkwire/internal/identity/access"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

type (
	apiKey struct {
		ID, Name, CreatedBy, Secret                               string
		Scopes, Lots                                              []string
		CreatedAt, ExpiresAt, RotatedAt, PreviousUntil, RevokedAt time.Time
	}
	revocation struct {
		ID, TokenID, Subject, RevokedBy string
		RevokedAt, KeptUntil            time.Time
	}
)

// grants has a platform, and what gateways know of it.
func grants(t *testing.T) (*platform, *access.Set) {
	t.Helper()
	p := newPlatform(t)
	p.scopes = "admin"
	set := access.NewSet(p.clock.Now)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = set.Follow(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }), slog.New(slog.DiscardHandler))
	}()
	t.Cleanup(func() { stop(); <-ended })
	until(t, "the set knows everything", func() bool { return set.Ready() == nil })
	return p, set
}

// until waits until it holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come about that " + what)
		}
	}
}

func TestAKeyThatIsMadeSpeaksForItsScopesAndLots(t *testing.T) {
	p, set := grants(t)
	expires := p.clock.Now().Add(time.Hour).Truncate(time.Millisecond)
	made := do[apiKey](t, p, 201, "POST", "/api/v1/keys", body{"name": "gate 3", "scopes": []string{"ingest"}, "lots": []string{"a", "b 1"}, "expiresAt": expires})
	if made.ID == "" || made.Name != "gate 3" || made.CreatedBy != "tester" || !made.ExpiresAt.Equal(expires) || !strings.HasPrefix(made.Secret, "pw_") || len(made.Secret) != 46 {
		t.Errorf("made %+v", made)
	}
	until(t, "the key is known", func() bool { _, err := set.Key(made.Secret); return err == nil })
	who, err := set.Key(made.Secret)
	if err != nil || who.Subject != "key:"+made.ID || !who.Can("ingest") || who.Can("operate") || !who.Reaches("b 1") || who.Reaches("c") || !who.Expires.Equal(expires) {
		t.Errorf("it speaks for %+v, %v", who, err)
	}
	got := do[apiKey](t, p, 200, "GET", "/api/v1/keys/"+made.ID, nil)
	if got.Secret != "" || got.ID != made.ID {
		t.Errorf("it is told of as %+v", got)
	}
	everywhere := do[apiKey](t, p, 201, "POST", "/api/v1/keys", body{"name": "n", "scopes": []string{"read", "admin"}})
	if everywhere.Lots != nil || !everywhere.ExpiresAt.IsZero() {
		t.Errorf("made %+v", everywhere)
	}
	page := do[pageOf[apiKey]](t, p, 200, "GET", "/api/v1/keys?limit=1", nil)
	next := do[pageOf[apiKey]](t, p, 200, "GET", "/api/v1/keys?limit=1&cursor="+page.Next, nil)
	if len(page.Items) != 1 || page.Items[0].ID != made.ID || len(next.Items) != 1 || next.Items[0].ID != everywhere.ID || next.Next != "" {
		t.Errorf("listed %+v and %+v", page, next)
	}
}

func TestNothingThatIsKeptOrToldHasASecretOfAKeyInIt(t *testing.T) {
	p, _ := grants(t)
	secrets := []string{}
	made := do[apiKey](t, p, 201, "POST", "/api/v1/keys", body{"name": "n", "scopes": []string{"read"}}, "Idempotency-Key", "k")
	rotated := do[apiKey](t, p, 200, "POST", "/api/v1/keys/"+made.ID+"/rotate", nil, "Idempotency-Key", "r")
	secrets = append(secrets, made.Secret, rotated.Secret)
	if made.Secret == "" || rotated.Secret == "" || made.Secret == rotated.Secret {
		t.Fatalf("made %+v, then %+v", made, rotated)
	}
	for path, key := range map[string]string{"/api/v1/keys": "k", "/api/v1/keys/" + made.ID + "/rotate": "r"} {
		var content any
		if key == "k" {
			content = body{"name": "n", "scopes": []string{"read"}}
		}
		w := p.send("POST", path, content, "Idempotency-Key", key)
		var again apiKey
		if err := json.Unmarshal(w.Body.Bytes(), &again); err != nil || again.ID != made.ID || again.Secret != "" || w.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("what is asked again is answered with %s", w.Body)
		}
	}
	if page := do[pageOf[apiKey]](t, p, 200, "GET", "/api/v1/keys", nil); len(page.Items) != 1 {
		t.Errorf("%d keys were made", len(page.Items))
	}
	var told strings.Builder
	records, err := p.store.PendingRecords(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		told.Write(r.Value)
	}
	rows, err := p.store.AccessSince(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		told.Write(r.Value)
	}
	told.WriteString(p.send("GET", access.FeedPath+"?after=0", nil).Body.String())
	for _, key := range []string{"k", "r"} {
		kept, err := p.store.Answer(t.Context(), parking.AnswerKey{Subject: "tester", Key: key}, noon.Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		told.Write(kept.Body)
	}
	for _, secret := range secrets {
		if strings.Contains(told.String(), secret) {
			t.Errorf("the secret is in %s", told.String())
		}
	}
}

func TestTheSecretBeforeHoldsForAGraceTime(t *testing.T) {
	p, set := grants(t)
	made := do[apiKey](t, p, 201, "POST", "/api/v1/keys", body{"name": "n", "scopes": []string{"read"}})
	rotated := do[apiKey](t, p, 200, "POST", "/api/v1/keys/"+made.ID+"/rotate", body{"graceSeconds": 60})
	if rotated.RotatedAt.IsZero() || rotated.PreviousUntil.Sub(rotated.RotatedAt) != time.Minute {
		t.Errorf("rotated %+v", rotated)
	}
	until(t, "the new secret is known", func() bool { _, err := set.Key(rotated.Secret); return err == nil })
	old, err := set.Key(made.Secret)
	if err != nil || !old.Expires.Equal(rotated.PreviousUntil) {
		t.Errorf("the old one speaks for %+v, %v", old, err)
	}
	p.clock.advance(61 * time.Second)
	if _, err := set.Key(made.Secret); err == nil {
		t.Error("the old one holds for ever")
	}
	at := do[apiKey](t, p, 200, "POST", "/api/v1/keys/"+made.ID+"/rotate", body{"graceSeconds": 0})
	until(t, "the third secret is known", func() bool { _, err := set.Key(at.Secret); return err == nil })
	if _, err := set.Key(rotated.Secret); err == nil || !at.PreviousUntil.IsZero() {
		t.Errorf("without grace the second one holds on (%+v)", at)
	}
	for range 9 {
		do[apiKey](t, p, 200, "POST", "/api/v1/keys/"+made.ID+"/rotate", nil)
	}
	until(t, "no more than a few secrets are known", func() bool { _, err := set.Key(at.Secret); return err != nil })
}

func TestARevokedKeyIsRefusedAtOnceAndToldOfForSomeTime(t *testing.T) {
	p, set := grants(t)
	made := do[apiKey](t, p, 201, "POST", "/api/v1/keys", body{"name": "n", "scopes": []string{"read"}})
	until(t, "the key is known", func() bool { _, err := set.Key(made.Secret); return err == nil })
	w := p.send("GET", "/api/v1/keys/"+made.ID, nil)
	p.refused(t, 412, "version-mismatch", "", "DELETE", "/api/v1/keys/"+made.ID, nil, "If-Match", `"x"`)
	do[nothing](t, p, 204, "DELETE", "/api/v1/keys/"+made.ID, nil, "If-Match", w.Header().Get("ETag"))
	do[nothing](t, p, 204, "DELETE", "/api/v1/keys/"+made.ID, nil) // again
	until(t, "the key is refused", func() bool { _, err := set.Key(made.Secret); return err != nil })
	if got := do[apiKey](t, p, 200, "GET", "/api/v1/keys/"+made.ID, nil); got.RevokedAt.IsZero() {
		t.Errorf("it is told of as %+v", got)
	}
	p.refused(t, 409, "key-ended", "", "POST", "/api/v1/keys/"+made.ID+"/rotate", nil)
	p.refused(t, 404, "key-not-found", "", "POST", "/api/v1/keys/no/rotate", nil)
	p.refused(t, 404, "key-not-found", "", "DELETE", "/api/v1/keys/no", nil)
	p.refused(t, 404, "key-not-found", "", "GET", "/api/v1/keys/no", nil)
}

func TestTokensAreRevokedByTheirIdOrBySubject(t *testing.T) {
	p, set := grants(t)
	token := identity.Principal{Subject: "anna", TokenID: "t-1", IssuedAt: p.clock.Now().Add(-time.Hour), Scopes: []string{"read"}}
	other := identity.Principal{Subject: "bert", TokenID: "t-2", IssuedAt: p.clock.Now().Add(-time.Hour)}
	revoked := func(who identity.Principal) func() bool {
		return func() bool { _, err := set.Check(who); return err != nil }
	}
	one := do[revocation](t, p, 201, "POST", "/api/v1/revocations", body{"tokenId": "t-1", "expiresAt": p.clock.Now().Add(time.Hour)})
	if one.TokenID != "t-1" || one.RevokedBy != "tester" || one.KeptUntil.Sub(one.RevokedAt) != 2*time.Hour {
		t.Errorf("made %+v", one)
	}
	until(t, "the token is refused", revoked(token))
	if revoked(other)() {
		t.Error("another token is refused")
	}
	all := do[revocation](t, p, 201, "POST", "/api/v1/revocations", body{"subject": "bert"})
	until(t, "bert's token is refused", revoked(other))
	other.IssuedAt = p.clock.Now().Add(time.Second)
	if revoked(other)() {
		t.Error("a token that was issued later is refused")
	}
	if got := do[revocation](t, p, 200, "GET", "/api/v1/revocations/"+all.ID, nil); got != all {
		t.Errorf("it is told of as %+v", got)
	}
	if page := do[pageOf[revocation]](t, p, 200, "GET", "/api/v1/revocations", nil); len(page.Items) != 2 || page.Items[0] != one {
		t.Errorf("listed %+v", page)
	}
	p.refused(t, 404, "revocation-not-found", "", "GET", "/api/v1/revocations/no", nil)
}

func TestKeysAndRevocationsThatAreNotRightAreRefused(t *testing.T) {
	p, _ := grants(t)
	key := func(name string, value any) body {
		b := body{"name": "n", "scopes": []string{"read"}}
		b[name] = value
		return b
	}
	past := p.clock.Now().Add(-time.Second)
	for _, c := range []struct {
		field   string
		content body
	}{
		{"name", body{"scopes": []string{"read"}}}, {"name", key("name", "")}, {"scopes", body{"name": "n"}}, {"scopes", key("scopes", []string{})},
		{"scopes", key("scopes", []string{"root"})}, {"scopes", key("scopes", []string{"read", "read"})}, {"scopes", key("scopes", "read")},
		{"lots", key("lots", []string{})}, {"lots", key("lots", []any{nil})}, {"lots", key("lots", "a")}, {"lots", key("lots", []string{"a/b"})},
		{"lots", key("lots", slices.Repeat([]string{strings.Repeat("ü", 60)}, 69))}, // 24,908 bytes in the header of a request
		{"expiresAt", key("expiresAt", past)}, {"expiresAt", key("expiresAt", "tomorrow")},
	} {
		p.refused(t, 400, "invalid-field", c.field, "POST", "/api/v1/keys", c.content)
	}
	p.refused(t, 400, "unknown-field", "secret", "POST", "/api/v1/keys", key("secret", "mine"))
	made := do[apiKey](t, p, 201, "POST", "/api/v1/keys", key("name", "ok"))
	for _, grace := range []any{-1, 2592001, 1.5, "1"} {
		p.refused(t, 400, "invalid-field", "graceSeconds", "POST", "/api/v1/keys/"+made.ID+"/rotate", body{"graceSeconds": grace})
	}
	for _, content := range []body{{}, {"tokenId": "a", "subject": "b"}} {
		p.refused(t, 400, "invalid-body", "", "POST", "/api/v1/revocations", content)
	}
	for field, value := range map[string]any{"tokenId": strings.Repeat("i", 201), "subject": "key:x", "expiresAt": past} {
		content := body{field: value}
		if field == "expiresAt" {
			content["tokenId"] = "a"
		}
		p.refused(t, 400, "invalid-field", field, "POST", "/api/v1/revocations", content)
	}
}

func TestKeysAndRevocationsAreForAdministratorsOfAllLots(t *testing.T) {
	p, _ := grants(t)
	for _, c := range []struct{ method, path string }{
		{"GET", "/keys"}, {"POST", "/keys"}, {"GET", "/keys/x"}, {"DELETE", "/keys/x"}, {"POST", "/keys/x/rotate"},
		{"GET", "/revocations"}, {"POST", "/revocations"}, {"GET", "/revocations/x"},
	} {
		p.refused(t, 403, "scope-missing", "", c.method, "/api/v1"+c.path, nil, identity.HeaderScopes, "operate")
		p.refused(t, 403, "lot-not-allowed", "", c.method, "/api/v1"+c.path, nil, limited("a")...)
		p.refused(t, 401, "token-required", "", c.method, "/api/v1"+c.path, nil, identity.HeaderSubject, "", identity.HeaderScopes, "")
	}
}

func TestWhatIsGrantedIsToldOnTheTopicWithTheChange(t *testing.T) {
	p, _ := grants(t)
	made := do[apiKey](t, p, 201, "POST", "/api/v1/keys", body{"name": "n", "scopes": []string{"read"}})
	do[nothing](t, p, 204, "DELETE", "/api/v1/keys/"+made.ID, nil)
	do[revocation](t, p, 201, "POST", "/api/v1/revocations", body{"tokenId": "t"})
	told := func() (told []relay.Record) {
		rows, err := p.store.PendingRecords(t.Context(), 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Topic == relay.Access {
				told = append(told, r.Record)
			}
		}
		return told
	}
	records := told()
	if len(records) != 3 || records[0].Key != "key:"+made.ID || records[1].Key != records[0].Key {
		t.Fatalf("told %+v", records)
	}
	before := int64(0)
	for i, r := range records {
		e, err := access.Decode(r.Value)
		if err != nil || e.Revision <= before || e.ID == "" || e.RecordKey() != r.Key {
			t.Errorf("record %d is %s (%v)", i, r.Value, err)
		}
		before = e.Revision
	}
	if err := p.store.RepeatAccess(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again := told()[3:]; !reflect.DeepEqual(again, records[1:]) { // the first of the key was not the last of it
		t.Errorf("told again: %s", again)
	}
	rest := len(told())
	p.clock.advance(access.KeysKept + 400*24*time.Hour + time.Hour)
	if err := p.service.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := told()[rest:]
	if len(after) != 2 || after[0].Value != nil || after[1].Value != nil {
		t.Errorf("what nobody needs any more is told as %+v", after)
	}
	p.refused(t, 404, "key-not-found", "", "GET", "/api/v1/keys/"+made.ID, nil)
}

func TestTheFeedAnswersAsSoonAsThereIsSomething(t *testing.T) {
	p, _ := grants(t)
	answered := make(chan access.Page, 1)
	r := httptest.NewRequest("GET", access.FeedPath+"?after=0", nil)
	go func() {
		w := httptest.NewRecorder()
		p.handler.ServeHTTP(w, r)
		var page access.Page
		_ = json.Unmarshal(w.Body.Bytes(), &page)
		answered <- page
	}()
	select {
	case page := <-answered:
		t.Fatalf("it answers without anything to tell: %+v", page)
	case <-time.After(50 * time.Millisecond):
	}
	made := do[apiKey](t, p, 201, "POST", "/api/v1/keys", body{"name": "n", "scopes": []string{"read"}})
	if page := <-answered; len(page.Entries) != 1 || page.Entries[0].Key.ID != made.ID || page.Revision < 1 || page.More {
		t.Errorf("it answers %+v", page)
	}
	if page := do[access.Page](t, p, 200, "GET", access.FeedPath, nil); len(page.Entries) != 1 {
		t.Errorf("it answers %+v", page)
	}
	p.refused(t, 400, "invalid-parameter", "after", "GET", access.FeedPath+"?after=-1", nil)
}
