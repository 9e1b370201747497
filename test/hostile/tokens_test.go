package hostile

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"strings"
)

// shows shows a token where the scope operate is needed and nothing is changed.
func shows(f forgery) func(*world) string { return get("/api/v1/sensors").by(f) }

// says sends headers there, and no token besides.
func says(lines ...string) func(*world) string { return get("/api/v1/sensors", lines...).anonymously }

func unsigned(*world, string) []byte { return nil }

func signedWith(key string) func(*world, string) []byte {
	return func(_ *world, signed string) []byte { return hs256([]byte(key), signed) }
}

func hmacOf(h func() hash.Hash) func(*world, string) []byte {
	return func(w *world, signed string) []byte {
		mac := hmac.New(h, w.key)
		mac.Write([]byte(signed))
		return mac.Sum(nil)
	}
}

// bytesOfKey signs with what the text of the key is the encoding of.
func bytesOfKey(w *world, signed string) []byte {
	key, _ := base64.RawStdEncoding.DecodeString(string(w.key))
	return hs256(key, signed)
}

// byRSA signs with a key of the attacker's own.
func byRSA(w *world, signed string) []byte {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		w.t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	return signature
}

// ownKey is a token that brings the key along with which it is to be verified.
func ownKey() forgery {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return forgery{
		header: `{"alg":"EdDSA","jwk":{"kty":"OKP","crv":"Ed25519","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}}`,
		sign:   func(_ *world, signed string) []byte { return ed25519.Sign(private, []byte(signed)) },
	}
}

// replaced replaces one of the three segments of a token.
func replaced(segment int, by func(string) string) func(string) string {
	return func(token string) string {
		segments := strings.Split(token, ".")
		segments[segment] = by(segments[segment])
		return strings.Join(segments, ".")
	}
}

func flipped(signature string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(signature)
	raw[7] ^= 1
	return base64.RawURLEncoding.EncodeToString(raw)
}

// promoted gives the claims another scope and leaves the signature.
func promoted(claims string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(claims)
	var all map[string]any
	_ = json.Unmarshal(raw, &all)
	all["scope"] = "admin"
	raw, _ = json.Marshal(all)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// good is a token that is taken, in a header of another kind.
func good(format string) func(*world) string {
	return func(w *world) string { return says(fmt.Sprintf(format, forgery{}.token(w)))(w) }
}

// twice shows a good token and a bad one.
func twice(format string) func(*world) string {
	return func(w *world) string {
		return says(strings.Split(fmt.Sprintf(format, forgery{}.token(w)), "\n")...)(w)
	}
}

var tokens = group{
	title: "Tokens",
	about: "Each is shown where the scope `operate` is needed, and is a good one (HS256, by the platform's key) but for what the table says.",
	attacks: []attack{
		{"none", says(), "401 token-required", ""},
		{"an empty one", says("Authorization: Bearer"), "401 token-required", ""},
		{"a word", says("Authorization: Bearer letmein"), "401 token-invalid", ""},
		{"`null`, as scripts write it", says("Authorization: Bearer null"), "401 token-invalid", ""},
		{"a password in the place of a token", says("Authorization: Basic YWRtaW46YWRtaW4="), "401 token-required", ""},
		{"a good token of another scheme", good("Authorization: Token %s"), "401 token-required", ""},
		{"a good token behind a comma and another one", good("Authorization: Bearer x, Bearer %s"), "401 token-invalid", ""},
		{"a good token in two halves, with a space", shows(forgery{spoil: func(token string) string { return token[:40] + " " + token[40:] }}), "401 token-invalid", ""},
		{"a good token and a bad one, in two lines", twice("Authorization: Bearer %s\nAuthorization: Bearer letmein"), "401 token-invalid", "400"},
		{"a bad token and a good one, in two lines", twice("Authorization: Bearer letmein\nAuthorization: Bearer %s"), "401 token-invalid", "400"},
		{"a good token in a cookie", good("Cookie: access_token=%s; token=%[1]s; Authorization=%[1]s"), "401 token-required", ""},
		{"a good token in `X-Authorization`", good("X-Authorization: Bearer %s"), "401 token-required", ""},
		{"a good token in `Proxy-Authorization`", good("Proxy-Authorization: Bearer %s"), "401 token-required", ""},
		{"a good token in the address", func(w *world) string { return get("/api/v1/sensors?access_token=" + forgery{}.token(w)).anonymously(w) }, "401 token-required", ""},
		{"two segments", shows(forgery{spoil: func(token string) string { return token[:strings.LastIndexByte(token, '.')] }}), "401 token-invalid", ""},
		{"four segments", shows(forgery{spoil: func(token string) string { return token + ".e30" }}), "401 token-invalid", ""},
		{"five segments, as of an encrypted token", shows(forgery{header: `{"alg":"dir","enc":"A256GCM"}`, spoil: func(token string) string { return token + ".e30.e30" }}), "401 token-invalid", ""},
		{"`alg` none", shows(forgery{header: `{"alg":"none"}`, sign: unsigned}), "401 token-invalid", ""},
		{"`alg` nOnE", shows(forgery{header: `{"alg":"nOnE"}`, sign: unsigned}), "401 token-invalid", ""},
		{"`alg` none, and a signature", shows(forgery{header: `{"alg":"none"}`}), "401 token-invalid", ""},
		{"`alg` empty", shows(forgery{header: `{"alg":""}`, sign: unsigned}), "401 token-invalid", ""},
		{"no `alg`", shows(forgery{header: `{"typ":"JWT"}`}), "401 token-invalid", ""},
		{"`alg` a list with HS256", shows(forgery{header: `{"alg":["HS256"]}`}), "401 token-invalid", ""},
		{"`alg` twice: HS256, then none", shows(forgery{header: `{"alg":"HS256","alg":"none"}`, sign: unsigned}), "401 token-invalid", ""},
		{"HS256, the signature left out", shows(forgery{sign: unsigned}), "401 token-invalid", ""},
		{"HS384 by the right key", shows(forgery{header: `{"alg":"HS384"}`, sign: hmacOf(sha512.New384)}), "401 token-invalid", ""},
		{"HS512 by the right key", shows(forgery{header: `{"alg":"HS512"}`, sign: hmacOf(sha512.New)}), "401 token-invalid", ""},
		{"RS256 by a key of the attacker's", shows(forgery{header: `{"alg":"RS256","kid":"1"}`, sign: byRSA}), "401 token-invalid", ""},
		{"RS256 in the header, HS256 in the signature", shows(forgery{header: `{"alg":"RS256"}`}), "401 token-invalid", ""},
		{"ES256 with a signature of zeros (CVE-2022-21449)", shows(forgery{header: `{"alg":"ES256"}`, sign: func(*world, string) []byte { return make([]byte, 64) }}), "401 token-invalid", ""},
		{"EdDSA, the key in the header (`jwk`)", shows(ownKey()), "401 token-invalid", ""},
		{"HS256 by another key, the address of a key set in the header (`jku`)", shows(forgery{header: `{"alg":"HS256","jku":"http://127.0.0.1:1/keys"}`, sign: signedWith("secret")}), "401 token-invalid", ""},
		{"HS256 by another key, the address of a certificate in the header (`x5u`)", shows(forgery{header: `{"alg":"HS256","x5u":"http://127.0.0.1:1/cert"}`, sign: signedWith("secret")}), "401 token-invalid", ""},
		{"HS256 by an empty key, `kid` the path of an empty file", shows(forgery{header: `{"alg":"HS256","kid":"../../../../dev/null"}`, sign: signedWith("")}), "401 token-invalid", ""},
		{"HS256 by the key that an SQL injection in `kid` would give", shows(forgery{header: `{"alg":"HS256","kid":"' UNION SELECT 'x"}`, sign: signedWith("x")}), "401 token-invalid", ""},
		{"HS256 by the key `secret`", shows(forgery{sign: signedWith("secret")}), "401 token-invalid", ""},
		{"HS256 by an empty key", shows(forgery{sign: signedWith("")}), "401 token-invalid", ""},
		{"HS256 by the bytes that the text of the key encodes", shows(forgery{sign: bytesOfKey}), "401 token-invalid", ""},
		{"an extension that must be understood (`crit`)", shows(forgery{header: `{"alg":"HS256","crit":["exp2"],"exp2":1}`}), "401 token-invalid", ""},
		{"claims that are not encoded (`b64`, RFC 7797)", shows(forgery{header: `{"alg":"HS256","b64":false,"crit":["b64"]}`}), "401 token-invalid", ""},
		{"one bit of the signature changed", shows(forgery{spoil: replaced(2, flipped)}), "401 token-invalid", ""},
		{"the signature cut short", shows(forgery{spoil: replaced(2, func(s string) string { return s[:22] })}), "401 token-invalid", ""},
		{"the signature padded", shows(forgery{spoil: replaced(2, func(s string) string { return s + "=" })}), "401 token-invalid", ""},
		{"another scope written into the claims", shows(forgery{spoil: replaced(1, promoted)}), "401 token-invalid", ""},
		{"claims that are no JSON", shows(forgery{text: "admin"}), "401 token-invalid", ""},
		{"claims that are a list", shows(forgery{text: "[]"}), "401 token-invalid", ""},
		{"expired", shows(forgery{claims: `{"exp":"-1h"}`}), "401 token-invalid", ""},
		{"expired just now, with more than clocks may differ by", shows(forgery{claims: `{"exp":"-32s"}`}), "401 token-invalid", ""},
		{"never expires", shows(forgery{claims: `{"exp":null}`}), "401 token-invalid", ""},
		{"expires at a text", shows(forgery{text: `{"iss":"parkwire","sub":"m","scope":"operate","aud":"hostile","exp":"tomorrow"}`}), "401 token-invalid", ""},
		{"expires at 1e999", shows(forgery{text: `{"iss":"parkwire","sub":"m","scope":"operate","aud":"hostile","exp":1e999}`}), "401 token-invalid", ""},
		{"expired before 1970", shows(forgery{text: `{"iss":"parkwire","sub":"m","scope":"operate","aud":"hostile","exp":-1}`}), "401 token-invalid", ""},
		{"not valid yet", shows(forgery{claims: `{"nbf":"1h"}`}), "401 token-invalid", ""},
		{"issued in the future", shows(forgery{claims: `{"iat":"1h"}`}), "401 token-invalid", ""},
		{"of another issuer", shows(forgery{claims: `{"iss":"https://evil.example"}`}), "401 token-invalid", ""},
		{"of an issuer that begins alike", shows(forgery{claims: `{"iss":"parkwire.evil.example"}`}), "401 token-invalid", ""},
		{"of no issuer", shows(forgery{claims: `{"iss":null}`}), "401 token-invalid", ""},
		{"for another audience", shows(forgery{claims: `{"aud":"parkwire-south"}`}), "401 token-invalid", ""},
		{"for several other audiences", shows(forgery{claims: `{"aud":["a","hostile2"]}`}), "401 token-invalid", ""},
		{"for no audience", shows(forgery{claims: `{"aud":null}`}), "401 token-invalid", ""},
		{"of no subject", shows(forgery{claims: `{"sub":null}`}), "401 token-invalid", ""},
		{"of a subject with a line feed, to write into the log", shows(forgery{claims: `{"sub":"m\nlevel=ERROR forged"}`}), "401 token-invalid", ""},
		{"of a subject of 10,000 characters", shows(forgery{claims: `{"sub":"` + strings.Repeat("m", 10_000) + `"}`}), "401 token-invalid", ""},
		{"of a subject that is a number", shows(forgery{claims: `{"sub":1}`}), "401 token-invalid", ""},
	},
}

var scopes = group{
	title: "What a token does not allow",
	about: "The token is good, but for the scope.",
	attacks: []attack{
		{"to read, without a token", get("/api/v1/spots").anonymously, "401 token-required", ""},
		{"to add a lot, without a token", post("/api/v1/lots", `{"id":"x","name":"X"}`).anonymously, "401 token-required", ""},
		{"to send readings, without a token", post("/api/v1/observations", `[]`).anonymously, "401 token-required", ""},
		{"to listen, without a token", get("/notifications", "Accept: text/event-stream").anonymously, "401 token-required", ""},
		{"to read, with no scope", get("/api/v1/spots").by(forgery{claims: `{"scope":null}`}), "403 scope-missing", ""},
		{"to read, with the scope `root`", get("/api/v1/spots").by(forgery{claims: `{"scope":"root"}`}), "403 scope-missing", ""},
		{"to read, with the scope `*`", get("/api/v1/spots").by(forgery{claims: `{"scope":"*"}`}), "403 scope-missing", ""},
		{"to read, with the scope `READ`", get("/api/v1/spots").by(forgery{claims: `{"scope":"READ"}`}), "403 scope-missing", ""},
		{"to read, with the scope `read,admin`", get("/api/v1/spots").by(forgery{claims: `{"scope":"read,admin"}`}), "403 scope-missing", ""},
		{"to listen, with no scope", get("/notifications", "Accept: text/event-stream").by(forgery{claims: `{"scope":null}`}), "403 scope-missing", ""},
		{"to send readings, with `read`", post("/api/v1/observations", `[]`).by(forgery{claims: `{"scope":"read"}`}), "403 scope-missing", ""},
		{"to send a webhook, with `read`", post("/api/v1/ingest/ttn", `{}`).by(forgery{claims: `{"scope":"read"}`}), "403 scope-missing", ""},
		{"to add a lot, with `ingest`", post("/api/v1/lots", `{"id":"x","name":"X"}`).by(forgery{claims: `{"scope":"ingest"}`}), "403 scope-missing", ""},
		{"to occupy a spot, with `ingest`", post("/api/v1/spots/A-1/occupy", "").by(forgery{claims: `{"scope":"ingest"}`}), "403 scope-missing", ""},
		{"to import, with `ingest`", post("/api/v1/lots/central/spots:import", "id\nX-1\n", "Content-Type: text/csv").by(forgery{claims: `{"scope":"ingest"}`}), "403 scope-missing", ""},
		{"to see sensors, with `ingest`", get("/api/v1/sensors").by(forgery{claims: `{"scope":"ingest"}`}), "403 scope-missing", ""},
		{"the headers by which gateways speak to parts", says("X-Parkwire-Subject: root", "X-Parkwire-Scopes: admin"), "401 token-required", ""},
		{"the same with `_`", says("X_Parkwire_Subject: root", "X_Parkwire_Scopes: admin"), "401 token-required", ""},
		{"the same, named in `Connection` so that they are taken for the hop's", says("Connection: X-Parkwire-Subject, X-Parkwire-Scopes", "X-Parkwire-Subject: root", "X-Parkwire-Scopes: admin"), "401 token-required", ""},
		{"the same to a writer with `read`", post("/api/v1/spots/A-1/occupy", "", "X-Parkwire-Scopes: admin", "x-parkwire-scopes: admin").by(forgery{claims: `{"scope":"read"}`}), "403 scope-missing", ""},
		{"the same to listen", get("/notifications", "Accept: text/event-stream", "X-Parkwire-Subject: root", "X-Parkwire-Scopes: admin").anonymously, "401 token-required", ""},
		{"a token that is named in `Connection`", post("/api/v1/spots/A-1/occupy", "", "Connection: Authorization").by(forgery{claims: `{"scope":"read"}`}), "403 scope-missing", ""},
		{"to remove, by `X-HTTP-Method-Override` of what may be read", get("/api/v1/spots/A-1", "X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE").by(forgery{claims: `{"scope":"read"}`}), "200", ""},
		{"to remove, by `_method`", get("/api/v1/spots?_method=DELETE").by(forgery{claims: `{"scope":"read"}`}), "400 unknown-parameter (_method)", ""},
		{"somebody else's address in `X-Forwarded-For` and its like", says("X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1", "Forwarded: for=127.0.0.1", "X-Client-IP: 127.0.0.1"), "401 token-required", ""},
		{"another path in `X-Original-URL` and its like", get("/api/v1/lots/central", "X-Original-URL: /api/v1/sensors", "X-Rewrite-URL: /api/v1/sensors").by(forgery{claims: `{"scope":"none"}`}), "403 scope-missing", ""},
	},
}
