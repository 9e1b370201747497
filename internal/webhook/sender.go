package webhook

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/outward"
	"parkwire/internal/trace"
)

// Message is what is sent to one address.
type Message struct {
	URL string
	// Secrets sign it, each by itself: while one takes the place of another, receivers may know either.
	Secrets []string
	ID      string // at most 128 bytes of letters, digits, "-", "_" and "."
	Body    []byte // JSON
	// Traceparent goes into the header of that name, unless it is "".
	Traceparent string
}

// Sender sends messages.
type Sender struct {
	Client *outward.Client
	Agent  string           // header User-Agent
	Now    func() time.Time // default time.Now
}

// Send makes one attempt.
func (s Sender) Send(ctx context.Context, m Message) (outward.Answer, error) {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	at := now()
	signatures := make([]string, len(m.Secrets))
	for i, secret := range m.Secrets {
		signature, err := Sign(secret, m.ID, at, m.Body)
		if err != nil {
			return outward.Answer{}, err
		}
		signatures[i] = signature
	}
	header := http.Header{
		"Content-Type":  {"application/json"},
		"User-Agent":    {s.Agent},
		HeaderID:        {m.ID},
		HeaderTimestamp: {strconv.FormatInt(at.Unix(), 10)},
		HeaderSignature: {strings.Join(signatures, " ")},
	}
	if m.Traceparent != "" {
		header.Set(trace.Header, m.Traceparent)
	}
	return s.Client.Post(ctx, m.URL, header, m.Body)
}
