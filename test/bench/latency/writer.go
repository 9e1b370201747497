//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"parkwire/test/e2e/stack"
)

// spots is how many spots are changed in turn: enough that two changes of one spot never overlap.
const spots = 600

// change is one change that was asked for.
type change struct {
	spot    int
	version int64
	at      time.Time // when its request was due: waiting for one's turn counts
}

// writer changes spots at a steady rate, whether or not the answers keep up.
type writer struct {
	api      stack.API
	rate     int
	client   *http.Client
	next     int          // the next spot
	versions [spots]int64 // the newest version asked for of each spot

	mu       sync.Mutex
	changes  map[[2]int64]change // by spot and version
	failures []error
}

// newWriter adds the spots.
func newWriter(t stack.T, api stack.API, rate int) *writer {
	w := &writer{
		api: api, rate: rate, changes: map[[2]int64]change{},
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	ids := make([]string, spots)
	for i := range ids {
		ids[i] = spotID(i)
		w.versions[i] = 1
	}
	api.AddLot(t, "latency", ids...)
	return w
}

func spotID(i int) string { return fmt.Sprintf("latency-%04d", i) }

// write changes spots for a while, waits for the answers, and returns the changes.
func (w *writer) write(length time.Duration) []change {
	var sent []change
	var answers sync.WaitGroup
	began := time.Now()
	for n := 0; ; n++ {
		due := began.Add(time.Duration(n) * time.Second / time.Duration(w.rate))
		if due.Sub(began) >= length {
			break
		}
		time.Sleep(time.Until(due))
		spot := w.next % spots
		w.next++
		w.versions[spot]++
		c := change{spot, w.versions[spot], due}
		sent = append(sent, c)
		w.mu.Lock()
		w.changes[[2]int64{int64(c.spot), c.version}] = c
		w.mu.Unlock()
		answers.Go(func() { w.request(c) })
	}
	answers.Wait()
	return sent
}

func (w *writer) request(c change) {
	action := "occupy" // version 2, and then every other one
	if c.version%2 == 1 {
		action = "release"
	}
	request, err := http.NewRequest("POST", w.api.URL+"/api/v1/spots/"+spotID(c.spot)+"/"+action, nil)
	if err == nil {
		request.Header.Set("Authorization", "Bearer "+w.api.Token)
		var answer *http.Response
		if answer, err = w.client.Do(request); err == nil {
			var spot stack.Spot
			body, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != 200 || json.Unmarshal(body, &spot) != nil || spot.Version != c.version {
				err = fmt.Errorf("%s: %s: %s", request.URL.Path, answer.Status, body)
			}
		}
	}
	if err != nil {
		w.mu.Lock()
		w.failures = append(w.failures, err)
		w.mu.Unlock()
	}
}

// err is the first request that failed.
func (w *writer) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.failures) == 0 {
		return nil
	}
	return fmt.Errorf("%d requests failed; the first: %w", len(w.failures), w.failures[0])
}

// find returns the change that a frame tells of.
func (w *writer) find(spot int, version int64) (change, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, ok := w.changes[[2]int64{int64(spot), version}]
	return c, ok
}
