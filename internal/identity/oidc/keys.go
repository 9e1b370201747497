package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // of the algorithms
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// algorithms are those that a token may be signed with. None has a secret that both sides know, so that a public key can never
// be taken for one.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

const (
	minModulus = 2048 // bits of an RSA key; RFC 7518, section 3.3
	maxModulus = 8192 // the work to check a signature grows with its square
	maxKeys    = 100
)

// A key checks signatures.
type key struct {
	id         string
	public     crypto.PublicKey
	algorithms []string // for which it is
}

// webKey is a JSON Web Key as far as it says something to us.
type webKey struct {
	Kind       string   `json:"kty"`
	ID         string   `json:"kid"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	Curve      string   `json:"crv"`
	N          octets   `json:"n"`
	E          octets   `json:"e"`
	X          octets   `json:"x"`
	Y          octets   `json:"y"`
}

type octets []byte

func (o *octets) UnmarshalText(text []byte) (err error) {
	*o, err = base64.RawURLEncoding.AppendDecode(nil, text)
	return err
}

// parseKeys reads a JSON Web Key Set. It leaves out the keys that are for something else, or that are not understood, as RFC 7517,
// section 5, has it; the error says that none is left.
func parseKeys(text []byte) ([]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("it is no JSON Web Key Set: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("it holds %d keys, which are more than %d", len(set.Keys), maxKeys)
	}
	var keys []key
	var first error
	for _, text := range set.Keys {
		k, err := parseKey(text)
		if err == nil {
			keys = append(keys, k)
		} else if first == nil {
			first = err
		}
	}
	if len(keys) == 0 {
		return nil, errors.Join(errors.New("it holds no key that tokens can be checked with"), first)
	}
	return keys, nil
}

func parseKey(text []byte) (key, error) {
	var w webKey
	if err := json.Unmarshal(text, &w); err != nil {
		return key{}, err
	}
	if w.Use != "" && w.Use != "sig" || w.Operations != nil && !slices.Contains(w.Operations, "verify") {
		return key{}, errors.New("a key is for something else")
	}
	k := key{id: w.ID}
	var err error
	switch w.Kind {
	case "RSA":
		k.algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
		k.public, err = rsaKey(w.N, w.E)
	case "EC":
		k.public, k.algorithms, err = ecKey(w.Curve, w.X, w.Y)
	case "OKP":
		k.algorithms = []string{"EdDSA"}
		k.public, err = edKey(w.Curve, w.X)
	default:
		err = fmt.Errorf("a key is of the type %q", w.Kind)
	}
	if err != nil {
		return key{}, err
	}
	if w.Algorithm != "" {
		if !slices.Contains(k.algorithms, w.Algorithm) {
			return key{}, fmt.Errorf("a key is for the algorithm %q", w.Algorithm)
		}
		k.algorithms = []string{w.Algorithm}
	}
	return k, nil
}

func rsaKey(n, e []byte) (*rsa.PublicKey, error) {
	modulus, exponent := new(big.Int).SetBytes(n), new(big.Int).SetBytes(e)
	if bits := modulus.BitLen(); bits < minModulus || bits > maxModulus {
		return nil, fmt.Errorf("an RSA key has %d bits, and not from %d to %d", bits, minModulus, maxModulus)
	}
	if bits := exponent.BitLen(); bits < 2 || bits > 31 || exponent.Bit(0) == 0 {
		return nil, errors.New("an RSA key has an exponent that none should have")
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}, nil
}

// ecKey takes a point only where it is on the curve, and gives the one algorithm that goes with it (RFC 7518, section 3.4).
func ecKey(name string, x, y []byte) (*ecdsa.PublicKey, []string, error) {
	var curve elliptic.Curve
	var algorithm string
	switch name {
	case "P-256":
		curve, algorithm = elliptic.P256(), "ES256"
	case "P-384":
		curve, algorithm = elliptic.P384(), "ES384"
	case "P-521":
		curve, algorithm = elliptic.P521(), "ES512"
	default:
		return nil, nil, fmt.Errorf("a key is on the curve %q", name)
	}
	if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return nil, nil, fmt.Errorf("a point on %s has coordinates of %d bytes", name, size)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	return public, []string{algorithm}, err
}

func edKey(curve string, x []byte) (ed25519.PublicKey, error) {
	if curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("a key of %d bytes is on the curve %q", len(x), curve)
	}
	return ed25519.PublicKey(x), nil
}
