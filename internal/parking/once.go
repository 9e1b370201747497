package parking

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"parkwire/internal/rest"
)

// answersKept is how long an answer is given again to who repeats a request under the same key.
const answersKept = 24 * time.Hour

const (
	maxKey    = 128
	headerKey = "Idempotency-Key"
	wantKey   = `1 to 128 visible ASCII characters, best a new UUID for each thing to be done, such as "019ab3c1-5d7b-7cc2-9b1e-0d5b6a1f2c3d"`
)

// attempt is a request that its client may send again: what was done under its key is not done twice.
type attempt struct {
	key         AnswerKey
	fingerprint []byte
}

// claims are the keys of the requests that this process serves just now.
type claims struct {
	mu   sync.Mutex
	held map[AnswerKey]bool
}

func (c *claims) take(key AnswerKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[key] {
		return false
	}
	if c.held == nil {
		c.held = map[AnswerKey]bool{}
	}
	c.held[key] = true
	return true
}

func (c *claims) release(key AnswerKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, key)
}

// hasKey reports whether the request is one to be done once. PUT and DELETE are so by themselves.
func hasKey(r *http.Request) bool {
	_, there := r.Header[headerKey]
	return there && (r.Method == http.MethodPost || r.Method == http.MethodPatch)
}

// once serves a request under its key: by the answer that was kept, or by serve, whose answer is then kept in the
// transaction of the change, see [Service.answered]. What was refused has changed nothing, and is judged anew.
func (s *Service) once(w http.ResponseWriter, r *http.Request, by origin, serve endpoint) (rest.Answer, error) {
	key, ok := readKey(r.Header.Values(headerKey))
	if !ok {
		return rest.Answer{}, invalidKey()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, rest.MaxBody))
	if err != nil {
		return rest.Answer{}, rest.BodyError(r, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	by.attempt = &attempt{key: AnswerKey{Subject: by.Who.Subject, Key: key}, fingerprint: fingerprint(r, body)}
	if !s.claims.take(by.attempt.key) {
		return rest.Answer{}, keyInUse()
	}
	defer s.claims.release(by.attempt.key)
	kept, err := s.store.Answer(r.Context(), by.attempt.key, s.now().Add(-answersKept))
	if !errors.Is(err, ErrNotFound) {
		return by.attempt.replay(kept, err)
	}
	return serve(w, r, by)
}

// readKey takes a string of RFC 9651 as the draft asks for, and the same without quotes as most clients send it.
func readKey(values []string) (key string, ok bool) {
	if len(values) != 1 {
		return "", false
	}
	key = values[0]
	if inner, quoted := strings.CutPrefix(key, `"`); quoted {
		if key, quoted = strings.CutSuffix(inner, `"`); !quoted {
			return "", false
		}
	}
	return key, key != "" && len(key) <= maxKey && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// fingerprint tells requests apart that ask for different things.
func fingerprint(r *http.Request, body []byte) []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q\n", r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Values("Content-Type"), r.Header.Values("If-Match"))
	h.Write(body)
	return h.Sum(nil)
}

// replay answers as kept, where that was asked for the same thing.
func (a *attempt) replay(kept KeptAnswer, err error) (rest.Answer, error) {
	switch {
	case err != nil:
		return rest.Answer{}, err
	case !bytes.Equal(kept.Fingerprint, a.fingerprint):
		return rest.Answer{}, keyReused()
	}
	return rest.Answer{Status: kept.Status, Location: kept.Location, ETag: kept.ETag, Body: json.RawMessage(kept.Body), Replayed: true}, nil
}

// answered runs change in a transaction and returns what it answers. Under a key the answer is kept in the same
// transaction: there is no moment at which one is known and the other is not.
func (s *Service) answered(ctx context.Context, by origin, change func(ctx context.Context, t *transaction) (rest.Answer, error)) (rest.Answer, error) {
	var a rest.Answer
	err := s.update(ctx, func(ctx context.Context, t *transaction) (err error) {
		if a, err = t.recall(ctx, by); err != nil || a.Replayed {
			return err
		}
		if a, err = change(ctx, t); err != nil {
			return err
		}
		return t.keep(ctx, by, a)
	})
	return a, err
}

// recall returns the answer that was kept, replayed, if another process has served the request meanwhile.
func (t *transaction) recall(ctx context.Context, by origin) (rest.Answer, error) {
	if by.attempt == nil {
		return rest.Answer{}, nil
	}
	kept, err := t.ClaimAnswer(ctx, by.attempt.key, t.now.Add(-answersKept))
	switch {
	case errors.Is(err, ErrNotFound):
		return rest.Answer{}, nil
	case errors.Is(err, ErrClaimed):
		return rest.Answer{}, keyInUse()
	}
	return by.attempt.replay(kept, err)
}

// keep keeps the answer, where the request has a key.
func (t *transaction) keep(ctx context.Context, by origin, a rest.Answer) error {
	if by.attempt == nil {
		return nil
	}
	body, err := a.Encode()
	if err != nil {
		return err
	}
	return t.KeepAnswer(ctx, KeptAnswer{
		AnswerKey: by.attempt.key, Fingerprint: by.attempt.fingerprint, Status: a.Status, Location: a.Location, ETag: a.ETag, Body: body, KeptAt: t.now,
	})
}
