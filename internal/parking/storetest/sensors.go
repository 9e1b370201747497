package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"parkwire/internal/parking"
)

func newSensor(id, spotID string) parking.Sensor {
	return parking.Sensor{ID: id, Model: "m", SpotID: spotID, LotID: lotOf(spotID), AddedAt: noon}
}

// lotOf is the lot of the spots on which these sensors stand.
func lotOf(spotID string) string {
	if spotID == "" {
		return ""
	}
	return "l"
}

func fullSensor(id, spotID string) parking.Sensor {
	percent, volts, rssi, snr := 0., 3.344, -117.5, -0.25
	return parking.Sensor{
		ID: id, Model: "bosch-tps110", SpotID: spotID, LotID: lotOf(spotID), BatteryPercent: &percent, BatteryVolts: &volts, RSSI: &rssi, SNR: &snr,
		LastSeenAt: noon.Add(time.Millisecond), LastMessage: "AXA50tHUSfcLHLHk/42", AddedAt: noon,
	}
}

var sensorPromises = []promise{
	{"come back as they were, with every field and with none", func(t *testing.T, s parking.Store) {
		all := []parking.Sensor{fullSensor("a", "s"), newSensor("b", "")}
		put(t, s, newLot("l"), newSpot("l", "s"), all[1], all[0])
		equal(t, "the sensors", ok(s.Sensors(t.Context(), parking.SensorQuery{Limit: 9}))(t), all)
		equal(t, "one sensor", ok(s.Sensor(t.Context(), "a"))(t), all[0])
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			equal(t, "those that exist", ok(tx.Sensors(ctx, []string{"b", "no", "a"}))(t), map[string]parking.Sensor{"a": all[0], "b": all[1]})
			equal(t, "none", len(ok(tx.Sensors(ctx, nil))(t)), 0)
			return nil
		})
	}},
	{"are saved with every field, each by itself", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"), newSpot("l", "s"), newSensor("a", ""), newSensor("b", "s"), newSensor("c", "s"))
		want := []parking.Sensor{fullSensor("a", "s"), newSensor("b", "")}
		update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.SaveSensors(ctx, want) })
		equal(t, "the sensors", ok(s.Sensors(t.Context(), parking.SensorQuery{Limit: 9}))(t), append(want, newSensor("c", "s")))
		update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.SaveSensors(ctx, nil) })
	}},
	{"are listed by id, page by page, and by the spots that they stand on", func(t *testing.T, s parking.Store) {
		put(t, s, newLot("l"), newLot("m"), newSpot("l", "s"), newSpot("m", "t"), newSensor("b", "s"), newSensor("B", "t"), newSensor("a", "s"), newSensor("é", ""), newSensor("Z", "s"))
		for _, c := range []struct {
			q    parking.SensorQuery
			want string
		}{
			{parking.SensorQuery{Limit: 2}, "BZ"},
			{parking.SensorQuery{Limit: 9, After: "Z"}, "abé"},
			{parking.SensorQuery{Limit: 9, Spots: []string{"s", "no"}}, "Zab"},
			{parking.SensorQuery{Limit: 9, Spots: []string{"s", "t"}, After: "B"}, "Zab"},
			{parking.SensorQuery{Limit: 1, Spots: []string{"t"}}, "B"},
			{parking.SensorQuery{Limit: 9, Spots: []string{"no"}}, ""},
			{parking.SensorQuery{Limit: 9, Lots: []string{"l"}}, "Zab"},
			{parking.SensorQuery{Limit: 9, Lots: []string{"m", "no"}}, "B"},
			{parking.SensorQuery{Limit: 9, Lots: []string{"l"}, Spots: []string{"t"}}, ""},
			{parking.SensorQuery{Limit: 9, Lots: []string{}}, ""},
		} {
			ids := ""
			for _, sensor := range ok(s.Sensors(t.Context(), c.q))(t) {
				ids += sensor.ID
			}
			equal(t, "the order", ids, c.want)
		}
	}},
	{"say when there is none, or no spot for them, or the id is taken", func(t *testing.T, s parking.Store) {
		put(t, s, newSensor("a", ""))
		_, err := s.Sensor(t.Context(), "no")
		failsWith(t, "reading", err, parking.ErrNotFound)
		_, err = s.Sensor(t.Context(), "a\x00b")
		failsWith(t, "reading under an id that nothing can have", err, parking.ErrNotFound)
		for what, c := range map[string]struct {
			want error
			call func(context.Context, parking.Tx) error
		}{
			"saving": {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error {
				return tx.SaveSensors(ctx, []parking.Sensor{newSensor("a", ""), newSensor("no", "")})
			}},
			"removing":     {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error { return tx.RemoveSensor(ctx, "no") }},
			"adding again": {parking.ErrTaken, func(ctx context.Context, tx parking.Tx) error { return tx.AddSensor(ctx, newSensor("a", "")) }},
			"adding on no spot": {parking.ErrNotFound, func(ctx context.Context, tx parking.Tx) error {
				return tx.AddSensor(ctx, newSensor("b", "no"))
			}},
		} {
			failsWith(t, what, s.Update(t.Context(), c.call), c.want)
		}
		update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.RemoveSensor(ctx, "a") })
		equal(t, "sensors", len(ok(s.Sensors(t.Context(), parking.SensorQuery{Limit: 9}))(t)), 0)
	}},
	{"stay where they are when their spot is removed, and when its lot goes", func(t *testing.T, s parking.Store) {
		spot := newSpot("l", "s")
		put(t, s, newLot("l"), spot, newSensor("a", "s"))
		spot.Removed, spot.Version = true, 2
		save(t, s, spot)
		update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.RemoveLot(ctx, "l") })
		want := newSensor("a", "s")
		want.LotID = ""
		equal(t, "the sensor", ok(s.Sensor(t.Context(), "a"))(t), want)
	}},
	{"lose no change among 8 writers, who lock them before spots", func(t *testing.T, s parking.Store) {
		const writers, each = 8, 10
		zero := 0.
		counter := newSensor("a", "s")
		counter.RSSI = &zero
		put(t, s, newLot("l"), newSpot("l", "s"), counter, newSensor("b", "s"))
		var g errgroup.Group
		for range writers {
			g.Go(func() error {
				for range each {
					err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
						sensors, err := tx.Sensors(ctx, []string{"a", "b"})
						if err != nil {
							return err
						}
						a, next := sensors["a"], *sensors["a"].RSSI+1
						a.RSSI = &next
						return errors.Join(bump("s")(ctx, tx), tx.SaveSensors(ctx, []parking.Sensor{a, sensors["b"]}))
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		equal(t, "the counter", *ok(s.Sensor(t.Context(), "a"))(t).RSSI, float64(writers*each))
	}},
}
