package identity_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parkwire/internal/identity"
	"parkwire/internal/problem"
)

var (
	key = []byte("0123456789abcdef0123456789abcdef")
	now = time.Date(2026, 11, 24, 3, 35, 0, 0, time.UTC)
)

func verifier(t *testing.T, key []byte, o identity.Options) *identity.Verifier {
	t.Helper()
	if o.Clock == nil {
		o.Clock = func() time.Time { return now }
	}
	v, err := identity.NewHS256(key, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestScopesIncludeTheWeakerOnes(t *testing.T) {
	for _, held := range identity.Scopes {
		p := identity.Principal{Subject: "x", Scopes: []string{held}}
		reached := false
		for i := len(identity.Scopes) - 1; i >= 0; i-- {
			need := identity.Scopes[i]
			reached = reached || need == held
			if p.Can(need) != reached {
				t.Errorf("a holder of %q can %q: %v, want %v", held, need, p.Can(need), reached)
			}
		}
	}
	if (identity.Principal{Scopes: []string{"admin"}}).Can("everything") {
		t.Error("a scope that does not exist was granted")
	}
	if (identity.Principal{Scopes: []string{"root"}}).Can("read") {
		t.Error("a scope that does not exist granted another")
	}
}

func TestAnIssuedTokenSpeaksForItsPrincipal(t *testing.T) {
	v := verifier(t, key, identity.Options{})
	want := identity.Principal{Subject: "gate 3", Scopes: []string{"ingest", "read"}, Lots: []string{"central", "süd 2"}}
	token, err := v.Issue(want, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Verify(t.Context(), token)
	if until := now.Add(time.Hour); got.Expires.Before(until) || got.Expires.After(until.Add(time.Minute)) {
		t.Errorf("it is good until %v; it was issued until %v", got.Expires, until)
	}
	if got.TokenID == "" || !got.IssuedAt.Equal(now) {
		t.Errorf("its id is %q, issued %v", got.TokenID, got.IssuedAt)
	}
	want.Expires, want.TokenID, want.IssuedAt = got.Expires, got.TokenID, got.IssuedAt
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTokensThatMustBeRefused(t *testing.T) {
	sign := func(method jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
		claims := jwt.MapClaims{"iss": "parkwire", "sub": "x", "scope": "admin", "exp": now.Add(time.Hour).Unix()}
		change(claims)
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	as := func(name string, value any) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) {
			if c[name] = value; value == nil {
				delete(c, name)
			}
		}
	}
	hs, same := jwt.SigningMethodHS256, func(jwt.MapClaims) {}
	good := sign(hs, key, same)
	cut := strings.Split(good, ".")
	understood := jwt.NewWithClaims(hs, jwt.MapClaims{"iss": "parkwire", "sub": "x", "scope": "admin", "exp": now.Add(time.Hour).Unix()})
	understood.Header["crit"] = []string{"b64"}
	crit, err := understood.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"not a token":           "hello",
		"empty":                 "",
		"no signature":          sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same),
		"signature cut off":     cut[0] + "." + cut[1] + ".",
		"another key":           sign(hs, []byte(strings.Repeat("k", 32)), same),
		"another algorithm":     sign(jwt.SigningMethodHS512, key, same),
		"another issuer":        sign(hs, key, as("iss", "elsewhere")),
		"no issuer":             sign(hs, key, as("iss", nil)),
		"never expires":         sign(hs, key, as("exp", nil)),
		"expired":               sign(hs, key, as("exp", now.Add(-31*time.Second).Unix())),
		"not yet valid":         sign(hs, key, as("nbf", now.Add(time.Minute).Unix())),
		"issued in the future":  sign(hs, key, as("iat", now.Add(time.Minute).Unix())),
		"no subject":            sign(hs, key, as("sub", nil)),
		"subject with newline":  sign(hs, key, as("sub", "a\nb")),
		"subject of great size": sign(hs, key, as("sub", strings.Repeat("s", 201))),
		"scope of another kind": sign(hs, key, as("scope", 7)),
		"lots are null":         sign(hs, key, as("lots", json.RawMessage("null"))),
		"lots are a number":     sign(hs, key, as("lots", 7)),
		"lots are not strings":  sign(hs, key, as("lots", []any{"a", nil})),
		"a lot without a name":  sign(hs, key, as("lots", []string{""})),
		"lots of long names":    sign(hs, key, as("lots", slices.Repeat([]string{strings.Repeat("ü", 60)}, 69))), // 360 bytes each when escaped
		"very many lots":        sign(hs, key, as("lots", strings.Split(strings.Repeat("a,", 1000)+"a", ","))),
		"an id of great size":   sign(hs, key, as("jti", strings.Repeat("i", 201))),
		"parts to understand":   crit,
		"lots that are null":    sign(hs, key, func(c jwt.MapClaims) { c["lots"] = nil }),
		"lots of another kind":  sign(hs, key, as("lots", 7)),
		"lots without a name":   sign(hs, key, as("lots", []string{"a", ""})),
		"more lots than may be": sign(hs, key, as("lots", make([]string, 1001))),
		"id of great size":      sign(hs, key, as("jti", strings.Repeat("i", 201))),
		"claims swapped":        cut[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"root"}`)) + "." + cut[2],
	} {
		if p, err := verifier(t, key, identity.Options{}).Verify(t.Context(), token); !errors.Is(err, identity.ErrToken) {
			t.Errorf("%s: accepted as %+v (%v)", name, p, err)
		} else if token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error repeats the token: %v", name, err)
		}
	}
	v := verifier(t, key, identity.Options{})
	if _, err := v.Verify(t.Context(), sign(hs, key, as("exp", now.Add(-29*time.Second).Unix()))); err != nil {
		t.Errorf("clocks that differ by 29 s: %v", err)
	}
	if _, err := verifier(t, key, identity.Options{Audience: "north"}).Verify(t.Context(), good); !errors.Is(err, identity.ErrToken) {
		t.Errorf("a token without the audience that is asked for: %v", err)
	}
}

func TestTheClaimLotsLimits(t *testing.T) {
	v := verifier(t, key, identity.Options{})
	for claim, want := range map[string][]string{`["a","b"]`: {"a", "b"}, `"a"`: {"a"}, `[]`: {}, ``: nil} {
		claims := jwt.MapClaims{"iss": "parkwire", "sub": "x", "exp": now.Add(time.Hour).Unix()}
		if claim != "" {
			claims["lots"] = json.RawMessage(claim)
		}
		token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		p, err := v.Verify(t.Context(), token)
		if err != nil || !reflect.DeepEqual(p.Lots, want) {
			t.Errorf("%q became %#v, %v", claim, p.Lots, err)
		}
		if p.Reaches("a") != (want == nil || len(want) > 0) || p.Reaches("c") != (want == nil) {
			t.Errorf("with %q it reaches a: %v, c: %v", claim, p.Reaches("a"), p.Reaches("c"))
		}
	}
}

func TestIssueRefusesWhatVerifyWouldNotAccept(t *testing.T) {
	v := verifier(t, key, identity.Options{})
	for _, p := range []identity.Principal{{}, {Subject: "x"}, {Subject: "x", Scopes: []string{"root"}}, {Subject: "a\tb", Scopes: []string{"read"}},
		{Subject: "x", Scopes: []string{"read"}, Lots: []string{"a", ""}}} {
		if _, err := v.Issue(p, time.Hour); err == nil {
			t.Errorf("issued a token for %+v", p)
		}
	}
	if _, err := v.Issue(identity.Principal{Subject: "x", Scopes: []string{"read"}}, 0); err == nil {
		t.Error("issued a token that has expired already")
	}
	if _, err := identity.NewHS256(key[:31], identity.Options{}); err == nil {
		t.Error("a key of 31 bytes was taken")
	}
}

func TestATokenIsForAllLotsOrForThoseThatItNames(t *testing.T) {
	v := verifier(t, key, identity.Options{})
	for _, lots := range [][]string{nil, {}, {"north"}, {"a b", "Straße 9"}} {
		token, err := v.Issue(identity.Principal{Subject: "x", Scopes: []string{"read"}, Lots: lots}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := v.Verify(t.Context(), token); err != nil || !reflect.DeepEqual(p.Lots, lots) {
			t.Errorf("a token for %#v speaks for %#v, %v", lots, p.Lots, err)
		}
	}
}

func TestATokenIsCheckedByWhatIsForItsIssuer(t *testing.T) {
	ours, theirs := verifier(t, key, identity.Options{}), provider{"https://login.example.org"}
	tokens := identity.Tokens{identity.Issuer: ours, "https://login.example.org": theirs}
	token, err := ours.Issue(identity.Principal{Subject: "x", Scopes: []string{"read"}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	unsigned := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".x"
	}
	for token, subject := range map[string]string{
		token:                              "x",
		unsigned(`{"iss":"parkwire"}`):     "",
		unsigned(`{"iss":"https://evil"}`): "",
		unsigned(`{"iss":["parkwire"]}`):   "",
		unsigned(`{}`):                     "",
		unsigned(`what`):                   "",
		"hello":                            "",
		"pw_" + strings.Repeat("x", 43):    "",
		unsigned(`{"iss":"https://login.example.org"}`): "https://login.example.org",
	} {
		p, err := tokens.Verify(t.Context(), token)
		if p.Subject != subject || (subject == "") != errors.Is(err, identity.ErrToken) {
			t.Errorf("%s: %+v, %v", token, p, err)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if p, err := (identity.Tokens{}).Authenticate(r); err != nil || !p.Anonymous() {
		t.Errorf("with nothing to look at tokens with: %+v, %v", p, err)
	}
}

// provider takes every token.
type provider struct{ subject string }

func (p provider) Verify(context.Context, string) (identity.Principal, error) {
	return identity.Principal{Subject: p.subject}, nil
}

func TestTheTokenIsReadFromTheAddressOnlyForNotifications(t *testing.T) {
	v := verifier(t, key, identity.Options{})
	token, err := v.Issue(identity.Principal{Subject: "x", Scopes: []string{"read"}}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ target, header, subject string }{
		{"/notifications?access_token=" + token, "", "x"},
		{"/api/v1/lots?access_token=" + token, "", ""},
		{"/api/v1/lots", "Bearer " + token, "x"},
		{"/api/v1/lots", "bearer " + token, "x"},
		{"/api/v1/lots", "Basic " + token, ""},
		{"/notifications", "", ""},
	} {
		r := httptest.NewRequest("GET", c.target, nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		if p, err := v.Authenticate(r); err != nil || p.Subject != c.subject {
			t.Errorf("%.20s %.8s: subject %q, %v", c.target, c.header, p.Subject, err)
		}
	}
}

func TestForwardTakesOutWhatTheClientClaimedToBe(t *testing.T) {
	h := http.Header{"X-Parkwire-Subject": {"root"}, "X-Parkwire-Scopes": {"admin"}, "X-Parkwire-Other": {"1"}, "Accept": {"*/*"}}
	identity.Forward(h, identity.Principal{})
	if want := (http.Header{"Accept": {"*/*"}}); !reflect.DeepEqual(h, want) {
		t.Errorf("got %v", h)
	}
	identity.Forward(h, identity.Principal{Subject: "x", Scopes: []string{"read", "ingest"}})
	p, err := identity.Behind{}.Authenticate(&http.Request{Header: h})
	if err != nil || p.Subject != "x" || !p.Can("ingest") || p.Can("operate") {
		t.Errorf("the part behind understood %+v, %v", p, err)
	}
}

func TestATokenIsIssuedForAsManyLotsOnlyAsAHeaderOfRequestsToPartsTakes(t *testing.T) {
	verifier, err := identity.NewHS256(key, identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("ü", 60) // 360 bytes when escaped, and a space
	for n, taken := range map[int]bool{68: true, 69: false} {
		p := identity.Principal{Subject: "x", Scopes: []string{"read"}, Lots: slices.Repeat([]string{long}, n)}
		token, err := verifier.Issue(p, time.Hour)
		if (err == nil) != taken {
			t.Errorf("%d lots: %v", n, err)
		}
		if !taken {
			continue
		}
		if p, err = verifier.Verify(t.Context(), token); err != nil || len(p.Lots) != n {
			t.Errorf("%d lots became %d, %v", n, len(p.Lots), err)
		}
		h := http.Header{}
		identity.Forward(h, p)
		if length := len(h.Get("X-Parkwire-Lots")); length > identity.MaxLotsLength || length != identity.LotsLength(p.Lots) {
			t.Errorf("the header has %d bytes", length)
		}
	}
}

func TestPartsBehindHearToWhichLotsAPrincipalIsLimited(t *testing.T) {
	for _, lots := range [][]string{nil, {}, {"central"}, {"a b", "süd/2", "100%", "a+b", "*", "a,b"}} {
		h := http.Header{"X-Parkwire-Lots": {"forged"}}
		identity.Forward(h, identity.Principal{Subject: "x", Scopes: []string{"read"}, Lots: lots})
		passed := http.Header{}
		identity.CopyForwarded(passed, h)
		p, err := identity.Behind{}.Authenticate(&http.Request{Header: passed})
		if err != nil || p.Subject != "x" || !reflect.DeepEqual(p.Lots, lots) {
			t.Errorf("%q became %q, %v (%v)", lots, p.Lots, err, h)
		}
	}
	if _, err := (identity.Behind{}).Authenticate(&http.Request{Header: http.Header{"X-Parkwire-Lots": {"%zz"}}}); err == nil {
		t.Error("a header that cannot be read limits nobody")
	}
}

func TestPartsBehindHearWhichTokenItIsAndUntilWhenItHolds(t *testing.T) {
	issued := time.Date(2026, 11, 24, 3, 35, 0, 0, time.UTC)
	for _, want := range []identity.Principal{
		{Subject: "x", Scopes: []string{"read"}},
		{Subject: "x", Scopes: []string{"read"}, TokenID: "a b/ü%", IssuedAt: issued, Expires: issued.Add(time.Hour)},
	} {
		h := http.Header{identity.HeaderToken: {"forged"}, identity.HeaderExpires: {"99999999999999"}}
		identity.Forward(h, want)
		p, err := identity.Behind{}.Authenticate(&http.Request{Header: h})
		if err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%+v became %+v, %v (%v)", want, p, err, h)
		}
	}
	for _, name := range []string{identity.HeaderToken, identity.HeaderIssued, identity.HeaderExpires} {
		if _, err := (identity.Behind{}).Authenticate(&http.Request{Header: http.Header{name: {"%zz"}}}); err == nil {
			t.Errorf("%s that cannot be read is taken", name)
		}
	}
}

func TestALotOutsideIsRefusedByTheTokenAlone(t *testing.T) {
	if err := identity.AuthorizeLot(identity.Principal{}, "a"); err != nil {
		t.Error(err)
	}
	err := identity.AuthorizeLot(identity.Principal{Subject: "x", Lots: []string{"b"}}, "a")
	if p := problem.From(err); err == nil || p.Status != 403 || !strings.HasSuffix(p.Type, ":lot-not-allowed") || !strings.Contains(p.Detail, `"a"`) {
		t.Errorf("got %v", err)
	}
}

func TestWhatCannotBeJudgedIsNoFault(t *testing.T) {
	p := identity.Refused(fmt.Errorf("the keys are not known yet: %w", identity.ErrUnavailable))
	if p.Status != 503 || !strings.Contains(p.Detail, "the keys are not known yet") {
		t.Errorf("got %+v", p)
	}
}

func TestAuthorizeTellsMissingFromInsufficient(t *testing.T) {
	for _, c := range []struct {
		p      identity.Principal
		scope  string
		status int
		header string
	}{
		{identity.Principal{}, "", 0, ""},
		{identity.Principal{}, "read", 401, `Bearer realm="parkwire"`},
		{identity.Principal{Subject: "x", Scopes: []string{"read"}}, "operate", 403, `Bearer realm="parkwire", error="insufficient_scope", scope="operate"`},
		{identity.Principal{Subject: "x", Scopes: []string{"admin"}}, "operate", 0, ""},
	} {
		err := identity.Authorize(c.p, c.scope)
		if (err == nil) != (c.status == 0) {
			t.Errorf("%+v for %q: %v", c.p, c.scope, err)
			continue
		}
		if err == nil {
			continue
		}
		h := http.Header{}
		identity.Challenge(h, problem.From(err))
		if problem.From(err).Status != c.status || h.Get("WWW-Authenticate") != c.header {
			t.Errorf("%+v for %q: %v, %v", c.p, c.scope, err, h)
		}
	}
}

func TestOneKeyIsMadeHoweverManyProcessesStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "jwt.key")
	keys := make([][]byte, 16)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			made, err := identity.ReadOrMakeKeys(path)
			if err != nil || len(made) != 1 {
				t.Errorf("%d keys, %v", len(made), err)
				return
			}
			keys[i] = made[0]
		})
	}
	wg.Wait()
	for _, k := range keys {
		if !bytes.Equal(k, keys[0]) || len(k) < identity.MinKeyBytes {
			t.Fatalf("keys differ: %q and %q", k, keys[0])
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestAKeyFileThatCannotBeUsedIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	for text, says := range map[string]string{
		"short\n":                         "key 1 ",
		"":                                "0 bytes and needs at least 32",
		" \n\n":                           "0 bytes and needs at least 32",
		strings.Repeat("k", 32) + "\nold": "key 2 ",
	} {
		write(t, path, text)
		if _, err := identity.ReadOrMakeKeys(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestKeysChangeWhileTheProcessRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	one, two := strings.Repeat("1", 32), strings.Repeat("2", 32)
	write(t, path, one+"\n")
	synctest.Test(t, func(t *testing.T) {
		keys, err := identity.ReadKeys(path)
		if err != nil {
			t.Fatal(err)
		}
		v, err := identity.NewHS256(keys[0], identity.Options{}, keys[1:]...)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			v.Follow(ctx, path, slog.New(slog.NewTextHandler(&log, nil)))
		}()
		defer func() { cancel(); <-ended }()
		tokens := map[string]string{}
		issue := func(name string) {
			token, err := v.Issue(identity.Principal{Subject: name, Scopes: []string{"read"}}, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			tokens[name] = token
		}
		taken := func(when string, want ...string) {
			t.Helper()
			var got []string
			for _, name := range []string{"one", "two"} {
				if token := tokens[name]; token != "" {
					if _, err := v.Verify(t.Context(), token); err == nil {
						got = append(got, name)
					}
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s tokens by the keys %q are taken, not %q", when, got, want)
			}
		}
		issue("one")
		for _, step := range []struct {
			when, text string
			taken      []string
		}{
			{"while nothing changes", one + "\n", []string{"one"}},
			{"with a new key before the old one", two + "\r\n" + one, []string{"one", "two"}},
			{"while half a file is there", "2", []string{"one", "two"}},
			{"without the old key", "\n" + two + "\n\n", []string{"two"}},
		} {
			write(t, path, step.text)
			time.Sleep(time.Second)
			synctest.Wait()
			if step.when == "with a new key before the old one" {
				issue("two")
			}
			taken(step.when, step.taken...)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		token, err := v.Issue(identity.Principal{Subject: "three", Scopes: []string{"read"}}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("while there is no file: %v", err)
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 2 { // half a file, and none
			t.Errorf("it was told of %d times that the file cannot be used:\n%s", n, &log)
		}
		if strings.Contains(log.String(), one) || strings.Contains(log.String(), two) {
			t.Errorf("a key is logged:\n%s", &log)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkVerify(b *testing.B) {
	v, err := identity.NewHS256(key, identity.Options{})
	if err != nil {
		b.Fatal(err)
	}
	token, err := v.Issue(identity.Principal{Subject: "x", Scopes: []string{"read"}}, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := v.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
