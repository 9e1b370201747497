// Package webhook sends signed requests as Standard Webhooks 1.0 describes them (https://www.standardwebhooks.com), and verifies them for
// whoever receives them.
package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a request.
const (
	HeaderID        = "Webhook-Id"        // the same each time that a message is sent: by it a receiver knows one that comes again
	HeaderTimestamp = "Webhook-Timestamp" // when this attempt was made, in seconds since 1970
	HeaderSignature = "Webhook-Signature" // one or more, with spaces between: v1,BASE64
)

const (
	secretPrefix = "whsec_"
	secretBytes  = 32
	leastBytes   = 24 // of a secret, as the specification has it
	mostBytes    = 64
	version      = "v1,"
)

// Tolerance is how far the clock of the sender may be from that of the receiver.
const Tolerance = 5 * time.Minute

// NewSecret makes a secret.
func NewSecret() string {
	var key [secretBytes]byte
	_, _ = rand.Read(key[:]) // never fails
	return secretPrefix + base64.StdEncoding.EncodeToString(key[:])
}

// key returns the bytes of a secret, with or without its prefix.
func key(secret string) ([]byte, error) {
	k, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(k) < leastBytes || len(k) > mostBytes {
		return nil, fmt.Errorf("the secret of a webhook is %q and %d to %d bytes in base64", secretPrefix, leastBytes, mostBytes)
	}
	return k, nil
}

// Sign returns the signature of a message by one secret.
func Sign(secret, id string, at time.Time, body []byte) (string, error) {
	k, err := key(secret)
	if err != nil {
		return "", err
	}
	return version + base64.StdEncoding.EncodeToString(sum(k, id, strconv.FormatInt(at.Unix(), 10), body)), nil
}

func sum(key []byte, id, timestamp string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return h.Sum(nil)
}

// What [Verify] refuses.
var (
	ErrHeaders   = errors.New("the request has not each of the headers webhook-id, webhook-timestamp and webhook-signature once")
	ErrTime      = errors.New("the request was signed too long ago, or in the future")
	ErrSignature = errors.New("no signature of the request is by this secret")
)

// Verify returns nil where a request was signed by the secret, at a time that is not further from now than [Tolerance]. The body is that of the
// request, byte by byte. Whoever receives messages keeps the ids of those that it has dealt with for some time, since one may come again.
func Verify(secret string, header http.Header, body []byte, now time.Time) error {
	k, err := key(secret)
	if err != nil {
		return err
	}
	id, timestamp, signatures := header[HeaderID], header[HeaderTimestamp], header[HeaderSignature]
	if len(id) != 1 || len(timestamp) != 1 || len(signatures) != 1 || id[0] == "" {
		return ErrHeaders
	}
	seconds, err := strconv.ParseInt(timestamp[0], 10, 64)
	if err != nil {
		return ErrHeaders
	}
	if away := now.Sub(time.Unix(seconds, 0)); away > Tolerance || away < -Tolerance {
		return ErrTime
	}
	want := sum(k, id[0], timestamp[0], body)
	for signature := range strings.FieldsSeq(signatures[0]) {
		encoded, known := strings.CutPrefix(signature, version)
		got, err := base64.StdEncoding.DecodeString(encoded)
		if known && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}
