package webpush

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Key is by which push services know this server again. Subscriptions are made for its public half, and end with it.
type Key struct {
	private *ecdsa.PrivateKey
	public  string
}

// Public is what a browser subscribes with (applicationServerKey), in base64url.
func (k *Key) Public() string { return k.public }

// NewKey makes a key.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key for web push: %w", err)
	}
	return newKey(private)
}

func newKey(private *ecdsa.PrivateKey) (*Key, error) {
	if private.Curve != elliptic.P256() {
		return nil, errors.New("the key is not of the curve P-256")
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	return &Key{private, base64.RawURLEncoding.EncodeToString(point)}, nil
}

// LoadKey reads a key from a file, in PEM (PKCS #8 or SEC 1). Where there is no file and one is to be made, it makes it, for its owner alone.
func LoadKey(path string, create bool) (*Key, error) {
	text, err := os.ReadFile(path)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err := writeKey(path); err != nil {
			return nil, fmt.Errorf("making a key for web push: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key for web push: %w", err)
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// writeKey puts a whole file in place at once, so that whoever starts at the same time finds none or that one.
func writeKey(path string) error {
	key, err := NewKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key.private)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	err = pem.Encode(file, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func parseKey(text []byte) (*Key, error) {
	const wanted = "it is no private key of P-256 in PEM, such as openssl ecparam -genkey -name prime256v1 -noout makes"
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New(wanted)
	}
	if private, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return newKey(private)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, errors.New(wanted)
	}
	return newKey(private)
}
