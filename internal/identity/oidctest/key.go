package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
)

// Algorithms are those that tokens can be signed by.
var Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

type key struct {
	id, algorithm string
	private       crypto.Signer
}

func newKey(algorithm string) key {
	k := key{id: rand.Text(), algorithm: algorithm}
	var err error
	switch algorithm {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		k.private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		k.private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("there is no algorithm %q here", algorithm)
	}
	if err != nil {
		panic("oidctest: making a key: " + err.Error())
	}
	return k
}

// published is the key as a JSON Web Key.
func (k key) published() map[string]string {
	jwk := map[string]string{"kid": k.id, "use": "sig", "alg": k.algorithm}
	text := base64.RawURLEncoding.EncodeToString
	switch public := k.private.Public().(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", text(public.N.Bytes()), text(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes()
		if err != nil {
			panic("oidctest: " + err.Error())
		}
		size := (len(point) - 1) / 2
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", public.Params().Name, text(point[1:1+size]), text(point[1+size:])
	case ed25519.PublicKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", text(public)
	}
	return jwk
}

func (p *Provider) getKeys(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	all := make([]map[string]string, len(p.keys))
	for i, k := range p.keys {
		all[i] = k.published()
	}
	p.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"keys": all})
}
