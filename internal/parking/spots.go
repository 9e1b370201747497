package parking

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/event"
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
func spotAnswer(s Spot, err error) (answer, error) {
	return answer{status: http.StatusOK, etag: etag(s.Version), body: viewSpot(s)}, err
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// precondition is the header If-Match of a change: it holds for the tags that it lists, or for all.
type precondition string

func ifMatch(r *http.Request) precondition {
	return precondition(strings.Join(r.Header.Values("If-Match"), ", "))
}

func (p precondition) holds(is string) bool {
	for tag := range strings.SplitSeq(string(p), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == is {
			return true
		}
	}
	return p == ""
}

// digest is the ETag of what has no version: it changes with whatever may be edited.
func digest(described any) string {
	text, _ := json.Marshal(described) // plain fields: it does not fail
	sum := sha256.Sum256(text)
	return fmt.Sprintf(`"%x"`, sum[:8])
}

// spot returns a spot, as far as whoever asks may see it: one in a lot that is not theirs is not there.
func (s *Service) spot(ctx context.Context, by origin, id string) (Spot, error) {
	spot, err := s.store.Spot(ctx, id)
	if err == nil && !by.who.Reaches(spot.LotID) {
		return Spot{}, spotNotFound(id)
	}
	return spot, instead(err, ErrNotFound, spotNotFound(id))
}

func (s *Service) getSpot(_ http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	return spotAnswer(s.spot(r.Context(), by, r.PathValue("spotId")))
}

// readDescription reads what an operator may change of a spot.
func readDescription(o *object, s *Spot) {
	optional(o, "zoneId", &s.ZoneID, wantID, validID)
	optional(o, "name", &s.Name, wantName, validName)
	optional(o, "category", &s.Category, wantCategory, validCategory)
	if s.Category == "" {
		s.Category = Standard
	}
	nested(o, "location", &s.Location, readLocation)
	readHeartbeat(o, &s.Heartbeat)
}

func (s *Service) patchSpot(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	body, err := requestBody(w, r)
	if err != nil {
		return answer{}, err
	}
	edit := func(ctx context.Context, t *transaction, spot *Spot) (*event.Event, error) {
		to := *spot
		if err := patch(body, func(o *object) { readDescription(o, &to) }); err != nil {
			return nil, err
		}
		if err := t.checkZones(ctx, spot.LotID, to.ZoneID); err != nil {
			return nil, err
		}
		return spot.edit(to, t.now), nil
	}
	return s.changeSpot(r.Context(), by, r.PathValue("spotId"), ifMatch(r), edit)
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
			return invalidField("zoneId", "a zone of the lot "+strconv.Quote(lotID), strconv.Quote(id))
		}
	}
	return nil
}

func (s *Service) deleteSpot(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	if err := readNothing(w, r); err != nil {
		return answer{}, err
	}
	_, err := s.changeSpot(r.Context(), by, r.PathValue("spotId"), ifMatch(r),
		func(_ context.Context, t *transaction, spot *Spot) (*event.Event, error) {
			return spot.remove(t.now), nil
		})
	return answer{status: http.StatusNoContent}, err
}

// actions are what an operator can do to a spot beside reserving and editing it.
var actions = map[string]func(*Spot, time.Time) (*event.Event, error){
	"occupy": (*Spot).occupy, "release": (*Spot).release, "close": (*Spot).close, "reopen": (*Spot).reopen,
	"fault": (*Spot).fault, "repair": (*Spot).repair,
}

func (s *Service) postAction(act func(*Spot, time.Time) (*event.Event, error)) endpoint {
	return func(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
		if err := readNothing(w, r); err != nil {
			return answer{}, err
		}
		return s.changeSpot(r.Context(), by, r.PathValue("spotId"), ifMatch(r),
			func(_ context.Context, t *transaction, spot *Spot) (*event.Event, error) { return act(spot, t.now) })
	}
}
