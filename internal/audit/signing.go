package audit

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"parkwire/internal/sqldb"
)

// A signature says that a chain ended at a record once, under a key.
type signature struct {
	Sequence  int64
	Hash      Hash
	SignedAt  int64 // Unix milliseconds
	KeyID     string
	Signature []byte
}

// Keys are public keys by their id.
type Keys map[string]ed25519.PublicKey

// Add takes one more, and returns its id.
func (k Keys) Add(key ed25519.PublicKey) string {
	id := keyID(key)
	k[id] = key
	return id
}

// keyID is how a key is named: the first 16 hexadecimal digits of the SHA-256 of its 32 bytes.
func keyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// check returns what is wrong with a signature.
func (k Keys) check(chain Head, s signature) error {
	key, known := k[s.KeyID]
	if !known {
		return fmt.Errorf("it was signed as the head with the key %q, which is none of those that were given", cut(s.KeyID, 40))
	}
	chain.Sequence, chain.Hash = s.Sequence, s.Hash
	if !ed25519.Verify(key, chain.signed(s.SignedAt), s.Signature) {
		return fmt.Errorf("the signature of the key %s under it as the head is not right", s.KeyID)
	}
	return nil
}

// sign signs a head.
func sign(key ed25519.PrivateKey, h Head, at int64) signature {
	return signature{h.Sequence, h.Hash, at, keyID(key.Public().(ed25519.PublicKey)), ed25519.Sign(key, h.signed(at))}
}

const aKey = "an Ed25519 key in PEM, as `openssl genpkey -algorithm ed25519` makes it"

// ReadKey reads the file with the private key that signs heads.
func ReadKey(path string) (ed25519.PrivateKey, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s has no private key of the kind that signs heads: %s", path, aKey)
	}
	return key, nil
}

// ReadPublicKey reads the file with a public key, or with a private one, of which the public one is taken.
func ReadPublicKey(path string) (ed25519.PublicKey, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	if parsed, err := x509.ParsePKIXPublicKey(block); err == nil {
		if key, ok := parsed.(ed25519.PublicKey); ok {
			return key, nil
		}
	}
	if parsed, err := x509.ParsePKCS8PrivateKey(block); err == nil {
		if key, ok := parsed.(ed25519.PrivateKey); ok {
			return key.Public().(ed25519.PublicKey), nil
		}
	}
	return nil, fmt.Errorf("%s has no public key: %s, and `openssl pkey -pubout` its public half", path, aKey)
}

func readPEM(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM file: it has to hold %s", path, aKey)
	}
	return block.Bytes, nil
}

// publicPEM is the public half of a key as a file.
func publicPEM(key ed25519.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", errors.New("a public key cannot be written down")
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), nil
}

const signatureColumns = "sequence, hash, signed_at, key_id, signature"

func scanSignature(r sqldb.Row) (s signature, err error) {
	var hash []byte
	err = r.Scan(&s.Sequence, &hash, &s.SignedAt, &s.KeyID, &s.Signature)
	s.Hash = hashOf(hash)
	return s, err
}

// signatures returns those behind a record, at most a number of them.
func signatures(ctx context.Context, tx *sqldb.Tx, after int64, most int) ([]signature, error) {
	some, err := sqldb.All(ctx, tx, scanSignature, `select `+signatureColumns+` from audit_signatures where sequence > ? order by sequence limit ?`, after, most)
	if err != nil {
		return nil, fmt.Errorf("reading the signatures of heads: %w", err)
	}
	return some, nil
}

// keep writes a signature down. A head that was signed already stays as it was signed first.
func (s signature) keep(ctx context.Context, tx *sqldb.Tx) error {
	return tx.Insert(ctx, "audit_signatures ("+signatureColumns+")",
		[][]any{{s.Sequence, s.Hash[:], s.SignedAt, s.KeyID, s.Signature}}, "on conflict (sequence) do nothing")
}
