package parking

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/rest"
)

// lotView is a lot as it is answered.
type lotView struct {
	ID               string     `json:"id"`
	Name             string     `json:"name"`
	TimeZone         string     `json:"timeZone"`
	Address          string     `json:"address,omitempty"`
	Location         *Location  `json:"location,omitempty"`
	HeartbeatSeconds int64      `json:"heartbeatSeconds,omitempty"`
	Counts           *Counts    `json:"counts,omitempty"`
	CreatedAt        event.Time `json:"createdAt"`
	UpdatedAt        event.Time `json:"updatedAt"`
}

func viewLot(l LotState) lotView {
	v := describeLot(l.Lot)
	v.Counts = &l.Counts
	return v
}

// describeLot leaves out what the spots of the lot are.
func describeLot(l Lot) lotView {
	return lotView{
		ID: l.ID, Name: l.Name, TimeZone: l.TimeZone, Address: l.Address, Location: l.Location,
		HeartbeatSeconds: int64(l.Heartbeat / time.Second), CreatedAt: event.At(l.CreatedAt), UpdatedAt: event.At(l.UpdatedAt),
	}
}

// readLot reads what may be changed of a lot.
func readLot(o *rest.Object, l *Lot) {
	rest.Required(o, "name", &l.Name, rest.WantName, rest.ValidName)
	rest.Optional(o, "timeZone", &l.TimeZone, rest.WantTimeZone, rest.ValidTimeZone)
	if l.TimeZone == "" {
		l.TimeZone = "UTC"
	}
	rest.Optional(o, "address", &l.Address, wantAddress, validAddress)
	rest.Nested(o, "location", &l.Location, readLocation)
	readHeartbeat(o, &l.Heartbeat)
}

// lotAnswer is a lot with its counts. The ETag is of what may be edited, so that traffic does not change it.
func lotAnswer(l LotState) rest.Answer {
	return rest.Answer{Status: http.StatusOK, ETag: rest.Digest(l.Lot), Body: viewLot(l)}
}

// addLot adds a lot; it gets its times here.
func (s *Service) addLot(ctx context.Context, by origin, lot Lot) (rest.Answer, error) {
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		lot.CreatedAt, lot.UpdatedAt = t.now, t.now
		a := lotAnswer(LotState{Lot: lot})
		a.Status, a.Location = http.StatusCreated, "/api/v1/lots/"+url.PathEscape(lot.ID)
		if err := t.AddLot(ctx, lot); err != nil {
			return rest.Answer{}, rest.Instead(err, ErrTaken, rest.IDTaken("id", "lot", lot.ID))
		}
		return a, t.audit(by, lot.resource(), nil, describeLot(lot))
	})
}

// changeLot lets change alter a lot, which must keep its id. The counts that it answers are from just before.
func (s *Service) changeLot(ctx context.Context, by origin, id string, expect rest.Precondition, change func(*Lot) error) (rest.Answer, error) {
	state, err := s.lot(ctx, id)
	if err != nil {
		return rest.Answer{}, err
	}
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		lot, err := t.lotToChange(ctx, id, expect)
		if err != nil {
			return rest.Answer{}, err
		}
		before := lot
		if err := change(&lot); err != nil {
			return rest.Answer{}, err
		}
		if !reflect.DeepEqual(lot, before) {
			lot.UpdatedAt = t.now
			err = errors.Join(t.SaveLot(ctx, lot), t.audit(by, lot.resource(), describeLot(before), describeLot(lot)))
		}
		return lotAnswer(LotState{Lot: lot, Counts: state.Counts}), err
	})
}

// removeLot removes a lot that has no spots, with its zones.
func (s *Service) removeLot(ctx context.Context, by origin, id string, expect rest.Precondition) error {
	return s.update(ctx, func(ctx context.Context, t *transaction) error {
		lot, err := t.lotToChange(ctx, id, expect)
		if err != nil {
			return err
		}
		zones, err := t.ZonesOf(ctx, id)
		if err != nil {
			return err
		}
		for _, zone := range zones {
			if err := t.audit(by, zone.resource(), viewZone(zone), nil); err != nil {
				return err
			}
		}
		if err := t.RemoveLot(ctx, id); err != nil {
			return rest.Instead(err, ErrInUse, lotInUse(id))
		}
		return t.audit(by, lot.resource(), describeLot(lot), nil)
	})
}

// lotToChange reads a lot, if it is as the caller expects.
func (t *transaction) lotToChange(ctx context.Context, id string, expect rest.Precondition) (Lot, error) {
	lot, err := t.Lot(ctx, id)
	if err == nil && !expect.Holds(rest.Digest(lot)) {
		err = rest.ChangedMeanwhile("lot", id)
	}
	return lot, rest.Instead(err, ErrNotFound, lotNotFound(id))
}

// lot returns a lot with its counts.
func (s *Service) lot(ctx context.Context, id string) (LotState, error) {
	lot, err := s.store.Lot(ctx, id)
	return lot, rest.Instead(err, ErrNotFound, lotNotFound(id))
}

func (s *Service) getLots(_ http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	at := p.Page("lots")
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	lots, err := s.store.Lots(r.Context(), LotQuery{IDs: by.Who.Lots, After: at.After, Limit: at.Limit + 1})
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Status: http.StatusOK, Body: rest.Listed("lots", at, lots, func(l LotState) string { return l.ID }, viewLot)}, nil
}

func (s *Service) postLot(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	var lot Lot
	err := rest.ReadObject(w, r, func(o *rest.Object) {
		rest.Required(o, "id", &lot.ID, rest.WantID, rest.ValidID)
		readLot(o, &lot)
	})
	if err != nil {
		return rest.Answer{}, err
	}
	if err := identity.AuthorizeLot(by.Who, lot.ID); err != nil {
		return rest.Answer{}, err
	}
	return s.addLot(r.Context(), by, lot)
}

func (s *Service) getLot(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	lot, err := s.lot(r.Context(), r.PathValue("lotId"))
	return lotAnswer(lot), err
}

func (s *Service) patchLot(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	return s.changeLot(r.Context(), by, r.PathValue("lotId"), rest.IfMatch(r), func(l *Lot) error {
		return rest.Patch(body, func(o *rest.Object) { readLot(o, l) })
	})
}

func (s *Service) deleteLot(_ http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Status: http.StatusNoContent}, s.removeLot(r.Context(), by, r.PathValue("lotId"), rest.IfMatch(r))
}

// summaryView is what a lot and its zones are at a moment.
type summaryView struct {
	LotID string `json:"lotId"`
	Counts
	AsOf  event.Time        `json:"asOf"`
	Zones []zoneSummaryView `json:"zones"`
}

type zoneSummaryView struct {
	ZoneID string `json:"zoneId"`
	Name   string `json:"name"`
	Counts
}

func (s *Service) getSummary(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	asOf := s.now()
	lot, err := s.lot(r.Context(), r.PathValue("lotId"))
	if err != nil {
		return rest.Answer{}, err
	}
	zones, err := s.zones(r.Context(), lot.ID)
	if err != nil {
		return rest.Answer{}, err
	}
	v := summaryView{LotID: lot.ID, Counts: lot.Counts, AsOf: event.At(asOf), Zones: make([]zoneSummaryView, 0, len(zones))}
	for _, z := range zones {
		v.Zones = append(v.Zones, zoneSummaryView{ZoneID: z.ID, Name: z.Name, Counts: z.Counts})
	}
	return rest.Answer{Status: http.StatusOK, Body: v}, nil
}
