package parking

import (
	"context"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/lorawan"
	"parkwire/internal/rest"
)

// signal is what a network server says of a sensor. Whether it is a reading, and of which spot, is known when the transaction has
// read the sensor, which may have been moved a moment ago.
type signal struct {
	lorawan.Message
	// settled says that outcome is what became of it, and that it is no reading.
	settled bool
	outcome outcome
	// What the sensor says. Where it is silent it says nothing of vehicles.
	silent, occupied bool
	err              error // why it was not decoded
}

func (s *signal) settle(o outcome) { s.settled, s.outcome = true, o }

// hear takes the signal, says what it means in it, and returns whether that changed what is known of the sensor.
func (s *Sensor) hear(sig *signal, now time.Time) (changed bool) {
	at := event.At(sig.At).Time
	switch {
	case at.After(now.Add(maxAhead)):
		sig.settle(inFuture)
		return false
	case sig.Key != "" && sig.Key == s.LastMessage:
		sig.settle(unchanged) // it was delivered before
		return false
	}
	newer := at.After(s.LastSeenAt)
	if newer {
		s.LastSeenAt = at
		s.BatteryPercent = newest(sig.Battery, s.BatteryPercent)
		s.RSSI, s.SNR = newest(sig.RSSI, s.RSSI), newest(sig.SNR, s.SNR)
	}
	sig.silent = true
	if sig.Kind == lorawan.Uplink {
		said, err := sig.Payload.Decode(s.Model)
		if err != nil {
			sig.err = err
			sig.settle(notDecoded)
			return newer
		}
		sig.silent, sig.occupied = !said.Seen, said.Occupied
		if newer && said.Volts > 0 {
			s.BatteryVolts = &said.Volts
		}
	}
	switch {
	case s.SpotID == "" && !sig.silent:
		sig.settle(notPlaced)
		return newer
	case s.SpotID == "":
		sig.settle(unchanged)
	}
	if newer && sig.Key != "" {
		s.LastMessage = sig.Key
	}
	return newer
}

// newest returns what was said, or what is known where nothing was said.
func newest(said, known *float64) *float64 {
	if said == nil {
		return known
	}
	return said
}

// recognize makes readings of the signals of a group, and returns the sensors of which something new is known.
func (t *transaction) recognize(ctx context.Context, group []*batch) ([]Sensor, error) {
	ids := map[string]bool{}
	for _, b := range group {
		for _, o := range b.readings {
			if o.signal != nil && rest.ValidID(o.signal.SensorID) {
				ids[o.signal.SensorID] = true
			}
		}
	}
	known := map[string]Sensor{}
	if len(ids) > 0 {
		var err error
		if known, err = t.Sensors(ctx, sortedKeys(ids)); err != nil {
			return nil, err
		}
	}
	changed := map[string]bool{}
	for _, b := range group {
		for i := range b.readings {
			if o := &b.readings[i]; o.signal != nil && o.recognize(known, b.by, t.now) {
				changed[o.SensorID] = true
			}
		}
	}
	var sensors []Sensor
	for _, id := range sortedKeys(changed) {
		sensors = append(sensors, known[id])
	}
	return sensors, nil
}

// recognize makes a reading of its signal, and returns whether something new is known of the sensor.
func (o *Observation) recognize(known map[string]Sensor, by origin, now time.Time) (changed bool) {
	o.signal = &signal{Message: o.signal.Message} // an earlier try may have left something
	sensor, there := known[o.signal.SensorID]
	if !there || !by.Who.Reaches(sensor.LotID) {
		o.signal.settle(noSuchSensor)
		return false
	}
	changed = sensor.hear(o.signal, now)
	known[sensor.ID] = sensor
	o.SensorID, o.SpotID, o.Occupied = sensor.ID, sensor.SpotID, o.signal.occupied
	o.ObservedAt, o.Sequence = event.At(o.signal.At).Time, o.signal.Sequence
	return changed
}
