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
func readLot(o *object, l *Lot) {
	required(o, "name", &l.Name, wantName, validName)
	optional(o, "timeZone", &l.TimeZone, wantTimeZone, validTimeZone)
	if l.TimeZone == "" {
		l.TimeZone = "UTC"
	}
	optional(o, "address", &l.Address, wantAddress, validAddress)
	nested(o, "location", &l.Location, readLocation)
	readHeartbeat(o, &l.Heartbeat)
}

// lotAnswer is a lot with its counts. The ETag is of what may be edited, so that traffic does not change it.
func lotAnswer(l LotState) answer {
	return answer{status: http.StatusOK, etag: digest(l.Lot), body: viewLot(l)}
}

// addLot adds a lot; it gets its times here.
func (s *Service) addLot(ctx context.Context, by origin, lot Lot) (answer, error) {
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (answer, error) {
		lot.CreatedAt, lot.UpdatedAt = t.now, t.now
		a := lotAnswer(LotState{Lot: lot})
		a.status, a.location = http.StatusCreated, "/api/v1/lots/"+url.PathEscape(lot.ID)
		if err := t.AddLot(ctx, lot); err != nil {
			return answer{}, instead(err, ErrTaken, idTaken("id", "lot", lot.ID))
		}
		return a, t.audit(by, lot.resource(), nil, describeLot(lot))
	})
}

// changeLot lets change alter a lot, which must keep its id. The counts that it answers are from just before.
func (s *Service) changeLot(ctx context.Context, by origin, id string, expect precondition, change func(*Lot) error) (answer, error) {
	state, err := s.lot(ctx, id)
	if err != nil {
		return answer{}, err
	}
	return s.answered(ctx, by, func(ctx context.Context, t *transaction) (answer, error) {
		lot, err := t.lotToChange(ctx, id, expect)
		if err != nil {
			return answer{}, err
		}
		before := lot
		if err := change(&lot); err != nil {
			return answer{}, err
		}
		if !reflect.DeepEqual(lot, before) {
			lot.UpdatedAt = t.now
			err = errors.Join(t.SaveLot(ctx, lot), t.audit(by, lot.resource(), describeLot(before), describeLot(lot)))
		}
		return lotAnswer(LotState{Lot: lot, Counts: state.Counts}), err
	})
}

// removeLot removes a lot that has no spots, with its zones.
func (s *Service) removeLot(ctx context.Context, by origin, id string, expect precondition) error {
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
			return instead(err, ErrInUse, lotInUse(id))
		}
		return t.audit(by, lot.resource(), describeLot(lot), nil)
	})
}

// lotToChange reads a lot, if it is as the caller expects.
func (t *transaction) lotToChange(ctx context.Context, id string, expect precondition) (Lot, error) {
	lot, err := t.Lot(ctx, id)
	if err == nil && !expect.holds(digest(lot)) {
		err = changedMeanwhile("lot", id)
	}
	return lot, instead(err, ErrNotFound, lotNotFound(id))
}

// lot returns a lot with its counts.
func (s *Service) lot(ctx context.Context, id string) (LotState, error) {
	lot, err := s.store.Lot(ctx, id)
	return lot, instead(err, ErrNotFound, lotNotFound(id))
}

func (s *Service) getLots(_ http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	p := parseParams(r.URL.RawQuery)
	at := p.page("lots")
	if err := p.end(); err != nil {
		return answer{}, err
	}
	lots, err := s.store.Lots(r.Context(), LotQuery{IDs: by.who.Lots, After: at.after, Limit: at.limit + 1})
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: listed("lots", at, lots, func(l LotState) string { return l.ID }, viewLot)}, nil
}

func (s *Service) postLot(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	var lot Lot
	err := readObject(w, r, func(o *object) {
		required(o, "id", &lot.ID, wantID, validID)
		readLot(o, &lot)
	})
	if err != nil {
		return answer{}, err
	}
	if err := identity.AuthorizeLot(by.who, lot.ID); err != nil {
		return answer{}, err
	}
	return s.addLot(r.Context(), by, lot)
}

func (s *Service) getLot(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	lot, err := s.lot(r.Context(), r.PathValue("lotId"))
	return lotAnswer(lot), err
}

func (s *Service) patchLot(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	body, err := requestBody(w, r)
	if err != nil {
		return answer{}, err
	}
	return s.changeLot(r.Context(), by, r.PathValue("lotId"), ifMatch(r), func(l *Lot) error {
		return patch(body, func(o *object) { readLot(o, l) })
	})
}

func (s *Service) deleteLot(_ http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, s.removeLot(r.Context(), by, r.PathValue("lotId"), ifMatch(r))
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

func (s *Service) getSummary(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	asOf := s.now()
	lot, err := s.lot(r.Context(), r.PathValue("lotId"))
	if err != nil {
		return answer{}, err
	}
	zones, err := s.zones(r.Context(), lot.ID)
	if err != nil {
		return answer{}, err
	}
	v := summaryView{LotID: lot.ID, Counts: lot.Counts, AsOf: event.At(asOf), Zones: make([]zoneSummaryView, 0, len(zones))}
	for _, z := range zones {
		v.Zones = append(v.Zones, zoneSummaryView{ZoneID: z.ID, Name: z.Name, Counts: z.Counts})
	}
	return answer{status: http.StatusOK, body: v}, nil
}
