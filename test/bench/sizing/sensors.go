//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"

	"parkwire/test/e2e/stack"
)

// sensors report through the gateway that spots are taken and free in turn, so that each reading is a change. A gateway of
// sensors gathers for a tenth of a second.
type sensors struct {
	url, token string
	client     *http.Client
	spots      []string
	next       int
	taken      []bool
}

const gather = 100 * time.Millisecond

func newSensors(t stack.T, platform *stack.Stack, spots []string) *sensors {
	return &sensors{url: platform.URL, token: platform.TokenFor(t, "ingest"), client: &http.Client{Timeout: time.Minute}, spots: spots, taken: make([]bool, len(spots))}
}

// begin sends so many changes a second until stop is called. What was sent too late is sent as soon as it can be.
func (s *sensors) begin(t stack.T, rate int) (stop func()) {
	t.Helper()
	quit, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		began, sent := time.Now(), 0
		ticks := time.NewTicker(gather)
		defer ticks.Stop()
		for {
			select {
			case <-quit:
				ended <- nil
				return
			case <-ticks.C:
			}
			due := min(int(time.Since(began).Seconds()*float64(rate))-sent, len(s.spots)/2) // no spot twice in one request
			if due == 0 {
				continue
			}
			if err := s.send(due); err != nil {
				ended <- err
				return
			}
			sent += due
		}
	}()
	return func() {
		close(quit)
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

func (s *sensors) send(n int) error {
	var body bytes.Buffer
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	for range n {
		i := s.next
		s.next = (s.next + 1) % len(s.spots)
		s.taken[i] = !s.taken[i]
		fmt.Fprintf(&body, `{"spotId":%q,"occupied":%v,"observedAt":%q}`+"\n", s.spots[i], s.taken[i], now)
	}
	r, err := http.NewRequest("POST", s.url+"/api/v1/observations", &body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := s.client.Do(r)
	if err != nil {
		return fmt.Errorf("sending readings: %w", err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK || !bytes.Contains(text, fmt.Appendf(nil, `"accepted":%d`, n)) {
		return fmt.Errorf("readings are answered %s: %s", answer.Status, text)
	}
	return nil
}
