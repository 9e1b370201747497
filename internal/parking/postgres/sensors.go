package postgres

import (
	"context"
	"fmt"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

// Sensors implements [parking.Store].
func (s *Store) Sensors(ctx context.Context, q parking.SensorQuery) ([]parking.Sensor, error) {
	where, args := "id > $1", []any{q.After, q.Limit}
	if q.Lots != nil {
		args = append(args, possible(q.Lots))
		where += fmt.Sprintf(" and spot_id in (select id from spots where lot_id = any($%d))", len(args))
	}
	if len(q.Spots) > 0 {
		args = append(args, q.Spots)
		where += fmt.Sprintf(" and spot_id = any($%d)", len(args))
	}
	sensors, err := look(ctx, s, storage.ScanSensor, "select "+storage.SensorColumns+" from sensors where "+where+" order by id limit $2", args...)
	if err != nil {
		return nil, fmt.Errorf("reading sensors: %w", err)
	}
	return sensors, nil
}

// Sensor implements [parking.Store].
func (s *Store) Sensor(ctx context.Context, id string) (parking.Sensor, error) {
	return storage.Single(look(ctx, s, storage.ScanSensor, "select "+storage.SensorColumns+" from sensors where id = $1", id))("sensor", id)
}

func (t *tx) Sensors(ctx context.Context, ids []string) (map[string]parking.Sensor, error) {
	sensors, err := read(ctx, t, storage.ScanSensor, "select "+storage.SensorColumns+" from sensors where id = any($1) order by id for update", possible(ids))
	if err != nil {
		return nil, fmt.Errorf("reading sensors: %w", err)
	}
	return storage.SensorsByID(sensors), nil
}

const sensorColumns = `id, model, spot_id, battery_percent, battery_volts, rssi, snr, last_seen_at, last_message, added_at`

const sensorRows = `unnest($1::text[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::timestamptz[],
	$9::text[], $10::timestamptz[]) as r (` + sensorColumns + `)`

var (
	insertSensors = `insert into sensors (` + sensorColumns + `) select * from ` + sensorRows
	updateSensors = `update sensors s set ` + assignments(sensorColumns) + ` from ` + sensorRows + ` where s.id = r.id`
)

func sensorArrays(sensors []parking.Sensor) []any {
	type S = parking.Sensor
	return []any{
		column(sensors, func(s S) string { return s.ID }), column(sensors, func(s S) string { return s.Model }),
		column(sensors, func(s S) *string { return storage.Null(s.SpotID) }), column(sensors, func(s S) *float64 { return s.BatteryPercent }),
		column(sensors, func(s S) *float64 { return s.BatteryVolts }), column(sensors, func(s S) *float64 { return s.RSSI }),
		column(sensors, func(s S) *float64 { return s.SNR }), column(sensors, func(s S) *time.Time { return instant(s.LastSeenAt) }),
		column(sensors, func(s S) string { return s.LastMessage }), column(sensors, func(s S) *time.Time { return instant(s.AddedAt) }),
	}
}

func (t *tx) AddSensor(ctx context.Context, s parking.Sensor) error {
	return wrote("adding", "sensor", s.ID)(t.affect(ctx, insertSensors, sensorArrays([]parking.Sensor{s})...))
}

func (t *tx) SaveSensors(ctx context.Context, sensors []parking.Sensor) error {
	if len(sensors) == 0 {
		return nil
	}
	n, err := t.affect(ctx, updateSensors, sensorArrays(sensors)...)
	if err == nil && n < len(sensors) {
		err = parking.ErrNotFound
	}
	return wrote("saving", fmt.Sprintf("%d sensors, the first", len(sensors)), sensors[0].ID)(n, err)
}

func (t *tx) RemoveSensor(ctx context.Context, id string) error {
	return wrote("removing", "sensor", id)(t.affect(ctx, `delete from sensors where id = $1`, id))
}
