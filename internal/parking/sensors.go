package parking

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"parkwire/internal/event"
	"parkwire/internal/lorawan"
	"parkwire/internal/rest"
	"parkwire/internal/sensor"
)

// sensorView is a sensor as it is answered.
type sensorView struct {
	ID             string     `json:"id"`
	Model          string     `json:"model"`
	SpotID         string     `json:"spotId,omitempty"`
	BatteryPercent *float64   `json:"batteryPercent,omitempty"`
	BatteryVolts   *float64   `json:"batteryVolts,omitempty"`
	RSSI           *float64   `json:"rssi,omitempty"`
	SNR            *float64   `json:"snr,omitempty"`
	LastSeenAt     event.Time `json:"lastSeenAt,omitzero"`
	AddedAt        event.Time `json:"addedAt"`
}

func viewSensor(s Sensor) sensorView {
	return sensorView{
		ID: s.ID, Model: s.Model, SpotID: s.SpotID, BatteryPercent: s.BatteryPercent, BatteryVolts: s.BatteryVolts, RSSI: s.RSSI, SNR: s.SNR,
		LastSeenAt: event.At(s.LastSeenAt), AddedAt: event.At(s.AddedAt),
	}
}

// sensorAnswer is one sensor. The ETag is of what may be edited, so that messages do not change it.
func sensorAnswer(s Sensor) rest.Answer {
	return rest.Answer{Status: http.StatusOK, ETag: rest.Digest([]string{s.ID, s.Model, s.SpotID}), Body: viewSensor(s)}
}

var wantModel = "one of " + strings.Join(sensor.Models(), ", ")

// readSensor reads what may be changed of a sensor.
func readSensor(o *rest.Object, s *Sensor) {
	rest.Required(o, "model", &s.Model, wantModel, sensor.Known)
	rest.Optional(o, "spotId", &s.SpotID, rest.WantID, rest.ValidID)
}

// checkSpot returns a problem unless the sensor stands nowhere or on a spot that there is. Who is limited to lots must name a spot, since a
// sensor that stands nowhere is in none of them.
func (t *transaction) checkSpot(ctx context.Context, by origin, s *Sensor) error {
	s.LotID = ""
	switch {
	case s.SpotID == "" && by.Who.Lots == nil:
		return nil
	case s.SpotID == "":
		return rest.InvalidField("spotId", "the id of a spot in one of the lots to which the token is limited", "missing")
	}
	spots, err := t.Spots(ctx, []string{s.SpotID})
	if err != nil {
		return err
	}
	spot, there := spots[s.SpotID]
	if !there || spot.Removed || !by.Who.Reaches(spot.LotID) {
		return rest.InvalidField("spotId", "the id of a spot that there is", strconv.Quote(s.SpotID))
	}
	s.LotID = spot.LotID
	return nil
}

// sensorToChange reads a sensor, if it is as the caller expects.
func (t *transaction) sensorToChange(ctx context.Context, by origin, id string, expect rest.Precondition) (Sensor, error) {
	sensors, err := t.Sensors(ctx, []string{id})
	if err != nil {
		return Sensor{}, err
	}
	s, there := sensors[id]
	switch {
	case !there || !by.Who.Reaches(s.LotID):
		err = sensorNotFound(id)
	case !expect.Holds(sensorAnswer(s).ETag):
		err = rest.ChangedMeanwhile("sensor", id)
	}
	return s, err
}

func (s *Service) getSensors(_ http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	q := SensorQuery{Lots: by.Who.Lots, Spots: p.IDs("spot")}
	at := p.Page("sensors")
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	q.After, q.Limit = at.After, at.Limit+1
	sensors, err := s.store.Sensors(r.Context(), q)
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Status: http.StatusOK, Body: rest.Listed("sensors", at, sensors, func(s Sensor) string { return s.ID }, viewSensor)}, nil
}

func (s *Service) postSensor(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	var added Sensor
	err := rest.ReadObject(w, r, func(o *rest.Object) {
		rest.Required(o, "id", &added.ID, rest.WantID, rest.ValidID)
		readSensor(o, &added)
	})
	if err != nil {
		return rest.Answer{}, err
	}
	added.ID = lorawan.CanonicalID(added.ID)
	return s.answered(r.Context(), by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		if err := t.checkSpot(ctx, by, &added); err != nil {
			return rest.Answer{}, err
		}
		added.AddedAt = t.now
		a := sensorAnswer(added)
		a.Status, a.Location = http.StatusCreated, "/api/v1/sensors/"+url.PathEscape(added.ID)
		if err := t.AddSensor(ctx, added); err != nil {
			return rest.Answer{}, rest.Instead(err, ErrTaken, rest.IDTaken("id", "sensor", added.ID))
		}
		return a, t.audit(by, added.resource(), nil, viewSensor(added))
	})
}

// sensorID is the sensor that a path names, however its EUI is written there.
func sensorID(r *http.Request) string { return lorawan.CanonicalID(r.PathValue("sensorId")) }

func (s *Service) getSensor(_ http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	id := sensorID(r)
	found, err := s.store.Sensor(r.Context(), id)
	if err == nil && !by.Who.Reaches(found.LotID) {
		return rest.Answer{}, sensorNotFound(id)
	}
	return sensorAnswer(found), rest.Instead(err, ErrNotFound, sensorNotFound(id))
}

// patchSensor is also how a sensor is moved. What the spot was that it stood on, it stays, until it is silent for too long.
func (s *Service) patchSensor(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	return s.answered(r.Context(), by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		changed, err := t.sensorToChange(ctx, by, sensorID(r), rest.IfMatch(r))
		if err != nil {
			return rest.Answer{}, err
		}
		before := changed
		if err := rest.Patch(body, func(o *rest.Object) { readSensor(o, &changed) }); err != nil {
			return rest.Answer{}, err
		}
		if changed.SpotID != before.SpotID {
			if err := t.checkSpot(ctx, by, &changed); err != nil {
				return rest.Answer{}, err
			}
		}
		if changed != before {
			err = errors.Join(t.SaveSensors(ctx, []Sensor{changed}), t.audit(by, changed.resource(), viewSensor(before), viewSensor(changed)))
		}
		return sensorAnswer(changed), err
	})
}

func (s *Service) deleteSensor(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Status: http.StatusNoContent}, s.update(r.Context(), func(ctx context.Context, t *transaction) error {
		found, err := t.sensorToChange(ctx, by, sensorID(r), rest.IfMatch(r))
		if err != nil {
			return err
		}
		return errors.Join(t.RemoveSensor(ctx, found.ID), t.audit(by, found.resource(), viewSensor(found), nil))
	})
}
