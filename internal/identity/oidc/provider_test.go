package oidc

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/identity"
	"parkwire/internal/identity/oidctest"
)

const (
	testIssuer   = "https://login.example.org/realms/parking"
	testAudience = "https://parking.test/api"
)

// direct answers requests without a network, so that time can stand still.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Path = strings.TrimPrefix(r.URL.Path, "/realms/parking")
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), nil
}

// with runs a test where time moves only when everybody waits, with a provider and what checks its tokens.
func with(t *testing.T, o Options, test func(t *testing.T, there *oidctest.Provider, here *Provider)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		there := oidctest.New(oidctest.Options{Issuer: testIssuer, Audience: testAudience})
		o.Issuer, o.Audience = testIssuer, testAudience
		if o.Transport == nil {
			o.Transport = direct{there}
		}
		o.Logger = slog.New(slog.DiscardHandler)
		here := New(o)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); here.Run(ctx) }()
		defer func() { cancel(); <-ended }()
		synctest.Wait()
		test(t, there, here)
	})
}

var operator = oidctest.User{Name: "operator", Scopes: []string{"operate"}}

func TestATokenOfTheProviderSpeaksForWhomItNames(t *testing.T) {
	with(t, Options{}, func(t *testing.T, there *oidctest.Provider, here *Provider) {
		for _, algorithm := range algorithms {
			there.Rotate(algorithm)
			time.Sleep(refreshPause)
			now := time.Now()
			token := there.Sign(there.Claims(oidctest.User{Name: "248289761001", Scopes: []string{"read", "openid", "ingest"}, Lots: []string{"north", "a b"}}), nil)
			got, err := here.Verify(t.Context(), token)
			want := identity.Principal{
				Subject: "oidc:248289761001", Scopes: []string{"read", "ingest"}, Lots: []string{"north", "a b"}, TokenID: got.TokenID,
				IssuedAt: now, Expires: now.Add(5*time.Minute + identity.Leeway),
			}
			if err != nil || got.TokenID == "" || !got.IssuedAt.Equal(want.IssuedAt) || !got.Expires.Equal(want.Expires) {
				t.Errorf("%s: %+v, %v", algorithm, got, err)
			}
			want.IssuedAt, want.Expires = got.IssuedAt, got.Expires
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, want %+v", algorithm, got, want)
			}
		}
	})
}

func TestTokensThatMustBeRefused(t *testing.T) {
	with(t, Options{}, func(t *testing.T, there *oidctest.Provider, here *Provider) {
		id := there.Rotate("RS256")
		time.Sleep(refreshPause)
		type change = func(c jwt.MapClaims, header map[string]any)
		sign := func(changes ...change) string {
			c, header := there.Claims(operator), map[string]any{}
			for _, apply := range changes {
				apply(c, header)
			}
			return there.Sign(c, header)
		}
		claim := func(name string, value any) change {
			return func(c jwt.MapClaims, _ map[string]any) {
				if c[name] = value; value == nil {
					delete(c, name)
				}
			}
		}
		header := func(name string, value any) change {
			return func(_ jwt.MapClaims, h map[string]any) { h[name] = value }
		}
		by := func(method jwt.SigningMethod, key any, header map[string]any) string {
			token := jwt.NewWithClaims(method, there.Claims(operator))
			token.Header["kid"] = id
			maps.Copy(token.Header, header)
			text, err := token.SignedString(key)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		attacker, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(there.Public())
		if err != nil {
			t.Fatal(err)
		}
		written := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		at := func(after time.Duration) int64 { return time.Now().Add(after).Unix() }
		good := sign()
		part := strings.Split(good, ".")
		if _, err := here.Verify(t.Context(), good); err != nil {
			t.Fatalf("the token of which the others are made: %v", err)
		}
		for name, token := range map[string]string{
			"no signature":                              by(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil),
			"signature cut off":                         part[0] + "." + part[1] + ".",
			"claims of another":                         part[0] + "." + strings.Split(sign(claim("sub", "root")), ".")[1] + "." + part[2],
			"HMAC with the public key, written as PEM":  by(jwt.SigningMethodHS256, written, nil),
			"HMAC with the public key, in DER":          by(jwt.SigningMethodHS256, der, nil),
			"another key of the same name":              by(jwt.SigningMethodRS256, attacker, nil),
			"another key that says where it is":         by(jwt.SigningMethodRS256, attacker, map[string]any{"kid": "evil", "jku": "https://evil.example/jwks", "x5u": "https://evil.example/c"}),
			"another key that it brings":                by(jwt.SigningMethodRS256, attacker, map[string]any{"jwk": map[string]string{"kty": "RSA"}, "kid": ""}),
			"a key named by a path":                     by(jwt.SigningMethodRS256, attacker, map[string]any{"kid": "../../dev/null"}),
			"a key named by a number":                   sign(header("kid", 1)),
			"an algorithm that the key is not for":      by(jwt.SigningMethodPS256, attacker, nil),
			"a header that must be understood":          sign(header("crit", []string{"b64"}), header("b64", false)),
			"a type for logging out":                    sign(header("typ", "logout+jwt")),
			"a type that is no text":                    sign(header("typ", []string{"JWT"})),
			"an empty type":                             sign(header("typ", "")),
			"an ID token":                               sign(header("typ", "JWT"), claim("at_hash", "x")),
			"bound to a key":                            sign(claim("cnf", map[string]string{"jkt": "x"})),
			"another issuer":                            sign(claim("iss", "https://login.example.org/realms/other")),
			"its issuer with a slash":                   sign(claim("iss", testIssuer+"/")),
			"no issuer":                                 sign(claim("iss", nil)),
			"another audience":                          sign(claim("aud", "https://mail.test")),
			"audiences without ours":                    sign(claim("aud", []string{"a", "b"})),
			"no audience":                               sign(claim("aud", nil)),
			"never expires":                             sign(claim("exp", nil)),
			"expired":                                   sign(claim("exp", at(-31*time.Second))),
			"not yet valid":                             sign(claim("nbf", at(31*time.Second))),
			"issued in the future":                      sign(claim("iat", at(31*time.Second))),
			"no subject":                                sign(claim("sub", nil)),
			"a subject that is a number":                sign(claim("sub", 7)),
			"a subject with a newline":                  sign(claim("sub", "a\nb")),
			"a subject of great size":                   sign(claim("sub", strings.Repeat("s", 200))),
			"an id of great size":                       sign(claim("jti", strings.Repeat("i", 1000))),
			"scopes that are a number":                  sign(claim("scope", 7)),
			"scopes that are numbers":                   sign(claim("scp", []any{"admin", 7})),
			"lots that are null":                        sign(func(c jwt.MapClaims, _ map[string]any) { c["lots"] = nil }),
			"lots that are a number":                    sign(claim("lots", 7)),
			"lots that are numbers":                     sign(claim("lots", []any{"north", 7})),
			"lots one of which has no name":             sign(claim("lots", []string{"north", ""})),
			"not a token":                               "hello",
			"five parts, as tokens have when encrypted": "a.b.c.d.e",
		} {
			who, err := here.Verify(t.Context(), token)
			if !errors.Is(err, identity.ErrToken) {
				t.Errorf("%s: taken as %+v (%v)", name, who, err)
			} else if strings.Contains(err.Error(), token) {
				t.Errorf("%s: the error repeats the token: %v", name, err)
			}
		}
		for name, token := range map[string]string{
			"clocks that differ by 29 s": sign(claim("exp", at(-29*time.Second)), claim("nbf", at(29*time.Second)), claim("iat", at(29*time.Second))),
			"one of several audiences":   sign(claim("aud", []string{"account", testAudience})),
			"the type of any":            sign(header("typ", "JWT")),
			"the type in full":           sign(header("typ", "application/AT+JWT")),
		} {
			if _, err := here.Verify(t.Context(), token); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestScopesAndLotsAreFoundWhereverTheProviderPutsThem(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		claims  jwt.MapClaims
		scopes  []string
		lots    []string
	}{
		"as RFC 9068 has it":        {claims: jwt.MapClaims{"scope": "openid read ingest"}, scopes: []string{"read", "ingest"}},
		"a list":                    {claims: jwt.MapClaims{"scp": []string{"operate", "root"}}, scopes: []string{"operate"}},
		"both, each once":           {claims: jwt.MapClaims{"scope": "read", "scp": []string{"read", "admin"}}, scopes: []string{"read", "admin"}},
		"nowhere":                   {claims: jwt.MapClaims{"roles": "admin"}, scopes: []string{}},
		"roles in an object":        {options: Options{ScopesClaims: []string{"realm_access.roles"}}, claims: jwt.MapClaims{"realm_access": map[string]any{"roles": []string{"operate"}}, "scope": "admin"}, scopes: []string{"operate"}},
		"a name with dots":          {options: Options{ScopesClaims: []string{"https://parking.example.org/roles"}}, claims: jwt.MapClaims{"https://parking.example.org/roles": []string{"ingest"}}, scopes: []string{"ingest"}},
		"an object with such":       {options: Options{ScopesClaims: []string{"resource.parking.example.org.roles"}}, claims: jwt.MapClaims{"resource": map[string]any{"parking.example.org": map[string]any{"roles": "ingest"}}}, scopes: []string{"ingest"}},
		"names of their own":        {options: Options{Scopes: map[string]string{"staff": "operate", "api:read": "read"}}, claims: jwt.MapClaims{"scope": "staff api:read admin"}, scopes: []string{"operate", "read"}},
		"no lots":                   {claims: jwt.MapClaims{"lots": []string{}}, scopes: []string{}, lots: []string{}},
		"one lot":                   {claims: jwt.MapClaims{"lots": "north deck"}, scopes: []string{}, lots: []string{"north deck"}},
		"lots in an object":         {options: Options{LotsClaim: "parking.lots"}, claims: jwt.MapClaims{"parking": map[string]any{"lots": []string{"a"}}, "lots": "b"}, scopes: []string{}, lots: []string{"a"}},
		"what leads through a text": {options: Options{LotsClaim: "parking.lots"}, claims: jwt.MapClaims{"parking": "lots"}, scopes: []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			with(t, c.options, func(t *testing.T, there *oidctest.Provider, here *Provider) {
				claims := there.Claims(oidctest.User{Name: "x"})
				delete(claims, "scope")
				maps.Copy(claims, c.claims)
				got, err := here.Verify(t.Context(), there.Sign(claims, nil))
				if err != nil || !slices.Equal(got.Scopes, c.scopes) || !reflect.DeepEqual(got.Lots, c.lots) {
					t.Errorf("scopes %q, lots %#v, %v; want %q, %#v", got.Scopes, got.Lots, err, c.scopes, c.lots)
				}
			})
		})
	}
}

func TestAKeyThatIsNewIsTakenAtOnceAndOneThatIsGoneNoMore(t *testing.T) {
	with(t, Options{}, func(t *testing.T, there *oidctest.Provider, here *Provider) {
		before := there.Sign(there.Claims(operator), nil)
		time.Sleep(refreshPause)
		there.Rotate("ES256")
		if _, err := here.Verify(t.Context(), there.Sign(there.Claims(operator), nil)); err != nil {
			t.Errorf("by the new key: %v", err)
		}
		if _, err := here.Verify(t.Context(), before); !errors.Is(err, identity.ErrToken) {
			t.Errorf("by the key that the provider has withdrawn: %v", err)
		}
		// A key that goes while no other comes is noticed too.
		claims := there.Claims(operator)
		claims["exp"] = time.Now().Add(time.Hour).Unix()
		withdrawn := there.Sign(claims, nil)
		there.Rotate("ES256")
		time.Sleep(refreshInterval + time.Second)
		if _, err := here.Verify(t.Context(), withdrawn); !errors.Is(err, identity.ErrToken) {
			t.Errorf("by a key that was withdrawn %v ago: %v", refreshInterval, err)
		}
	})
}

func TestTokensByKeysThatNobodyKnowsMakeNoStormOfRequests(t *testing.T) {
	with(t, Options{}, func(t *testing.T, there *oidctest.Provider, here *Provider) {
		there.Rotate("EdDSA")
		time.Sleep(refreshPause)
		good := there.Sign(there.Claims(operator), nil)
		began, asked := time.Now(), there.Asked("/jwks")
		for range 60 {
			var flood sync.WaitGroup
			for i := range 20 {
				flood.Go(func() {
					forged := there.Sign(there.Claims(operator), map[string]any{"kid": fmt.Sprint(time.Now(), i)})
					if _, err := here.Verify(t.Context(), forged); !errors.Is(err, identity.ErrToken) {
						t.Errorf("a token by a key that nobody knows: %v", err)
					}
					if _, err := here.Verify(t.Context(), good); err != nil {
						t.Errorf("a good one meanwhile: %v", err)
					}
				})
			}
			flood.Wait()
			time.Sleep(time.Second)
		}
		if n, most := there.Asked("/jwks")-asked, int(time.Since(began)/refreshPause); n > most || n == 0 {
			t.Errorf("the provider was asked %d times in %v", n, time.Since(began))
		}
	})
}

func TestWhileTheProviderIsAwayKnownKeysAreTakenAndOthersAreNotRefused(t *testing.T) {
	registry := prometheus.NewRegistry()
	with(t, Options{Registerer: registry}, func(t *testing.T, there *oidctest.Provider, here *Provider) {
		known := there.Claims(operator)
		known["exp"] = time.Now().Add(48 * time.Hour).Unix()
		token := there.Sign(known, nil)
		there.Away(true)
		time.Sleep(24 * time.Hour)
		if _, err := here.Verify(t.Context(), token); err != nil {
			t.Errorf("a token by a known key, a day later: %v", err)
		}
		if err := here.Ready(); err == nil || !strings.Contains(err.Error(), "502") {
			t.Errorf("what it says of itself: %v", err)
		}
		there.Rotate("RS256")
		token = there.Sign(there.Claims(operator), nil)
		if _, err := here.Verify(t.Context(), token); !errors.Is(err, identity.ErrUnavailable) || errors.Is(err, identity.ErrToken) {
			t.Errorf("a token by a key that may be new: %v", err)
		}
		there.Away(false)
		time.Sleep(lastRetry)
		if _, err := here.Verify(t.Context(), there.Sign(there.Claims(operator), nil)); err != nil {
			t.Errorf("after it has come back: %v", err)
		}
		if err := here.Ready(); err != nil {
			t.Errorf("what it says of itself: %v", err)
		}
		if n := testutil.ToFloat64(here.keys.asked.WithLabelValues("failed")); n < 23*60 || n > 25*60 {
			t.Errorf("in a day it was asked %v times in vain", n)
		}
	})
}

func TestThePlatformStartsBeforeTheProvider(t *testing.T) {
	there := oidctest.New(oidctest.Options{Issuer: testIssuer, Audience: testAudience})
	there.Away(true)
	with(t, Options{Transport: direct{there}}, func(t *testing.T, _ *oidctest.Provider, here *Provider) {
		token := there.Sign(there.Claims(operator), nil)
		if _, err := here.Verify(t.Context(), token); !errors.Is(err, identity.ErrUnavailable) {
			t.Errorf("before it: %v", err)
		}
		if _, ok := here.Endpoints(); ok {
			t.Error("people are sent to a login that nobody knows")
		}
		there.Away(false)
		time.Sleep(lastRetry)
		if _, err := here.Verify(t.Context(), there.Sign(there.Claims(operator), nil)); err != nil {
			t.Errorf("after it: %v", err)
		}
		want := Endpoints{
			Issuer: testIssuer, Authorization: testIssuer + "/authorize", Token: testIssuer + "/token", EndSession: testIssuer + "/logout", Revocation: testIssuer + "/revoke",
		}
		if got, ok := here.Endpoints(); !ok || got != want {
			t.Errorf("people log in at %+v, %v", got, ok)
		}
	})
}

// slowly answers after a while.
type slowly struct {
	http.RoundTripper
	after time.Duration
}

func (s slowly) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.after):
		return s.RoundTripper.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func TestATokenWaitsForKeysThatAreOnTheirWayAndNotForever(t *testing.T) {
	there := oidctest.New(oidctest.Options{Issuer: testIssuer, Audience: testAudience})
	with(t, Options{Transport: slowly{direct{there}, time.Second}}, func(t *testing.T, _ *oidctest.Provider, here *Provider) {
		began := time.Now()
		if _, err := here.Verify(t.Context(), there.Sign(there.Claims(operator), nil)); err != nil || time.Since(began) != 2*time.Second {
			t.Errorf("keys that come after 2 s: %v after %v", err, time.Since(began))
		}
	})
	with(t, Options{Transport: slowly{direct{there}, 4 * time.Second}}, func(t *testing.T, _ *oidctest.Provider, here *Provider) {
		began := time.Now()
		if _, err := here.Verify(t.Context(), there.Sign(there.Claims(operator), nil)); !errors.Is(err, identity.ErrUnavailable) || time.Since(began) != patience {
			t.Errorf("keys that come after 8 s: %v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		if _, err := here.Verify(ctx, there.Sign(there.Claims(operator), nil)); !errors.Is(err, identity.ErrUnavailable) || time.Since(began) != time.Second {
			t.Errorf("a client that leaves: %v after %v", err, time.Since(began))
		}
	})
}

// answers are what a server says instead of a provider, by path.
type answers map[string]string

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, ok := a[r.URL.Path]
	switch to, redirects := strings.CutPrefix(text, "-> "); {
	case redirects:
		http.Redirect(w, r, to, http.StatusFound)
	case ok:
		fmt.Fprint(w, text)
	default:
		http.NotFound(w, r)
	}
}

func TestWhatIsNoProviderIsNotBelieved(t *testing.T) {
	const discovery, aKey = "/.well-known/openid-configuration", `{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`
	says := func(issuer, keys string) string { return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, keys) }
	for name, c := range map[string]struct {
		answers answers
		reason  string
	}{
		"nothing there":            {answers{}, "404"},
		"a page":                   {answers{discovery: "<html>"}, "no description of a provider"},
		"another issuer":           {answers{discovery: says("https://evil.example", testIssuer+"/jwks")}, "evil.example"},
		"keys without TLS":         {answers{discovery: says(testIssuer, "http://login.example.org/jwks"), "/jwks": `{"keys":[` + aKey + `]}`}, "address of the keys"},
		"keys in a file":           {answers{discovery: says(testIssuer, "file:///etc/passwd")}, "address of the keys"},
		"no keys":                  {answers{discovery: says(testIssuer, testIssuer+"/jwks"), "/jwks": `{"keys":[]}`}, "no key"},
		"a secret key":             {answers{discovery: says(testIssuer, testIssuer+"/jwks"), "/jwks": `{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`}, "no key"},
		"a very large answer":      {answers{discovery: strings.Repeat(" ", answerLimit) + says(testIssuer, testIssuer+"/jwks")}, "larger"},
		"a redirection out of TLS": {answers{discovery: "-> http://login.example.org/d"}, "without TLS"},
		"redirections without end": {answers{discovery: "-> " + discovery}, "again and again"},
	} {
		t.Run(name, func(t *testing.T) {
			with(t, Options{Transport: direct{c.answers}}, func(t *testing.T, _ *oidctest.Provider, here *Provider) {
				if err := here.Ready(); err == nil || !strings.Contains(err.Error(), c.reason) {
					t.Errorf("it says %v", err)
				}
				if here.keys.known.Load() != nil {
					t.Error("it has keys")
				}
			})
		})
	}
	with(t, Options{Transport: direct{answers{discovery: says(testIssuer, testIssuer+"/jwks"), "/jwks": `{"keys":[{"kty":"oct"},"what",` + aKey + `]}`}}}, func(t *testing.T, _ *oidctest.Provider, here *Provider) {
		if err := here.Ready(); err != nil {
			t.Errorf("keys among which one is understood: %v", err)
		}
	})
}

// Without a name of its key, a token may be by any of those that are for its algorithm.
func TestATokenNeedNotNameItsKey(t *testing.T) {
	with(t, Options{}, func(t *testing.T, there *oidctest.Provider, here *Provider) {
		claims := there.Claims(operator)
		claims["exp"] = time.Now().Add(time.Hour).Unix()
		first := there.Rotate("ES256")
		tokens := []string{there.Sign(claims, map[string]any{"kid": ""})}
		there.Rotate("ES256", first)
		tokens = append(tokens, there.Sign(claims, map[string]any{"kid": ""}))
		time.Sleep(refreshInterval + time.Second)
		for i, token := range tokens {
			if _, err := here.Verify(t.Context(), token); err != nil {
				t.Errorf("a token by key %d of two: %v", i, err)
			}
		}
		there.Rotate("ES256")
		if _, err := here.Verify(t.Context(), there.Sign(claims, map[string]any{"kid": ""})); !errors.Is(err, identity.ErrToken) {
			t.Errorf("a token by neither: %v", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		b.Run(algorithm, func(b *testing.B) {
			there := oidctest.New(oidctest.Options{Issuer: testIssuer, Audience: testAudience, Lifetime: time.Hour, Algorithm: algorithm})
			here := New(Options{Issuer: testIssuer, Audience: testAudience, Transport: direct{there}, Logger: slog.New(slog.DiscardHandler)})
			if err := here.keys.ask(b.Context()); err != nil {
				b.Fatal(err)
			}
			token := there.Sign(there.Claims(operator), nil)
			for b.Loop() {
				if _, err := here.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
