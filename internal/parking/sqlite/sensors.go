package sqlite

import (
	"context"
	"fmt"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

// Sensors implements [parking.Store].
func (s *Store) Sensors(ctx context.Context, q parking.SensorQuery) ([]parking.Sensor, error) {
	where, args := "id > ?", []any{q.After}
	if q.Lots != nil {
		where, args = where+" and spot_id in (select id from spots where lot_id in (select value from json_each(?)))", append(args, list(q.Lots))
	}
	if len(q.Spots) > 0 {
		where, args = where+" and spot_id in (select value from json_each(?))", append(args, list(q.Spots))
	}
	sensors, err := look(ctx, s, storage.ScanSensor, "select "+storage.SensorColumns+" from sensors where "+where+" order by id limit ?",
		append(args, q.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("reading sensors: %w", err)
	}
	return sensors, nil
}

// Sensor implements [parking.Store].
func (s *Store) Sensor(ctx context.Context, id string) (parking.Sensor, error) {
	return storage.Single(look(ctx, s, storage.ScanSensor, "select "+storage.SensorColumns+" from sensors where id = ?", id))("sensor", id)
}

func (t *tx) Sensors(ctx context.Context, ids []string) (map[string]parking.Sensor, error) {
	sensors, err := read(ctx, t.w, storage.ScanSensor,
		"select "+storage.SensorColumns+" from sensors where id in (select value from json_each(?))", list(ids))
	if err != nil {
		return nil, fmt.Errorf("reading sensors: %w", err)
	}
	return storage.SensorsByID(sensors), nil
}

func (t *tx) AddSensor(ctx context.Context, s parking.Sensor) error {
	return wrote("adding", "sensor", s.ID)(t.w.affect(`insert into sensors (model, spot_id, battery_percent, battery_volts, rssi, snr, last_seen_at,
		last_message, added_at, id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, sensorValues(s)...))
}

func (t *tx) SaveSensors(ctx context.Context, sensors []parking.Sensor) error {
	for _, s := range sensors {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := wrote("saving", "sensor", s.ID)(t.w.affect(`update sensors set model = ?, spot_id = ?, battery_percent = ?, battery_volts = ?,
			rssi = ?, snr = ?, last_seen_at = ?, last_message = ?, added_at = ? where id = ?`, sensorValues(s)...)); err != nil {
			return err
		}
	}
	return nil
}

func sensorValues(s parking.Sensor) []any {
	return []any{s.Model, storage.Null(s.SpotID), s.BatteryPercent, s.BatteryVolts, s.RSSI, s.SNR, millis(s.LastSeenAt), s.LastMessage, s.AddedAt.UnixMilli(), s.ID}
}

func (t *tx) RemoveSensor(ctx context.Context, id string) error {
	return wrote("removing", "sensor", id)(t.w.affect(`delete from sensors where id = ?`, id))
}
