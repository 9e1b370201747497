// Package webpush sends messages to browsers through their push services: encrypted for one browser (RFC 8291), by a server that the service
// knows again (VAPID, RFC 8292), under the protocol of RFC 8030.
package webpush

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

const (
	saltSize   = 16
	authSize   = 16
	tagSize    = 16
	recordSize = 4096
	pointSize  = 65 // of P-256, not compressed
	headerSize = saltSize + 4 + 1 + pointSize
	// maxBody is what every push service takes. Firefox on Android takes less than the 4096 bytes of others.
	maxBody = 3052
	// step is to what lengths texts are filled up, so that the length of a message says little of what is in it.
	step = 256
)

// MaxText is how long a message may be.
const MaxText = maxBody - headerSize - tagSize - 1

// ErrTooLong is for a message that is longer than [MaxText].
var ErrTooLong = errors.New("the message is too long for web push")

// Keys are those of a browser's subscription.
type Keys struct {
	public *ecdh.PublicKey
	auth   []byte
}

// ParseKeys reads the keys as a PushSubscription gives them, in base64url.
func ParseKeys(p256dh, auth string) (Keys, error) {
	point, err := decode(p256dh)
	if err != nil {
		return Keys{}, errors.New("p256dh is not base64url")
	}
	public, err := ecdh.P256().NewPublicKey(point)
	if err != nil {
		return Keys{}, errors.New("p256dh is no point of P-256 of 65 bytes")
	}
	secret, err := decode(auth)
	if err != nil || len(secret) != authSize {
		return Keys{}, errors.New("auth is not 16 bytes in base64url")
	}
	return Keys{public, secret}, nil
}

// decode reads base64url, which some write with padding.
func decode(text string) ([]byte, error) {
	return base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
}

// encrypt makes the body of a request: one record of aes128gcm (RFC 8188), with its header.
func encrypt(to Keys, text []byte) ([]byte, error) {
	if len(text) > MaxText {
		return nil, ErrTooLong
	}
	once, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	var salt [saltSize]byte
	_, _ = rand.Read(salt[:]) // never fails
	filled := min((len(text)/step+1)*step, MaxText)
	return seal(to, once, salt[:], text, filled)
}

// seal encrypts a text, filled up to a length, with a key that is used once.
func seal(to Keys, once *ecdh.PrivateKey, salt, text []byte, filled int) ([]byte, error) {
	shared, err := once.ECDH(to.public)
	if err != nil {
		return nil, fmt.Errorf("agreeing on a secret: %w", err)
	}
	ours := once.PublicKey().Bytes()
	key, nonce, err := derive(shared, to.auth, salt, to.public.Bytes(), ours)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, headerSize+filled+1+tagSize)
	body = append(body, salt...)
	body = binary.BigEndian.AppendUint32(body, recordSize)
	body = append(body, byte(len(ours)))
	body = append(body, ours...)
	plain := make([]byte, filled+1)
	copy(plain, text)
	plain[len(text)] = 2 // the last record; zeros follow
	return gcm.Seal(body, nonce, plain, nil), nil
}

// derive is RFC 8291, section 3.4.
func derive(shared, auth, salt, browser, server []byte) (key, nonce []byte, err error) {
	info := "WebPush: info\x00" + string(browser) + string(server)
	secret, err := hkdf.Key(sha256.New, shared, auth, info, 32)
	if err != nil {
		return nil, nil, fmt.Errorf("deriving a secret: %w", err)
	}
	if key, err = hkdf.Key(sha256.New, secret, salt, "Content-Encoding: aes128gcm\x00", 16); err != nil {
		return nil, nil, fmt.Errorf("deriving a key: %w", err)
	}
	if nonce, err = hkdf.Key(sha256.New, secret, salt, "Content-Encoding: nonce\x00", 12); err != nil {
		return nil, nil, fmt.Errorf("deriving a nonce: %w", err)
	}
	return key, nonce, nil
}
