package parking

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
)

// zoneView is a zone as it is answered.
type zoneView struct {
	ID    string `json:"id"`
	LotID string `json:"lotId"`
	Name  string `json:"name"`
	Level *int   `json:"level,omitempty"`
}

func viewZone(z Zone) zoneView { return zoneView(z) }

// readZone reads what may be changed of a zone.
func readZone(o *object, z *Zone) {
	required(o, "name", &z.Name, wantName, validName)
	optional(o, "level", &z.Level, wantLevel, func(level *int) bool { return validLevel(*level) })
}

func zoneAnswer(z Zone) answer {
	return answer{status: http.StatusOK, etag: digest(z), body: viewZone(z)}
}

// addZone adds a zone to its lot.
func (s *Service) addZone(ctx context.Context, by origin, zone Zone) (answer, error) {
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (answer, error) {
		if _, err := t.Lot(ctx, zone.LotID); err != nil {
			return answer{}, instead(err, ErrNotFound, lotNotFound(zone.LotID))
		}
		a := zoneAnswer(zone)
		a.status = http.StatusCreated
		a.location = "/api/v1/lots/" + url.PathEscape(zone.LotID) + "/zones/" + url.PathEscape(zone.ID)
		if err := t.AddZone(ctx, zone); err != nil {
			return answer{}, instead(err, ErrTaken, idTaken("id", "zone", zone.ID))
		}
		return a, t.audit(by, zone.resource(), nil, viewZone(zone))
	})
}

// changeZone lets change alter a zone, which must keep its id and lot.
func (s *Service) changeZone(ctx context.Context, by origin, lotID, id string, expect precondition, change func(*Zone) error) (answer, error) {
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (answer, error) {
		zone, err := t.zoneOf(ctx, lotID, id, expect)
		if err != nil {
			return answer{}, err
		}
		before := zone
		if err := change(&zone); err != nil {
			return answer{}, err
		}
		if !reflect.DeepEqual(zone, before) {
			err = errors.Join(t.SaveZone(ctx, zone), t.audit(by, zone.resource(), viewZone(before), viewZone(zone)))
		}
		return zoneAnswer(zone), err
	})
}

// removeZone removes a zone that has no spots.
func (s *Service) removeZone(ctx context.Context, by origin, lotID, id string, expect precondition) error {
	return s.update(ctx, func(ctx context.Context, t *transaction) error {
		zone, err := t.zoneOf(ctx, lotID, id, expect)
		if err != nil {
			return err
		}
		if err := t.RemoveZone(ctx, id); err != nil {
			return instead(err, ErrInUse, zoneInUse(id))
		}
		return t.audit(by, zone.resource(), viewZone(zone), nil)
	})
}

// zoneOf reads a zone to change it, if it is as the caller expects.
func (t *transaction) zoneOf(ctx context.Context, lotID, id string, expect precondition) (Zone, error) {
	zone, err := t.Zone(ctx, id)
	switch {
	case err == nil && zone.LotID != lotID:
		err = ErrNotFound
	case err == nil && !expect.holds(digest(zone)):
		err = changedMeanwhile("zone", id)
	}
	return zone, instead(err, ErrNotFound, zoneNotFound(lotID, id))
}

// zones returns the zones of a lot with their counts, by id.
func (s *Service) zones(ctx context.Context, lotID string) ([]ZoneState, error) {
	zones, err := s.store.Zones(ctx, lotID)
	return zones, instead(err, ErrNotFound, lotNotFound(lotID))
}

func (s *Service) getZones(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	p := parseParams(r.URL.RawQuery)
	at := p.page("zones")
	if err := p.end(); err != nil {
		return answer{}, err
	}
	zones, err := s.zones(r.Context(), r.PathValue("lotId"))
	if err != nil {
		return answer{}, err
	}
	for len(zones) > 0 && zones[0].ID <= at.after { // a lot has few zones
		zones = zones[1:]
	}
	return answer{status: http.StatusOK, body: listed("zones", at, zones,
		func(z ZoneState) string { return z.ID }, func(z ZoneState) zoneView { return viewZone(z.Zone) })}, nil
}

func (s *Service) postZone(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	zone := Zone{LotID: r.PathValue("lotId")}
	err := readObject(w, r, func(o *object) {
		required(o, "id", &zone.ID, wantID, validID)
		readZone(o, &zone)
	})
	if err != nil {
		return answer{}, err
	}
	return s.addZone(r.Context(), by, zone)
}

func (s *Service) getZone(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	lotID, id := r.PathValue("lotId"), r.PathValue("zoneId")
	zones, err := s.zones(r.Context(), lotID)
	if err != nil {
		return answer{}, err
	}
	for _, z := range zones {
		if z.ID == id {
			return zoneAnswer(z.Zone), nil
		}
	}
	return answer{}, zoneNotFound(lotID, id)
}

func (s *Service) patchZone(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	body, err := requestBody(w, r)
	if err != nil {
		return answer{}, err
	}
	return s.changeZone(r.Context(), by, r.PathValue("lotId"), r.PathValue("zoneId"), ifMatch(r), func(z *Zone) error {
		return patch(body, func(o *object) { readZone(o, z) })
	})
}

func (s *Service) deleteZone(_ http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, s.removeZone(r.Context(), by, r.PathValue("lotId"), r.PathValue("zoneId"), ifMatch(r))
}
