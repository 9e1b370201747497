// Package webpushtest has what tests of web push need on the other side: a browser that reads messages. It is written from RFC 8188 and
// RFC 8291 with HMAC alone, so that it shares nothing with what it tests.
package webpushtest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"testing"
)

// Browser is one that has subscribed.
type Browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

// NewBrowser returns a browser with keys of its own.
func NewBrowser(t testing.TB) Browser {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	_, _ = rand.Read(auth)
	return Browser{key, auth}
}

// BrowserOf returns one with keys that are given.
func BrowserOf(key *ecdh.PrivateKey, auth []byte) Browser { return Browser{key, auth} }

// P256DH is its public key, as its PushSubscription has it.
func (b Browser) P256DH() string {
	return base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes())
}

// Auth is its secret, as its PushSubscription has it.
func (b Browser) Auth() string { return base64.RawURLEncoding.EncodeToString(b.auth) }

// Read decrypts the body of a message.
func (b Browser) Read(body []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("no header")
	}
	salt, size, n := body[:16], binary.BigEndian.Uint32(body[16:20]), int(body[20])
	server, sealed := body[21:21+n], body[21+n:]
	if n != 65 || len(sealed) > int(size) {
		return nil, errors.New("not one record of a server's message")
	}
	public, err := ecdh.P256().NewPublicKey(server)
	if err != nil {
		return nil, err
	}
	shared, err := b.key.ECDH(public)
	if err != nil {
		return nil, err
	}
	one := []byte{1}
	secret := mac(mac(b.auth, shared), []byte("WebPush: info\x00"), b.key.PublicKey().Bytes(), server, one)
	random := mac(salt, secret)
	key := mac(random, []byte("Content-Encoding: aes128gcm\x00"), one)[:16]
	nonce := mac(random, []byte("Content-Encoding: nonce\x00"), one)[:12]
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	plain = bytes.TrimRight(plain, "\x00")
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("no end of the last record")
	}
	return plain[:len(plain)-1], nil
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		h.Write(part)
	}
	return h.Sum(nil)
}
