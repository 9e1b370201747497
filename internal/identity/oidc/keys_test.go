package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The public keys of RFC 7515, appendix A, and of RFC 8037.
const (
	rsaN    = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
	pointX  = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
	pointY  = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	edwards = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
)

func rsaJSON(n, e, more string) string {
	return fmt.Sprintf(`{"kty":"RSA","kid":"1","n":%q,"e":%q%s}`, n, e, more)
}

func TestKeysAreTakenForWhatTheyAreForAndNoOthersAre(t *testing.T) {
	long := strings.Repeat("_", 1400) // 8,400 bits
	for name, c := range map[string]struct{ text, algorithms string }{
		"RSA":                         {rsaJSON(rsaN, "AQAB", ""), "RS256 RS384 RS512 PS256 PS384 PS512"},
		"RSA for one algorithm":       {rsaJSON(rsaN, "AQAB", `,"alg":"PS256","use":"sig","key_ops":["verify"]`), "PS256"},
		"RSA for signatures":          {rsaJSON(rsaN, "AQAB", `,"use":"sig","x5c":["what"],"unknown":{}`), "RS256 RS384 RS512 PS256 PS384 PS512"},
		"RSA for encryption":          {rsaJSON(rsaN, "AQAB", `,"use":"enc"`), ""},
		"RSA for signing only":        {rsaJSON(rsaN, "AQAB", `,"key_ops":["sign"]`), ""},
		"RSA for nothing":             {rsaJSON(rsaN, "AQAB", `,"key_ops":[]`), ""},
		"RSA for HMAC":                {rsaJSON(rsaN, "AQAB", `,"alg":"HS256"`), ""},
		"RSA for nobody":              {rsaJSON(rsaN, "AQAB", `,"alg":"none"`), ""},
		"RSA that is short":           {rsaJSON(rsaN[:100], "AQAB", ""), ""},
		"RSA that is very long":       {rsaJSON(long, "AQAB", ""), ""},
		"RSA with the exponent 1":     {rsaJSON(rsaN, "AQ", ""), ""},
		"RSA with an even exponent":   {rsaJSON(rsaN, "AQAC", ""), ""},
		"RSA with a great exponent":   {rsaJSON(rsaN, "AQAAAAAB", ""), ""},
		"RSA without an exponent":     {rsaJSON(rsaN, "", ""), ""},
		"RSA with padding":            {rsaJSON(rsaN+"==", "AQAB", ""), ""},
		"P-256":                       {`{"kty":"EC","crv":"P-256","x":"` + pointX + `","y":"` + pointY + `"}`, "ES256"},
		"P-256 for another algorithm": {`{"kty":"EC","crv":"P-256","alg":"ES384","x":"` + pointX + `","y":"` + pointY + `"}`, ""},
		"a point beside the curve":    {`{"kty":"EC","crv":"P-256","x":"` + pointY + `","y":"` + pointX + `"}`, ""},
		"a point on another curve":    {`{"kty":"EC","crv":"P-384","x":"` + pointX + `","y":"` + pointY + `"}`, ""},
		"a curve that is not known":   {`{"kty":"EC","crv":"secp256k1","x":"` + pointX + `","y":"` + pointY + `"}`, ""},
		"half a point":                {`{"kty":"EC","crv":"P-256","x":"` + pointX + `"}`, ""},
		"the point at infinity":       {`{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`, ""},
		"Ed25519":                     {`{"kty":"OKP","crv":"Ed25519","x":"` + edwards + `"}`, "EdDSA"},
		"Ed25519, cut":                {`{"kty":"OKP","crv":"Ed25519","x":"` + edwards[:40] + `"}`, ""},
		"X25519, which does not sign": {`{"kty":"OKP","crv":"X25519","x":"` + edwards + `"}`, ""},
		"a secret":                    {`{"kty":"oct","alg":"HS256","k":"` + edwards + `"}`, ""},
		"a type that is not known":    {`{"kty":"AKP","alg":"ML-DSA-44","pub":"` + edwards + `"}`, ""},
		"no key":                      {`7`, ""},
		"a name that is a number":     {`{"kty":"OKP","kid":7,"crv":"Ed25519","x":"` + edwards + `"}`, ""},
	} {
		keys, err := parseKeys([]byte(`{"keys":[` + c.text + `]}`))
		if got := ""; (err == nil) != (c.algorithms != "") {
			t.Errorf("%s: %v, %v", name, keys, err)
		} else if err == nil {
			if got = strings.Join(keys[0].algorithms, " "); got != c.algorithms {
				t.Errorf("%s: for %s", name, got)
			}
		}
	}
	many := `{"keys":[` + strings.TrimSuffix(strings.Repeat(rsaJSON(rsaN, "AQAB", "")+",", maxKeys+1), ",") + `]}`
	if _, err := parseKeys([]byte(many)); err == nil {
		t.Error("more keys than anybody has are taken")
	}
}

// Whatever a server says, what is taken for a key is one that can check signatures of a known kind, and costs little to use.
func FuzzKeys(f *testing.F) {
	for _, text := range []string{
		rsaJSON(rsaN, "AQAB", `,"use":"sig"`), `{"kty":"EC","crv":"P-256","x":"` + pointX + `","y":"` + pointY + `"}`,
		`{"kty":"OKP","crv":"Ed25519","x":"` + edwards + `"}`, `{"kty":"oct","k":"` + edwards + `"}`,
	} {
		f.Add([]byte(`{"keys":[` + text + `]}`))
	}
	f.Add([]byte(base64.StdEncoding.EncodeToString([]byte(rsaN))))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeys(text)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if len(k.algorithms) == 0 || slices.ContainsFunc(k.algorithms, func(a string) bool { return !slices.Contains(algorithms, a) }) {
				t.Fatalf("a key for %q", k.algorithms)
			}
			switch public := k.public.(type) {
			case *rsa.PublicKey:
				if public.N.BitLen() < minModulus || public.N.BitLen() > maxModulus || public.E < 3 {
					t.Fatalf("RSA with %d bits, exponent %d", public.N.BitLen(), public.E)
				}
			case *ecdsa.PublicKey:
				if _, err := public.ECDH(); err != nil {
					t.Fatalf("a point: %v", err)
				}
			case ed25519.PublicKey:
				if len(public) != ed25519.PublicKeySize {
					t.Fatalf("Ed25519 of %d bytes", len(public))
				}
			default:
				t.Fatalf("a key of type %T", public)
			}
		}
	})
}
