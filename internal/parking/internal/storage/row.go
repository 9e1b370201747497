// Package storage is what the stores of the parking part have in common: how rows are read into the
// model, what is known of the database's health, and what is measured.
package storage

import (
	"fmt"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

// Row is one row of either driver.
type Row interface{ Scan(into ...any) error }

// The columns that the Scan functions read, in their order. The spots' are of a table named or aliased s.
const (
	LotColumns  = `id, name, time_zone, address, lat, lon, heartbeat_ms, created_at, updated_at`
	ZoneColumns = `id, lot_id, name, level`
	SpotColumns = `s.id, coalesce(s.lot_id, ''), coalesce(s.zone_id, ''), s.name, s.category, s.lat, s.lon, s.heartbeat_ms,
		s.occupancy, s.signal_lost, s.closed, s.faulted, s.status = 'removed',
		s.reservation_reference, s.reserved_at, s.reserved_until,
		s.version, s.last_observed_at, s.last_sequence, s.sensor_id, s.added_at, s.changed_at, s.last_heard_at`
	SensorColumns  = `id, model, coalesce(spot_id, ''), coalesce((select lot_id from spots where spots.id = spot_id), ''), battery_percent, battery_volts, rssi, snr, last_seen_at, last_message, added_at`
	HistoryColumns = `id, spot_id, change, status, previous_status, version, event_id, observed_at, recorded_at, source, subject`
	AnswerColumns  = `subject, key, fingerprint, status, location, etag, body, kept_at`
	OutboxColumns  = `id, spot_id, event_id, value, tombstone, traceparent`
	RecordColumns  = `id, topic, key, value`
	AccessColumns  = `kind, id, revision, value, kept_until`
)

// ScanLot reads [LotColumns].
func ScanLot(r Row) (lot parking.Lot, err error) {
	var at point
	var heartbeat int64
	err = r.Scan(&lot.ID, &lot.Name, &lot.TimeZone, &lot.Address, &at.lat, &at.lon, &heartbeat,
		instant{&lot.CreatedAt}, instant{&lot.UpdatedAt})
	lot.Location, lot.Heartbeat = at.location(), time.Duration(heartbeat)*time.Millisecond
	return lot, err
}

// ScanZone reads [ZoneColumns].
func ScanZone(r Row) (zone parking.Zone, err error) {
	err = r.Scan(&zone.ID, &zone.LotID, &zone.Name, &zone.Level)
	return zone, err
}

// ScanSpot reads [SpotColumns].
func ScanSpot(r Row) (spot parking.Spot, err error) {
	var at point
	var heartbeat int64
	var reservation parking.Reservation
	err = r.Scan(&spot.ID, &spot.LotID, &spot.ZoneID, &spot.Name, &spot.Category, &at.lat, &at.lon, &heartbeat,
		&spot.Occupancy, &spot.SignalLost, &spot.Closed, &spot.Faulted, &spot.Removed,
		&reservation.Reference, instant{&reservation.ReservedAt}, instant{&reservation.Until},
		&spot.Version, instant{&spot.LastObservedAt}, &spot.LastSequence, &spot.SensorID,
		instant{&spot.AddedAt}, instant{&spot.ChangedAt}, instant{&spot.LastHeardAt})
	spot.Location, spot.Heartbeat = at.location(), time.Duration(heartbeat)*time.Millisecond
	if !reservation.ReservedAt.IsZero() {
		spot.Reservation = &reservation
	}
	return spot, err
}

// ScanSensor reads [SensorColumns].
func ScanSensor(r Row) (s parking.Sensor, err error) {
	err = r.Scan(&s.ID, &s.Model, &s.SpotID, &s.LotID, &s.BatteryPercent, &s.BatteryVolts, &s.RSSI, &s.SNR, instant{&s.LastSeenAt}, &s.LastMessage, instant{&s.AddedAt})
	return s, err
}

// ScanHistory reads [HistoryColumns].
func ScanHistory(r Row) (e parking.HistoryEntry, err error) {
	err = r.Scan(&e.ID, &e.SpotID, &e.Change, &e.Status, &e.PreviousStatus, &e.Version, &e.EventID,
		instant{&e.ObservedAt}, instant{&e.RecordedAt}, &e.Source, &e.By)
	return e, err
}

// ScanAnswer reads [AnswerColumns].
func ScanAnswer(r Row) (a parking.KeptAnswer, err error) {
	err = r.Scan(&a.Subject, &a.Key, &a.Fingerprint, &a.Status, &a.Location, &a.ETag, &a.Body, instant{&a.KeptAt})
	return a, err
}

// ScanOutbox reads [OutboxColumns].
func ScanOutbox(r Row) (row relay.OutboxRow, err error) {
	err = r.Scan(&row.ID, &row.SpotID, &row.EventID, &row.Value, &row.Tombstone, &row.Traceparent)
	return row, err
}

// ScanRecord reads [RecordColumns].
func ScanRecord(r Row) (row relay.RecordRow, err error) {
	err = r.Scan(&row.ID, &row.Topic, &row.Key, &row.Value)
	return row, err
}

// ScanAccess reads [AccessColumns].
func ScanAccess(r Row) (row parking.AccessRow, err error) {
	err = r.Scan(&row.Kind, &row.ID, &row.Revision, &row.Value, instant{&row.KeptUntil})
	return row, err
}

// ScanNumber reads a number.
func ScanNumber(r Row) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// Count is how many spots of a lot or a zone have a status.
type Count struct {
	Of     string
	Status event.Status
	N      int
}

// ScanCount reads an id, a status and a number.
func ScanCount(r Row) (c Count, err error) {
	err = r.Scan(&c.Of, &c.Status, &c.N)
	return c, err
}

// tally adds up counts by what they are of. Total is their sum and so always agrees with the rest.
func tally(counts []Count) map[string]parking.Counts {
	all := make(map[string]parking.Counts)
	for _, c := range counts {
		t := all[c.Of]
		switch c.Status {
		case event.Removed:
			continue
		case event.Free:
			t.Free += c.N
		case event.Occupied:
			t.Occupied += c.N
		case event.Reserved:
			t.Reserved += c.N
		case event.Closed:
			t.Closed += c.N
		case event.OutOfService:
			t.OutOfService += c.N
		case event.Unknown:
			t.Unknown += c.N
		}
		t.Total += c.N
		all[c.Of] = t
	}
	return all
}

// LotStates joins lots with the counts of their spots.
func LotStates(lots []parking.Lot, counts []Count) []parking.LotState {
	of, states := tally(counts), make([]parking.LotState, len(lots))
	for i, lot := range lots {
		states[i] = parking.LotState{Lot: lot, Counts: of[lot.ID]}
	}
	return states
}

// ZoneStates joins zones with the counts of their spots.
func ZoneStates(zones []parking.Zone, counts []Count) []parking.ZoneState {
	of, states := tally(counts), make([]parking.ZoneState, len(zones))
	for i, zone := range zones {
		states[i] = parking.ZoneState{Zone: zone, Counts: of[zone.ID]}
	}
	return states
}

// ZonesByID returns zones by their ids.
func ZonesByID(zones []parking.Zone) map[string]parking.Zone {
	found := make(map[string]parking.Zone, len(zones))
	for _, zone := range zones {
		found[zone.ID] = zone
	}
	return found
}

// SensorsByID returns sensors by their ids.
func SensorsByID(sensors []parking.Sensor) map[string]parking.Sensor {
	found := make(map[string]parking.Sensor, len(sensors))
	for _, sensor := range sensors {
		found[sensor.ID] = sensor
	}
	return found
}

// Position is the newest acknowledged offset of a partition.
type Position struct {
	Partition int32
	Offset    int64
}

// ScanPosition reads a partition and its offset.
func ScanPosition(r Row) (p Position, err error) {
	err = r.Scan(&p.Partition, &p.Offset)
	return p, err
}

// Offsets makes a vector of positions; nil of none.
func Offsets(positions []Position) (offsets event.Offsets) {
	for _, p := range positions {
		offsets = offsets.Advance(p.Partition, p.Offset)
	}
	return offsets
}

// Single returns the one row that was read; [parking.ErrNotFound] where there was none.
func Single[T any](all []T, err error) func(what, id string) (T, error) {
	return func(what, id string) (one T, _ error) {
		if err == nil && len(all) == 0 {
			err = parking.ErrNotFound
		}
		if err != nil {
			return one, fmt.Errorf("reading %s %q: %w", what, id, err)
		}
		return all[0], nil
	}
}

// point is the two columns of a location; both are null where there is none.
type point struct{ lat, lon *float64 }

func (p point) location() *parking.Location {
	if p.lat == nil || p.lon == nil {
		return nil
	}
	return &parking.Location{Lat: *p.lat, Lon: *p.lon}
}

// instant reads a time: SQLite has the milliseconds since 1970, PostgreSQL a timestamp; null is the zero time.
type instant struct{ t *time.Time }

// Scan implements sql.Scanner, which pgx knows too.
func (i instant) Scan(value any) error {
	switch v := value.(type) {
	case nil:
		*i.t = time.Time{}
	case int64:
		*i.t = time.UnixMilli(v).UTC()
	case time.Time:
		*i.t = v.UTC()
	default:
		return fmt.Errorf("a time is stored as %T", value)
	}
	return nil
}
