package catchup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

// change is the newest of a resource that the topic of changes tells of, as far as it is needed here.
type change struct {
	Time     event.Time `json:"time"`
	Resource struct {
		Type, ID, LotID string
	} `json:"resource"`
	Before json.RawMessage `json:"before"` // kept of what was removed
	After  json.RawMessage `json:"after"`
}

// removed reports whether the resource was removed.
func (c change) removed() bool { return len(c.After) == 0 }

// removal is the event of a spot that was removed, as far as this tells of it.
func (c change) removal() (e event.Event, ok bool) {
	var was spotView
	if !c.removed() || json.Unmarshal(c.Before, &was) != nil || was.Version < 1 {
		return e, false
	}
	return event.Event{
		SpotID: c.Resource.ID, LotID: c.Resource.LotID, ZoneID: was.ZoneID, Change: event.ChangeRemoved, Status: event.Removed, PreviousStatus: was.Status,
		Version: was.Version + 1, Timestamp: c.Time, Source: string(parking.SourceOperator),
	}, true
}

// descriptions are what was changed last of each lot, zone, spot and sensor, by type and id.
type descriptions map[string]change

// readDescriptions reads the topic of changes. What the database is still to send is newer than what the topic has.
func (r *run) readDescriptions(ctx context.Context) (descriptions, error) {
	d := descriptions{}
	err := r.all(ctx, r.Log.AuditTopic(), func(record kafkalog.Record) {
		var c change
		if json.Unmarshal(record.Value, &c) == nil && !c.Time.Before(d[string(record.Key)].Time.Time) {
			if !c.removed() {
				c.Before = nil
			}
			d[string(record.Key)] = c
		}
	})
	if err != nil {
		return nil, err
	}
	pending, err := r.Store.PendingRecords(ctx, atOnce)
	if err != nil {
		return nil, err
	}
	for _, row := range pending {
		var c change
		if row.Topic == relay.Audit && json.Unmarshal(row.Value, &c) == nil && !c.Time.Before(d[row.Key].Time.Time) {
			delete(d, row.Key)
		}
	}
	return d, nil
}

// of returns what is told of resources of a type, by id.
func (d descriptions) of(kind string) (all []change) {
	for _, key := range slices.Sorted(maps.Keys(d)) {
		if strings.HasPrefix(key, kind+"/") {
			all = append(all, d[key])
		}
	}
	return all
}

// Views of what REST answers, as far as it is described.
type (
	lotView struct {
		ID, Name, TimeZone, Address string
		Location                    *parking.Location
		HeartbeatSeconds            int64
		CreatedAt, UpdatedAt        event.Time
	}
	zoneView struct {
		ID, LotID, Name string
		Level           *int
	}
	spotView struct {
		ZoneID, Name, SensorID string
		Status                 event.Status
		Category               parking.Category
		Location               *parking.Location
		HeartbeatSeconds       int64
		Version                int64
		Reservation            *struct {
			Reference         string
			Until, ReservedAt event.Time
		}
	}
	sensorView struct {
		ID, Model, SpotID string
		AddedAt           event.Time
	}
)

// describe brings lots and zones to what was described of them last.
func (r *run) describe(ctx context.Context) error {
	for _, c := range r.described.of("lot") {
		if c.removed() {
			continue
		}
		var v lotView
		if err := json.Unmarshal(c.After, &v); err != nil || v.ID == "" {
			return fmt.Errorf("what the log says of lot %q: %w", c.Resource.ID, cmp.Or(err, errors.New("it has no id")))
		}
		lot := parking.Lot{ID: v.ID, Name: v.Name, TimeZone: cmp.Or(v.TimeZone, "UTC"), Address: v.Address, Location: v.Location,
			Heartbeat: seconds(v.HeartbeatSeconds), CreatedAt: v.CreatedAt.Time, UpdatedAt: v.UpdatedAt.Time}
		changed, err := r.update(ctx, func(ctx context.Context, tx parking.Tx) (bool, error) {
			has, err := tx.Lot(ctx, lot.ID)
			switch {
			case errors.Is(err, parking.ErrNotFound):
				return true, tx.AddLot(ctx, lot)
			case err != nil || !lot.UpdatedAt.After(has.UpdatedAt):
				return false, err
			}
			return true, tx.SaveLot(ctx, lot)
		})
		if err != nil {
			return fmt.Errorf("lot %q: %w", lot.ID, err)
		}
		r.Lots += changed
	}
	for _, c := range r.described.of("zone") {
		if c.removed() || r.described["lot/"+c.Resource.LotID].Time != (event.Time{}) && r.described["lot/"+c.Resource.LotID].removed() {
			continue
		}
		var v zoneView
		if err := json.Unmarshal(c.After, &v); err != nil {
			return fmt.Errorf("what the log says of zone %q: %w", c.Resource.ID, err)
		}
		zone := parking.Zone(v)
		changed, err := r.update(ctx, func(ctx context.Context, tx parking.Tx) (bool, error) {
			if _, err := tx.Lot(ctx, zone.LotID); err != nil {
				if errors.Is(err, parking.ErrNotFound) { // the log has forgotten it
					err = nil
				}
				return false, err
			}
			has, err := tx.Zone(ctx, zone.ID)
			switch {
			case errors.Is(err, parking.ErrNotFound):
				return true, tx.AddZone(ctx, zone)
			case err != nil || has.Name == zone.Name && (has.Level == zone.Level || has.Level != nil && zone.Level != nil && *has.Level == *zone.Level):
				return false, err
			}
			return true, tx.SaveZone(ctx, zone)
		})
		if err != nil {
			return fmt.Errorf("zone %q: %w", zone.ID, err)
		}
		r.Zones += changed
	}
	return nil
}

// undescribe removes the zones and lots that were removed, when their spots are.
func (r *run) undescribe(ctx context.Context) error {
	remove := func(kind string, remove func(context.Context, parking.Tx, string) error) (n int, err error) {
		for _, c := range r.described.of(kind) {
			if !c.removed() {
				continue
			}
			changed, err := r.update(ctx, func(ctx context.Context, tx parking.Tx) (bool, error) {
				err := remove(ctx, tx, c.Resource.ID)
				return err == nil, err
			})
			if err != nil && !errors.Is(err, parking.ErrNotFound) && !errors.Is(err, parking.ErrInUse) {
				return n, fmt.Errorf("%s %q: %w", kind, c.Resource.ID, err)
			}
			n += changed
		}
		return n, nil
	}
	zones, err := remove("zone", func(ctx context.Context, tx parking.Tx, id string) error { return tx.RemoveZone(ctx, id) })
	if err != nil {
		return err
	}
	lots, err := remove("lot", func(ctx context.Context, tx parking.Tx, id string) error { return tx.RemoveLot(ctx, id) })
	r.Zones, r.Lots = r.Zones+zones, r.Lots+lots
	return err
}

// complete adds what events do not say, where it was said behind what the database had of the spot.
func (d descriptions) complete(s *parking.Spot) {
	c, told := d["spot/"+s.ID]
	var v spotView
	if !told || c.removed() || json.Unmarshal(c.After, &v) != nil {
		return
	}
	s.Name, s.Category, s.Location, s.Heartbeat, s.SensorID = v.Name, cmp.Or(v.Category, parking.Standard), v.Location, seconds(v.HeartbeatSeconds), cmp.Or(v.SensorID, s.SensorID)
	if s.Reservation != nil && v.Reservation != nil {
		s.Reservation = &parking.Reservation{Reference: v.Reservation.Reference, ReservedAt: v.Reservation.ReservedAt.Time, Until: v.Reservation.Until.Time}
	}
}

// sensors brings the sensors to what was said of them last. What they said themselves is not told by the log, and comes with their next message.
func (r *run) sensors(ctx context.Context) error {
	for _, c := range r.described.of("sensor") {
		var v sensorView
		if !c.removed() {
			if err := json.Unmarshal(c.After, &v); err != nil {
				return fmt.Errorf("what the log says of sensor %q: %w", c.Resource.ID, err)
			}
		}
		changed, err := r.update(ctx, func(ctx context.Context, tx parking.Tx) (bool, error) {
			found, err := tx.Sensors(ctx, []string{c.Resource.ID})
			if err != nil {
				return false, err
			}
			s, known := found[c.Resource.ID]
			switch {
			case c.removed() && known:
				return true, tx.RemoveSensor(ctx, s.ID)
			case c.removed():
				return false, nil
			case !known:
				return true, tx.AddSensor(ctx, parking.Sensor{ID: v.ID, Model: v.Model, SpotID: v.SpotID, AddedAt: v.AddedAt.Time})
			case s.Model == v.Model && s.SpotID == v.SpotID:
				return false, nil
			}
			s.Model, s.SpotID = v.Model, v.SpotID
			return true, tx.SaveSensors(ctx, []parking.Sensor{s})
		})
		if err != nil {
			return fmt.Errorf("sensor %q: %w", c.Resource.ID, err)
		}
		r.Sensors += changed
	}
	return nil
}

// update is one transaction, and 1 where it changed something.
func (r *run) update(ctx context.Context, do func(context.Context, parking.Tx) (bool, error)) (n int, err error) {
	changed := false
	err = r.Store.Update(ctx, func(ctx context.Context, tx parking.Tx) (err error) {
		changed, err = do(ctx, tx)
		return err
	})
	if err == nil && changed {
		n = 1
	}
	return n, err
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
