package client

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"parkwire/internal/event"
)

// Location is a point in degrees of WGS 84.
type Location struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Lot is a lot as it is added and read.
type Lot struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	TimeZone         string    `json:"timeZone,omitempty"`
	Address          string    `json:"address,omitempty"`
	Location         *Location `json:"location,omitempty"`
	HeartbeatSeconds int       `json:"heartbeatSeconds,omitempty"`
}

// Zone is a zone as it is added.
type Zone struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Level *int   `json:"level,omitempty"`
}

// NewSpot is a spot as it is added, with its first status.
type NewSpot struct {
	SpotID     string       `json:"spotId"`
	ZoneID     string       `json:"zoneId,omitempty"`
	Name       string       `json:"name,omitempty"`
	Category   string       `json:"category,omitempty"`
	Location   *Location    `json:"location,omitempty"`
	Status     event.Status `json:"status,omitempty"`
	ObservedAt event.Time   `json:"observedAt,omitzero"`
}

// Spot is what the tools need of a spot as it is read.
type Spot struct {
	SpotID         string     `json:"spotId"`
	LotID          string     `json:"lotId"`
	Version        int64      `json:"version"`
	Occupancy      string     `json:"occupancy"` // free, occupied or unknown
	Closed         bool       `json:"closed"`
	Faulted        bool       `json:"faulted"`
	Reservation    *struct{}  `json:"reservation"`
	LastObservedAt event.Time `json:"lastObservedAt"`
}

// Observation is one reading of a sensor.
type Observation struct {
	SpotID     string     `json:"spotId"`
	Occupied   bool       `json:"occupied"`
	ObservedAt event.Time `json:"observedAt"`
	SensorID   string     `json:"sensorId,omitempty"`
}

// Outcome is what became of the readings of one request.
type Outcome struct {
	Accepted  int         `json:"accepted"`
	Unchanged int         `json:"unchanged"`
	Late      int         `json:"late"`
	Rejected  int         `json:"rejected"`
	Errors    []Rejection `json:"errors"` // at most 1,000 of the rejected
}

// Rejection is why one reading was not taken.
type Rejection struct {
	Line   int    `json:"line"` // its place among those of the request, from 1
	SpotID string `json:"spotId"`
	Reason string `json:"reason"`
}

// Lot reads a lot.
func (c *Client) Lot(ctx context.Context, id string) (Lot, error) {
	var lot Lot
	err := c.do(ctx, http.MethodGet, "/api/v1/lots/"+url.PathEscape(id), nil, nil, &lot)
	return lot, err
}

// AddLot adds a lot; 409 when there is one.
func (c *Client) AddLot(ctx context.Context, lot Lot) error {
	return c.do(ctx, http.MethodPost, "/api/v1/lots", nil, lot, nil)
}

// AddZone adds a zone to a lot; 409 when there is one.
func (c *Client) AddZone(ctx context.Context, lotID string, zone Zone) error {
	return c.do(ctx, http.MethodPost, "/api/v1/lots/"+url.PathEscape(lotID)+"/zones", nil, zone, nil)
}

// AddSpots adds up to 10,000 spots to a lot, all or none; 409 when one is taken.
func (c *Client) AddSpots(ctx context.Context, lotID string, spots []NewSpot) error {
	return c.do(ctx, http.MethodPost, "/api/v1/lots/"+url.PathEscape(lotID)+"/spots", nil, spots, nil)
}

// Spot reads a spot.
func (c *Client) Spot(ctx context.Context, id string) (Spot, error) {
	var spot Spot
	err := c.do(ctx, http.MethodGet, "/api/v1/spots/"+url.PathEscape(id), nil, nil, &spot)
	return spot, err
}

// Spots calls fn for every spot of a lot.
func (c *Client) Spots(ctx context.Context, lotID string, fn func(Spot)) error {
	query := url.Values{"limit": {"5000"}}
	for {
		var page struct {
			Items []Spot `json:"items"`
			Next  string `json:"next"`
		}
		if err := c.do(ctx, http.MethodGet, "/api/v1/lots/"+url.PathEscape(lotID)+"/spots", query, nil, &page); err != nil {
			return err
		}
		for _, spot := range page.Items {
			fn(spot)
		}
		if page.Next == "" {
			return nil
		}
		query.Set("cursor", page.Next)
	}
}

// Observe sends readings. Those of one spot must be in order.
func (c *Client) Observe(ctx context.Context, readings []Observation) (Outcome, error) {
	var outcome Outcome
	err := c.do(ctx, http.MethodPost, "/api/v1/observations", nil, readings, &outcome)
	return outcome, err
}

// Act does to a spot what an operator can do (occupy, release, close, reopen, fault or repair), and returns what it then is.
func (c *Client) Act(ctx context.Context, spotID, action string) (Spot, error) {
	var spot Spot
	err := c.do(ctx, http.MethodPost, "/api/v1/spots/"+url.PathEscape(spotID)+"/"+action, nil, nil, &spot)
	return spot, err
}

// RemoveSpot removes a spot; 404 when there is none.
func (c *Client) RemoveSpot(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/api/v1/spots/"+url.PathEscape(id), nil, nil, nil)
}

// RemoveLot removes a lot; 404 when there is none, 409 while it has spots.
func (c *Client) RemoveLot(ctx context.Context, id string) error {
	return c.do(ctx, http.MethodDelete, "/api/v1/lots/"+url.PathEscape(id), nil, nil, nil)
}

// Reserve holds a spot under a reference until a time.
func (c *Client) Reserve(ctx context.Context, spotID, reference string, until time.Time) error {
	body := struct {
		Reference string     `json:"reference"`
		Until     event.Time `json:"until"`
	}{reference, event.At(until)}
	return c.do(ctx, http.MethodPut, "/api/v1/spots/"+url.PathEscape(spotID)+"/reservation", nil, body, nil)
}

// EndReservation gives a spot free for others.
func (c *Client) EndReservation(ctx context.Context, spotID string) error {
	return c.do(ctx, http.MethodDelete, "/api/v1/spots/"+url.PathEscape(spotID)+"/reservation", nil, nil, nil)
}

// Position is the cursor of the present: what happens from now on comes behind it. Empty where the
// platform, as it is reached, has none to give.
func (c *Client) Position(ctx context.Context) (string, error) {
	var page struct {
		After string `json:"after"`
	}
	_, err := c.try(ctx, http.MethodGet, "/api/v1/spots", url.Values{"limit": {"1"}}, nil, &page)
	return page.After, err
}
