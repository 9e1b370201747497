package webpush

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"parkwire/internal/outward"
)

// Tokens for push services hold for less than the 24 hours that RFC 8292 allows, and are made again in time.
const (
	tokenAge   = 12 * time.Hour
	tokenRenew = time.Hour
	maxTokens  = 1000 // push services whose tokens are remembered
)

// Subscription is where a browser gets its messages.
type Subscription struct {
	Endpoint string
	Keys     Keys
}

// Message is what a browser gets.
type Message struct {
	Text []byte // at most [MaxText] bytes
	// TTL is how long the push service keeps it for a browser that is away.
	TTL time.Duration
	// Urgent wakes a device that saves its battery.
	Urgent bool
	// Topic: of messages of one topic that wait for a browser it gets the newest alone. "": each by itself.
	Topic string
}

// Options configure a [Sender].
type Options struct {
	Key *Key
	// Contact is a mailto: or https: address by which operators of push services reach that of this server.
	Contact string
	Client  *outward.Client
	Now     func() time.Time // default time.Now
}

// Sender sends messages.
type Sender struct {
	options Options

	mu     sync.Mutex
	tokens map[string]token // by origin of the push service
}

type token struct {
	text    string
	expires time.Time
}

// CheckContact says what is wrong with a contact, or returns "".
func CheckContact(text string) string {
	u, err := url.Parse(text)
	if err == nil && u.Scheme == "https" && u.Hostname() != "" {
		return ""
	}
	if address, ok := strings.CutPrefix(text, "mailto:"); ok {
		if parsed, err := mail.ParseAddress(address); err == nil && parsed.Address == address {
			return ""
		}
	}
	return "it is neither mailto: and an address nor an https: address"
}

// New returns a sender.
func New(o Options) (*Sender, error) {
	if wrong := CheckContact(o.Contact); wrong != "" {
		return nil, errors.New("the contact for push services: " + wrong)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sender{options: o, tokens: map[string]token{}}, nil
}

// PublicKey is what browsers subscribe with.
func (s *Sender) PublicKey() string { return s.options.Key.Public() }

// Send makes one attempt. The answer 404 or 410 means that the subscription has ended.
func (s *Sender) Send(ctx context.Context, to Subscription, m Message) (outward.Answer, error) {
	body, err := encrypt(to.Keys, m.Text)
	if err != nil {
		return outward.Answer{}, err
	}
	authorization, err := s.authorization(to.Endpoint)
	if err != nil {
		return outward.Answer{}, err
	}
	header := http.Header{
		"Authorization":    {authorization},
		"Content-Encoding": {"aes128gcm"},
		"Content-Type":     {"application/octet-stream"},
		"Ttl":              {strconv.Itoa(int(m.TTL / time.Second))},
		"Urgency":          {"normal"},
	}
	if m.Urgent {
		header.Set("Urgency", "high")
	}
	if m.Topic != "" {
		header.Set("Topic", topic(m.Topic))
	}
	return s.options.Client.Post(ctx, to.Endpoint, header, body)
}

// topic is a name of 32 characters of base64url, which is what the header takes, and says nothing to the push service.
func topic(name string) string {
	sum := sha256.Sum256([]byte(name))
	return base64.RawURLEncoding.EncodeToString(sum[:24])
}

// authorization is RFC 8292: a token for the push service, and the key by which it is signed.
func (s *Sender) authorization(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "", fmt.Errorf("reading the address of a push service: %w", err)
	}
	origin := u.Scheme + "://" + u.Host
	now := s.options.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	t, known := s.tokens[origin]
	if !known || t.expires.Sub(now) < tokenRenew {
		t.expires = now.Add(tokenAge)
		t.text, err = jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{
			"aud": origin, "exp": t.expires.Unix(), "sub": s.options.Contact,
		}).SignedString(s.options.Key.private)
		if err != nil {
			return "", fmt.Errorf("signing a token for %s: %w", origin, err)
		}
		if len(s.tokens) >= maxTokens {
			clear(s.tokens)
		}
		s.tokens[origin] = t
	}
	return "vapid t=" + t.text + ", k=" + s.options.Key.Public(), nil
}
