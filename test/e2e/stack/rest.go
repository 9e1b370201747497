package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// API speaks to the REST interface as an operator.
type API struct {
	URL   string // "http://host:port"
	Token string
}

// Answer is the answer to one request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Problem is an answer as RFC 9457 has it.
type Problem struct {
	Type, Title, Detail, Instance, Field string
	Status                               int
	RequestID                            string `json:"requestId"`
}

// Spot is a spot as the REST interface shows it.
type Spot struct {
	SpotID    string `json:"spotId"`
	LotID     string `json:"lotId"`
	ZoneID    string `json:"zoneId,omitempty"`
	Status    string `json:"status"`
	Occupancy string `json:"occupancy"`
	Version   int64  `json:"version"`
}

// Counts are a lot's counts.
type Counts struct {
	Total, Free, Occupied, Reserved, Closed, Unknown int
	OutOfService                                     int `json:"out_of_service"`
}

// AddUp reports whether every spot is counted once.
func (c Counts) AddUp() bool {
	return c.Free+c.Occupied+c.Reserved+c.Closed+c.OutOfService+c.Unknown == c.Total
}

// Every request takes a connection of its own: what is tested is not a pool's behaviour when servers die.
var client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// Try sends one request. body is sent as JSON, or as it is where it is a string.
func (a API) Try(method, path string, body any) (Answer, error) {
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = bytes.NewReader([]byte(b))
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return Answer{}, err
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, a.URL+path, reader)
	if err != nil {
		return Answer{}, err
	}
	if a.Token != "" {
		request.Header.Set("Authorization", "Bearer "+a.Token)
	}
	if reader != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	if err != nil {
		return Answer{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return Answer{}, fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	}
	return Answer{answer.StatusCode, answer.Header, text}, nil
}

// Do sends one request and checks that the answer has the status that is wanted and is as openapi.yaml says. into, unless nil, takes its body.
func (a API) Do(t T, want int, method, path string, body, into any) Answer {
	t.Helper()
	answer, err := a.Try(method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if answer.Status != want {
		t.Fatalf("%s %s: status %d instead of %d: %s", method, path, answer.Status, want, tail(string(answer.Body)))
	}
	if err := Described(method, path, answer); err != nil {
		t.Errorf("%v", err)
	}
	if into != nil {
		if err := json.Unmarshal(answer.Body, into); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, tail(string(answer.Body)))
		}
	}
	return answer
}

// Refused sends one request that must be refused with a problem of the given status, and returns the problem.
func (a API) Refused(t T, want int, method, path string, body any) Problem {
	t.Helper()
	var p Problem
	answer := a.Do(t, want, method, path, body, &p)
	if kind := answer.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("%s %s: a refusal came as %q; application/problem+json was promised", method, path, kind)
	}
	if p.Status != want || p.Type == "" || p.Title == "" || p.RequestID == "" {
		t.Errorf("%s %s: the problem lacks type, title, status or requestId: %s", method, path, answer.Body)
	}
	return p
}

// AddLot adds a lot with free spots.
func (a API) AddLot(t T, lotID string, spotIDs ...string) {
	t.Helper()
	a.Do(t, 201, "POST", "/api/v1/lots", map[string]string{"id": lotID, "name": "Lot " + lotID}, nil)
	if len(spotIDs) == 0 {
		return
	}
	spots := make([]map[string]string, len(spotIDs))
	for i, id := range spotIDs {
		spots[i] = map[string]string{"spotId": id, "status": "free"}
	}
	a.Do(t, 201, "POST", "/api/v1/lots/"+lotID+"/spots", spots, nil)
}

// Act lets an operator do something to a spot: occupy, release, close, reopen, fault or repair.
func (a API) Act(t T, spotID, action string) Spot {
	t.Helper()
	var s Spot
	a.Do(t, 200, "POST", "/api/v1/spots/"+spotID+"/"+action, nil, &s)
	return s
}

// Toggle occupies the spot if it is free and releases it if not.
func (a API) Toggle(t T, s Spot) Spot {
	t.Helper()
	if s.Status == "free" {
		return a.Act(t, s.SpotID, "occupy")
	}
	return a.Act(t, s.SpotID, "release")
}

// Spot reads a spot.
func (a API) Spot(t T, spotID string) Spot {
	t.Helper()
	var s Spot
	a.Do(t, 200, "GET", "/api/v1/spots/"+spotID, nil, &s)
	return s
}

// Spots reads all spots of a lot (at most 5,000), by id.
func (a API) Spots(t T, lotID string) map[string]Spot {
	t.Helper()
	var page struct {
		Items []Spot
		Next  string
	}
	a.Do(t, 200, "GET", "/api/v1/spots?limit=5000&lot="+lotID, nil, &page)
	if page.Next != "" {
		t.Fatalf("lot %s has more spots than one page holds", lotID)
	}
	spots := make(map[string]Spot, len(page.Items))
	for _, s := range page.Items {
		spots[s.SpotID] = s
	}
	return spots
}

// Counts reads a lot's counts and checks that they add up.
func (a API) Counts(t T, lotID string) Counts {
	t.Helper()
	var c Counts
	a.Do(t, 200, "GET", "/api/v1/lots/"+lotID+"/summary", nil, &c)
	if !c.AddUp() {
		t.Errorf("the counts of lot %s do not add up: %+v", lotID, c)
	}
	return c
}
