package directory

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
)

// The types of resources that are described here. Of others, sensors and keys, nothing is kept.
const (
	typeLot  = "lot"
	typeZone = "zone"
	typeSpot = "spot"
)

// record is what the topic says of a change, as far as it matters here; see "change" in api/asyncapi.yaml.
type record struct {
	ID       string `json:"id"`
	Resource struct {
		Type  string `json:"type"`
		ID    string `json:"id"`
		LotID string `json:"lotId"`
	} `json:"resource"`
	Outcome string          `json:"outcome"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after"`
}

// decode reads a record; ok is false for what is not kept here.
func decode(value []byte) (r record, ok bool, err error) {
	if err := json.Unmarshal(value, &r); err != nil {
		return record{}, false, fmt.Errorf("the value is no JSON object as a record of a change is: %w", err)
	}
	r.Before, r.After = present(r.Before), present(r.After)
	switch r.Resource.Type {
	case typeLot, typeZone, typeSpot:
	case "":
		return record{}, false, errors.New(`the field "resource" names no type`)
	default:
		return record{}, false, nil
	}
	switch {
	case r.Resource.ID == "":
		return record{}, false, errors.New(`the field "resource" names no id`)
	case r.made().IsZero():
		return record{}, false, fmt.Errorf(`the field "id" is %q and no UUIDv7, so that it is not known which record is newer`, r.ID)
	case len(r.After) == 0 && len(r.Before) == 0:
		return record{}, false, errors.New(`neither "before" nor "after" is there`)
	}
	return r, true, nil
}

// present takes null for nothing.
func present(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// made is when the record was made, as its id says; zero where that is no UUIDv7.
func (r record) made() time.Time { return madeAt(r.ID) }

func madeAt(id string) time.Time {
	u, err := uuid.Parse(id)
	if err != nil || u.Version() != 7 {
		return time.Time{}
	}
	seconds, nanos := u.Time().UnixTime()
	return time.Unix(seconds, nanos).UTC()
}

// skew is by how much the clocks of two parking instances may differ for their records still to be told apart: see newer.
const skew = 10 * time.Second

// newer reports whether a record says something newer than what is known, of the record with the id known: by the times in the ids. Two
// instances may have changed a thing one after the other, and the second one's clock be behind: a record that goes on from exactly what is
// known is newer though its id is a little older.
func (r record) newer(known string, continues bool) bool {
	if r.ID == known {
		return false
	}
	if r.ID > known { // the hexadecimal digits of UUIDv7 sort by time
		return true
	}
	return continues && madeAt(known).Sub(r.made()) <= skew
}

// describes is what is described last: what the thing is now, or was before it was removed.
func (r record) describes() json.RawMessage {
	if len(r.After) > 0 {
		return r.After
	}
	return r.Before
}

func (r record) removed() bool { return len(r.After) == 0 }

type locationView struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

func (l *locationView) location() *Location {
	if l == nil {
		return nil
	}
	return &Location{Lat: l.Lat, Lon: l.Lon}
}

// described is any of the three as records describe it.
type described interface{ Lot | Zone | Spot }

func readLot(raw json.RawMessage) (Lot, error) {
	var v struct {
		ID               string        `json:"id"`
		Name             string        `json:"name"`
		TimeZone         string        `json:"timeZone"`
		Address          string        `json:"address"`
		Location         *locationView `json:"location"`
		HeartbeatSeconds int64         `json:"heartbeatSeconds"`
		CreatedAt        event.Time    `json:"createdAt"`
		UpdatedAt        event.Time    `json:"updatedAt"`
	}
	err := json.Unmarshal(raw, &v)
	return Lot{
		ID: v.ID, Name: v.Name, TimeZone: v.TimeZone, Address: v.Address, Location: v.Location.location(),
		HeartbeatSeconds: v.HeartbeatSeconds, CreatedAt: v.CreatedAt.Time, UpdatedAt: v.UpdatedAt.Time,
	}, err
}

func readZone(raw json.RawMessage) (Zone, error) {
	var v struct {
		ID    string `json:"id"`
		LotID string `json:"lotId"`
		Name  string `json:"name"`
		Level *int   `json:"level"`
	}
	err := json.Unmarshal(raw, &v)
	return Zone{ID: v.ID, LotID: v.LotID, Name: v.Name, Level: v.Level}, err
}

func readSpot(raw json.RawMessage) (Spot, error) {
	var v struct {
		SpotID           string        `json:"spotId"`
		LotID            string        `json:"lotId"`
		ZoneID           string        `json:"zoneId"`
		Name             string        `json:"name"`
		Category         string        `json:"category"`
		Location         *locationView `json:"location"`
		HeartbeatSeconds int64         `json:"heartbeatSeconds"`
		SensorID         string        `json:"sensorId"`
	}
	err := json.Unmarshal(raw, &v)
	return Spot{
		ID: v.SpotID, LotID: v.LotID, ZoneID: v.ZoneID, Name: v.Name, Category: v.Category, Location: v.Location.location(),
		HeartbeatSeconds: v.HeartbeatSeconds, SensorID: v.SensorID,
	}, err
}
