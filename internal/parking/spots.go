package parking

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/rest"
)

// spotView is a spot as it is answered.
type spotView struct {
	SpotID           string           `json:"spotId"`
	LotID            string           `json:"lotId"`
	ZoneID           string           `json:"zoneId,omitempty"`
	Name             string           `json:"name,omitempty"`
	Category         Category         `json:"category"`
	Location         *Location        `json:"location,omitempty"`
	Status           event.Status     `json:"status"`
	Occupancy        Occupancy        `json:"occupancy"`
	Closed           bool             `json:"closed"`
	Faulted          bool             `json:"faulted"`
	Reservation      *reservationView `json:"reservation,omitempty"`
	Version          int64            `json:"version"`
	LastObservedAt   event.Time       `json:"lastObservedAt,omitzero"`
	ChangedAt        event.Time       `json:"changedAt"`
	SensorID         string           `json:"sensorId,omitempty"`
	HeartbeatSeconds int64            `json:"heartbeatSeconds,omitempty"`
}

type reservationView struct {
	Reference  string     `json:"reference,omitempty"`
	Until      event.Time `json:"until,omitzero"`
	ReservedAt event.Time `json:"reservedAt"`
}

func viewSpot(s Spot) spotView {
	v := spotView{
		SpotID: s.ID, LotID: s.LotID, ZoneID: s.ZoneID, Name: s.Name, Category: s.Category, Location: s.Location,
		Status: s.Status(), Occupancy: s.Occupancy, Closed: s.Closed, Faulted: s.Faulted, Version: s.Version,
		LastObservedAt: event.At(s.LastObservedAt), ChangedAt: event.At(s.ChangedAt), SensorID: s.SensorID,
		HeartbeatSeconds: int64(s.Heartbeat / time.Second),
	}
	if r := s.Reservation; r != nil {
		v.Reservation = &reservationView{Reference: r.Reference, Until: event.At(r.Until), ReservedAt: event.At(r.ReservedAt)}
	}
	return v
}

// spotAnswer is what every change of one spot answers.
func spotAnswer(s Spot, err error) (rest.Answer, error) {
	return rest.Answer{Status: http.StatusOK, ETag: etag(s.Version), Body: viewSpot(s)}, err
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// spot returns a spot, as far as whoever asks may see it: one in a lot that is not theirs is not there.
func (s *Service) spot(ctx context.Context, by origin, id string) (Spot, error) {
	spot, err := s.store.Spot(ctx, id)
	if err == nil && !by.Who.Reaches(spot.LotID) {
		return Spot{}, spotNotFound(id)
	}
	return spot, rest.Instead(err, ErrNotFound, spotNotFound(id))
}

func (s *Service) getSpot(_ http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	return spotAnswer(s.spot(r.Context(), by, r.PathValue("spotId")))
}

// readDescription reads what an operator may change of a spot.
func readDescription(o *rest.Object, s *Spot) {
	rest.Optional(o, "zoneId", &s.ZoneID, rest.WantID, rest.ValidID)
	rest.Optional(o, "name", &s.Name, rest.WantName, rest.ValidName)
	rest.Optional(o, "category", &s.Category, wantCategory, validCategory)
	if s.Category == "" {
		s.Category = Standard
	}
	rest.Nested(o, "location", &s.Location, readLocation)
	readHeartbeat(o, &s.Heartbeat)
}

func (s *Service) patchSpot(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	edit := func(ctx context.Context, t *transaction, spot *Spot) (*event.Event, error) {
		to := *spot
		if err := rest.Patch(body, func(o *rest.Object) { readDescription(o, &to) }); err != nil {
			return nil, err
		}
		if err := t.checkZones(ctx, spot.LotID, to.ZoneID); err != nil {
			return nil, err
		}
		return spot.edit(to, t.now), nil
	}
	return s.changeSpot(r.Context(), by, r.PathValue("spotId"), rest.IfMatch(r), edit)
}

// checkZones returns a problem unless each zone that is not "" belongs to the lot.
func (t *transaction) checkZones(ctx context.Context, lotID string, ids ...string) error {
	wanted := map[string]bool{}
	for _, id := range ids {
		if id != "" {
			wanted[id] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	zones, err := t.Zones(ctx, sortedKeys(wanted))
	if err != nil {
		return err
	}
	for _, id := range sortedKeys(wanted) {
		if zone, there := zones[id]; !there || zone.LotID != lotID {
			return rest.InvalidField("zoneId", "a zone of the lot "+strconv.Quote(lotID), strconv.Quote(id))
		}
	}
	return nil
}

func (s *Service) deleteSpot(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	_, err := s.changeSpot(r.Context(), by, r.PathValue("spotId"), rest.IfMatch(r),
		func(_ context.Context, t *transaction, spot *Spot) (*event.Event, error) {
			return spot.remove(t.now), nil
		})
	return rest.Answer{Status: http.StatusNoContent}, err
}

// actions are what an operator can do to a spot beside reserving and editing it.
var actions = map[string]func(*Spot, time.Time) (*event.Event, error){
	"occupy": (*Spot).occupy, "release": (*Spot).release, "close": (*Spot).close, "reopen": (*Spot).reopen,
	"fault": (*Spot).fault, "repair": (*Spot).repair,
}

func (s *Service) postAction(act func(*Spot, time.Time) (*event.Event, error)) endpoint {
	return func(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
		if err := rest.ReadNothing(w, r); err != nil {
			return rest.Answer{}, err
		}
		return s.changeSpot(r.Context(), by, r.PathValue("spotId"), rest.IfMatch(r),
			func(_ context.Context, t *transaction, spot *Spot) (*event.Event, error) { return act(spot, t.now) })
	}
}
