// Package access knows which API keys there are and which tokens were revoked. The parking part decides it and keeps it; gateways and live
// instances each hold all of it in memory, see [Set], so that no request waits for anybody else, and none is refused because
// somebody else is away.
package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// An Entry is what is said of one key or of one revocation; one of the two is there. It is kept by the parking part, and is told by records
// of the topic for it and by the feed of [Follow].
type Entry struct {
	ID         string      `json:"id"`       // UUIDv7, another one whenever something else is said
	Revision   int64       `json:"revision"` // counts what was ever said, of whatever: the newest holds
	Key        *Key        `json:"key,omitempty"`
	Revocation *Revocation `json:"revocation,omitempty"`
}

// The kinds of entries.
const (
	KindKey        = "key"
	KindRevocation = "revocation"
)

// Name returns what the entry is about: its kind, and its id among those.
func (e Entry) Name() (kind, id string) {
	if e.Key != nil {
		return KindKey, e.Key.ID
	}
	return KindRevocation, e.Revocation.ID
}

// KeptUntil is from when on nobody needs to know of the entry; zero: it is not known yet.
func (e Entry) KeptUntil() time.Time {
	if e.Revocation != nil {
		return e.Revocation.KeptUntil
	}
	ended := e.Key.Ended()
	if ended.IsZero() {
		return ended
	}
	return ended.Add(KeysKept)
}

// RecordKey is the key of the records that tell of the entry.
func (e Entry) RecordKey() string {
	kind, id := e.Name()
	return kind + ":" + id
}

// Decode reads an entry.
func Decode(text []byte) (e Entry, err error) {
	if err = json.Unmarshal(text, &e); err == nil && (e.Key == nil) == (e.Revocation == nil) {
		err = fmt.Errorf("it is of neither a key nor a revocation, or of both")
	}
	return e, err
}

// Key is an API key: what a program shows that has nobody to sign in.
type Key struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Scopes  []string `json:"scopes"`
	Lots    []string `json:"lots"`    // as in [identity.Principal]
	Secrets []Secret `json:"secrets"` // by which it is known, the newest first

	CreatedAt time.Time `json:"createdAt"`
	CreatedBy string    `json:"createdBy"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"` // zero: never
	RotatedAt time.Time `json:"rotatedAt,omitzero"`
	RevokedAt time.Time `json:"revokedAt,omitzero"`
}

// Secret is the hash of a secret. A secret has 256 random bits, so that nobody finds it by its hash, however fast that is to compute.
type Secret struct {
	SHA256 string    `json:"sha256"`         // hexadecimal
	Until  time.Time `json:"until,omitzero"` // zero: as long as the key
}

// The text of a secret: so that it is known for what it is wherever it turns up, and cannot be taken for a token.
const (
	SecretPrefix = "pw_"
	secretLength = len(SecretPrefix) + 43
)

// NewSecret makes a secret.
func NewSecret() (text string, s Secret) {
	var random [32]byte
	rand.Read(random[:]) // never fails
	text = SecretPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	return text, hash(text)
}

func hash(text string) Secret {
	sum := sha256.Sum256([]byte(text))
	return Secret{SHA256: hex.EncodeToString(sum[:])}
}

// isSecret reports whether text may be a secret.
func isSecret(text string) bool {
	return strings.HasPrefix(text, SecretPrefix) && len(text) == secretLength
}

// Ended returns from when on the key is of no use; zero: it is not known yet.
func (k *Key) Ended() time.Time { return earlier(k.RevokedAt, k.ExpiresAt) }

// earlier returns the earlier of two times, of which the zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Revocation says that tokens are not taken any more: one by its id, or all of a subject that were issued until then.
type Revocation struct {
	ID      string `json:"id"`
	TokenID string `json:"tokenId,omitempty"`
	Subject string `json:"subject,omitempty"`
	// At is when it was made. Of a subject's tokens it concerns those that had been issued.
	At time.Time `json:"at"`
	By string    `json:"by"`
	// KeptUntil is when every such token has expired.
	KeptUntil time.Time `json:"keptUntil"`
}
