package parking

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"

	"parkwire/internal/rest"
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
func readZone(o *rest.Object, z *Zone) {
	rest.Required(o, "name", &z.Name, rest.WantName, rest.ValidName)
	rest.Optional(o, "level", &z.Level, wantLevel, func(level *int) bool { return validLevel(*level) })
}

func zoneAnswer(z Zone) rest.Answer {
	return rest.Answer{Status: http.StatusOK, ETag: rest.Digest(z), Body: viewZone(z)}
}

// addZone adds a zone to its lot.
func (s *Service) addZone(ctx context.Context, by origin, zone Zone) (rest.Answer, error) {
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		if _, err := t.Lot(ctx, zone.LotID); err != nil {
			return rest.Answer{}, rest.Instead(err, ErrNotFound, lotNotFound(zone.LotID))
		}
		a := zoneAnswer(zone)
		a.Status = http.StatusCreated
		a.Location = "/api/v1/lots/" + url.PathEscape(zone.LotID) + "/zones/" + url.PathEscape(zone.ID)
		if err := t.AddZone(ctx, zone); err != nil {
			return rest.Answer{}, rest.Instead(err, ErrTaken, rest.IDTaken("id", "zone", zone.ID))
		}
		return a, t.audit(by, zone.resource(), nil, viewZone(zone))
	})
}

// changeZone lets change alter a zone, which must keep its id and lot.
func (s *Service) changeZone(ctx context.Context, by origin, lotID, id string, expect rest.Precondition, change func(*Zone) error) (rest.Answer, error) {
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		zone, err := t.zoneOf(ctx, lotID, id, expect)
		if err != nil {
			return rest.Answer{}, err
		}
		before := zone
		if err := change(&zone); err != nil {
			return rest.Answer{}, err
		}
		if !reflect.DeepEqual(zone, before) {
			err = errors.Join(t.SaveZone(ctx, zone), t.audit(by, zone.resource(), viewZone(before), viewZone(zone)))
		}
		return zoneAnswer(zone), err
	})
}

// removeZone removes a zone that has no spots.
func (s *Service) removeZone(ctx context.Context, by origin, lotID, id string, expect rest.Precondition) error {
	return s.update(ctx, func(ctx context.Context, t *transaction) error {
		zone, err := t.zoneOf(ctx, lotID, id, expect)
		if err != nil {
			return err
		}
		if err := t.RemoveZone(ctx, id); err != nil {
			return rest.Instead(err, ErrInUse, zoneInUse(id))
		}
		return t.audit(by, zone.resource(), viewZone(zone), nil)
	})
}

// zoneOf reads a zone to change it, if it is as the caller expects.
func (t *transaction) zoneOf(ctx context.Context, lotID, id string, expect rest.Precondition) (Zone, error) {
	zone, err := t.Zone(ctx, id)
	switch {
	case err == nil && zone.LotID != lotID:
		err = ErrNotFound
	case err == nil && !expect.Holds(rest.Digest(zone)):
		err = rest.ChangedMeanwhile("zone", id)
	}
	return zone, rest.Instead(err, ErrNotFound, zoneNotFound(lotID, id))
}

// zones returns the zones of a lot with their counts, by id.
func (s *Service) zones(ctx context.Context, lotID string) ([]ZoneState, error) {
	zones, err := s.store.Zones(ctx, lotID)
	return zones, rest.Instead(err, ErrNotFound, lotNotFound(lotID))
}

func (s *Service) getZones(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	at := p.Page("zones")
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	zones, err := s.zones(r.Context(), r.PathValue("lotId"))
	if err != nil {
		return rest.Answer{}, err
	}
	for len(zones) > 0 && zones[0].ID <= at.After { // a lot has few zones
		zones = zones[1:]
	}
	return rest.Answer{Status: http.StatusOK, Body: rest.Listed("zones", at, zones,
		func(z ZoneState) string { return z.ID }, func(z ZoneState) zoneView { return viewZone(z.Zone) })}, nil
}

func (s *Service) postZone(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	zone := Zone{LotID: r.PathValue("lotId")}
	err := rest.ReadObject(w, r, func(o *rest.Object) {
		rest.Required(o, "id", &zone.ID, rest.WantID, rest.ValidID)
		readZone(o, &zone)
	})
	if err != nil {
		return rest.Answer{}, err
	}
	return s.addZone(r.Context(), by, zone)
}

func (s *Service) getZone(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	lotID, id := r.PathValue("lotId"), r.PathValue("zoneId")
	zones, err := s.zones(r.Context(), lotID)
	if err != nil {
		return rest.Answer{}, err
	}
	for _, z := range zones {
		if z.ID == id {
			return zoneAnswer(z.Zone), nil
		}
	}
	return rest.Answer{}, zoneNotFound(lotID, id)
}

func (s *Service) patchZone(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	return s.changeZone(r.Context(), by, r.PathValue("lotId"), r.PathValue("zoneId"), rest.IfMatch(r), func(z *Zone) error {
		return rest.Patch(body, func(o *rest.Object) { readZone(o, z) })
	})
}

func (s *Service) deleteZone(_ http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Status: http.StatusNoContent}, s.removeZone(r.Context(), by, r.PathValue("lotId"), r.PathValue("zoneId"), rest.IfMatch(r))
}
