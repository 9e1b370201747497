package hostile

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
)

// A provider is an OpenID Connect provider of which the platform takes tokens: two addresses, and a key.
type provider struct {
	issuer string
	key    *rsa.PrivateKey
}

const api = "https://parking.test/api" // the audience of its tokens

func newProvider(t *testing.T) *provider {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: private}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":"%[1]s/authorize","token_endpoint":"%[1]s/token","jwks_uri":"%[1]s/keys"}`, p.issuer)
		case "/keys":
			text := base64.RawURLEncoding.EncodeToString
			fmt.Fprintf(w, `{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"1","n":%q,"e":%q}]}`, text(p.key.N.Bytes()), text(big.NewInt(int64(p.key.E)).Bytes()))
		default:
			http.NotFound(w, r)
		}
	}))
	p.issuer = "http://" + server.Listener.Addr().String()
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// issued is a token of the provider, signed as sign does, with a patch of its claims. "" as the header: the usual one.
func issued(header, claims string, sign func(*world, string) []byte) func(*world) string {
	return func(w *world) string {
		all := map[string]any{"iss": w.provider.issuer, "aud": api}
		if claims != "" {
			if err := json.Unmarshal([]byte(claims), &all); err != nil {
				w.t.Fatal(err)
			}
		}
		merged, _ := json.Marshal(all)
		if header == "" {
			header = `{"alg":"RS256","kid":"1"}`
		}
		return shows(forgery{header: header, claims: string(merged), sign: sign})(w)
	}
}

// byProvider signs with the provider's key.
func byProvider(w *world, signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, w.provider.key, crypto.SHA256, sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	return signature
}

func byProviderPSS(w *world, signed string) []byte {
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPSS(rand.Reader, w.provider.key, crypto.SHA256, sum[:], nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return signature
}

// byPublicKey signs by HMAC with what everybody knows, the provider's public key.
func byPublicKey(w *world, signed string) []byte {
	der, err := x509.MarshalPKIXPublicKey(&w.provider.key.PublicKey)
	if err != nil {
		w.t.Fatal(err)
	}
	return hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), signed)
}

func byModulus(w *world, signed string) []byte { return hs256(w.provider.key.N.Bytes(), signed) }

var foreign = group{
	title: "Tokens of a provider",
	about: "An OpenID Connect provider is configured, with one RSA key that says RS256. Its tokens are shown where `operate` is needed, and are good but for what the table says.",
	attacks: []attack{
		{"a good one (for comparison)", issued("", "", byProvider), "200", ""},
		{"by HS256, with the provider's public key as the secret (key confusion)", issued(`{"alg":"HS256","kid":"1"}`, "", byPublicKey), "401 token-invalid", ""},
		{"the same, with its modulus", issued(`{"alg":"HS256","kid":"1"}`, "", byModulus), "401 token-invalid", ""},
		{"by HS256, with the platform's own key", issued(`{"alg":"HS256","kid":"1"}`, "", nil), "401 token-invalid", ""},
		{"by the provider, in the platform's name", issued("", `{"iss":"parkwire","aud":"hostile"}`, byProvider), "401 token-invalid", ""},
		{"`alg` none", issued(`{"alg":"none","kid":"1"}`, "", unsigned), "401 token-invalid", ""},
		{"RS256 with an empty signature", issued("", "", unsigned), "401 token-invalid", ""},
		{"RS256 by another key under the same `kid`", issued("", "", byRSA), "401 token-invalid", ""},
		{"a `kid` that the provider does not have", issued(`{"alg":"RS256","kid":"2"}`, "", byRSA), "401 token-invalid", ""},
		{"a `kid` that is a path", issued(`{"alg":"RS256","kid":"../../dev/null"}`, "", byRSA), "401 token-invalid", ""},
		{"a key of its own in the header (`jwk`)", func(w *world) string {
			own := ownKey()
			return issued(own.header, "", own.sign)(w)
		}, "401 token-invalid", ""},
		{"another set of keys in the header (`jku`)", issued(`{"alg":"RS256","kid":"1","jku":"http://127.0.0.1:1/keys"}`, "", byRSA), "401 token-invalid", ""},
		{"PS256 by a key that is for RS256", issued(`{"alg":"PS256","kid":"1"}`, "", byProviderPSS), "401 token-invalid", ""},
		{"ES256 by a key that is RSA", issued(`{"alg":"ES256","kid":"1"}`, "", byProvider), "401 token-invalid", ""},
		{"for another audience", issued("", `{"aud":"https://other.test/api"}`, byProvider), "401 token-invalid", ""},
		{"for the dashboard (an ID token)", issued("", `{"aud":"dashboard","nonce":"n"}`, byProvider), "401 token-invalid", ""},
		{"for no audience", issued("", `{"aud":null}`, byProvider), "401 token-invalid", ""},
		{"of the issuer with a slash behind it", func(w *world) string { return issued("", `{"iss":"`+w.provider.issuer+`/"}`, byProvider)(w) }, "401 token-invalid", ""},
		{"of no issuer", issued("", `{"iss":null}`, byProvider), "401 token-invalid", ""},
		{"expired", issued("", `{"exp":"-1h"}`, byProvider), "401 token-invalid", ""},
		{"never expires", issued("", `{"exp":null}`, byProvider), "401 token-invalid", ""},
		{"not valid yet", issued("", `{"nbf":"1h"}`, byProvider), "401 token-invalid", ""},
		{"of no subject", issued("", `{"sub":null}`, byProvider), "401 token-invalid", ""},
		{"of no scope", issued("", `{"scope":"openid profile"}`, byProvider), "403 scope-missing", ""},
		{"with lots that are no list", issued("", `{"lots":{"central":true}}`, byProvider), "401 token-invalid", ""},
	},
}
