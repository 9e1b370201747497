// Package parking is the parking service: lots, zones and spots, the rules by which a spot
// changes, and the REST resources that let sensors and operators change it. State and
// event are committed together; see [Store].
package parking

import (
	"time"

	"parkwire/internal/event"
)

// Lot is a place with spots: a garage, a car park, a street.
type Lot struct {
	ID       string
	Name     string
	TimeZone string // IANA name; days and hours of the lot are counted in it
	Address  string
	Location *Location
	// Heartbeat is how long a sensor of the lot may be silent before its spot is unknown; 0: no
	// supervision. A spot's own takes precedence.
	Heartbeat time.Duration
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Location is a point on the WGS 84 ellipsoid, in degrees.
type Location struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Zone is a part of a lot: a level, a row, a side of the street. Its id is unique in the platform.
type Zone struct {
	ID    string
	LotID string
	Name  string
	Level *int // storey, 0 at the street; nil where there is none
}

// Occupancy is whether a vehicle stands on a spot.
type Occupancy string

// The occupancies.
const (
	Vacant   Occupancy = "free"
	Taken    Occupancy = "occupied"
	NotKnown Occupancy = "unknown"
)

// Category is whom a spot is for.
type Category string

// The categories.
const (
	Standard   Category = "standard"
	Accessible Category = "accessible"
	Electric   Category = "electric"
	Family     Category = "family"
	Motorcycle Category = "motorcycle"
	ShortStay  Category = "short_stay"
)

// Categories lists them.
var Categories = []Category{Standard, Accessible, Electric, Family, Motorcycle, ShortStay}

// Spot is one parking spot. Occupancy, Closed and Faulted, and Reservation are independent of each
// other; [Spot.Status] is what they amount to for somebody who looks for a spot.
type Spot struct {
	ID       string
	LotID    string
	ZoneID   string
	Name     string
	Category Category
	Location *Location
	// Heartbeat is how long the sensor may be silent before the spot is unknown; 0: as the lot has it.
	Heartbeat time.Duration

	Occupancy Occupancy
	// SignalLost says that Occupancy is unknown because the sensor fell silent.
	SignalLost  bool
	Closed      bool // by the operator
	Faulted     bool // out of service
	Reservation *Reservation
	// Removed spots are kept so that one that is added again goes on counting versions.
	Removed bool

	Version        int64 // 1, 2, 3 …: one for each event
	LastObservedAt time.Time
	LastSequence   int64 // of the last accepted reading, where its sensor counts them; else 0
	SensorID       string
	// LastHeardAt is when a sensor of the spot last gave a sign of life that said nothing of vehicles.
	LastHeardAt time.Time
	AddedAt     time.Time
	ChangedAt   time.Time // when the last event was accepted
}

// Reservation holds a spot for somebody.
type Reservation struct {
	Reference  string    `json:"reference,omitempty"`
	ReservedAt time.Time `json:"reservedAt"`
	Until      time.Time `json:"until,omitzero"` // zero: until it is ended
}

// Status returns what the spot is: of several that apply, the first of removed, closed, out_of_service,
// unknown, occupied, reserved, free.
func (s Spot) Status() event.Status {
	switch {
	case s.Removed:
		return event.Removed
	case s.Closed:
		return event.Closed
	case s.Faulted:
		return event.OutOfService
	case s.Occupancy == NotKnown:
		return event.Unknown
	case s.Occupancy == Taken:
		return event.Occupied
	case s.Reservation != nil:
		return event.Reserved
	}
	return event.Free
}

// Counts are how many spots of a lot or zone have each status. The others add up to Total.
type Counts struct {
	Total        int `json:"total"`
	Free         int `json:"free"`
	Occupied     int `json:"occupied"`
	Reserved     int `json:"reserved"`
	Closed       int `json:"closed"`
	OutOfService int `json:"out_of_service"`
	Unknown      int `json:"unknown"`
}

// Observation is one reading of a sensor.
type Observation struct {
	SpotID     string
	Occupied   bool
	ObservedAt time.Time
	SensorID   string // optional
	Sequence   int64  // optional: counts the sensor's readings; tells apart those of the same time

	signal *signal // of which the transaction makes the reading; nil for one that says itself what it is
}

// Sensor is a device that observes the spot that it stands on.
type Sensor struct {
	ID     string // of a LoRaWAN device its DevEUI, in lower case
	Model  string // see package sensor
	SpotID string // "" while it stands nowhere
	LotID  string // of that spot, as it is read; it is not stored with the sensor
	// What it said last of itself; nil: nothing so far.
	BatteryPercent, BatteryVolts *float64
	RSSI, SNR                    *float64 // dBm and dB, at the gateway that heard it best
	LastSeenAt                   time.Time
	// LastMessage is the key of its newest message, so that one that is delivered again is known again.
	LastMessage string
	AddedAt     time.Time
}

// Source is who caused an event.
type Source string

// The sources.
const (
	SourceSensor   Source = "sensor"
	SourceOperator Source = "operator"
	SourceSystem   Source = "system" // supervision: silence, the end of a reservation
)
