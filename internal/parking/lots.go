package parking

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"parkwire/internal/event"
)

// lotView is a lot as it is answered.
type lotView struct {
	ID               string     `json:"id"`
	Name             string     `json:"name"`
	TimeZone         string     `json:"timeZone"`
	Address          string     `json:"address,omitempty"`
	Location         *Location  `json:"location,omitempty"`
	HeartbeatSeconds int64      `json:"heartbeatSeconds,omitempty"`
	Counts           Counts     `json:"counts"`
	CreatedAt        event.Time `json:"createdAt"`
	UpdatedAt        event.Time `json:"updatedAt"`
}

func viewLot(l LotState) lotView {
	return lotView{
		ID: l.ID, Name: l.Name, TimeZone: l.TimeZone, Address: l.Address, Location: l.Location,
		HeartbeatSeconds: int64(l.Heartbeat / time.Second), Counts: l.Counts,
		CreatedAt: event.At(l.CreatedAt), UpdatedAt: event.At(l.UpdatedAt),
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

// addLot adds a lot; it gets its times here.
func (s *Service) addLot(ctx context.Context, lot Lot) (LotState, error) {
	lot.CreatedAt = s.now()
	lot.UpdatedAt = lot.CreatedAt
	err := s.update(ctx, func(ctx context.Context, t *transaction) error {
		return instead(t.AddLot(ctx, lot), ErrTaken, idTaken("id", "lot", lot.ID))
	})
	return LotState{Lot: lot}, err
}

// changeLot lets change alter a lot, which must keep its id.
func (s *Service) changeLot(ctx context.Context, id string, change func(*Lot) error) (LotState, error) {
	err := s.update(ctx, func(ctx context.Context, t *transaction) error {
		lot, err := t.Lot(ctx, id)
		if err != nil {
			return err
		}
		before := lot
		if err := change(&lot); err != nil || reflect.DeepEqual(lot, before) {
			return err
		}
		lot.UpdatedAt = t.now
		return t.SaveLot(ctx, lot)
	})
	if err != nil {
		return LotState{}, instead(err, ErrNotFound, lotNotFound(id))
	}
	return s.lot(ctx, id)
}

// removeLot removes a lot that has no spots, with its zones.
func (s *Service) removeLot(ctx context.Context, id string) error {
	err := s.update(ctx, func(ctx context.Context, t *transaction) error {
		return instead(t.RemoveLot(ctx, id), ErrInUse, lotInUse(id))
	})
	return instead(err, ErrNotFound, lotNotFound(id))
}

// lot returns a lot with its counts.
func (s *Service) lot(ctx context.Context, id string) (LotState, error) {
	lot, err := s.store.Lot(ctx, id)
	return lot, instead(err, ErrNotFound, lotNotFound(id))
}

func (s *Service) getLots(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	p := parseParams(r.URL.RawQuery)
	at := p.page("lots")
	if err := p.end(); err != nil {
		return answer{}, err
	}
	lots, err := s.store.Lots(r.Context(), at.after, at.limit+1)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK, body: listed("lots", at, lots, func(l LotState) string { return l.ID }, viewLot)}, nil
}

func (s *Service) postLot(w http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	var lot Lot
	err := readObject(w, r, func(o *object) {
		required(o, "id", &lot.ID, wantID, validID)
		readLot(o, &lot)
	})
	if err != nil {
		return answer{}, err
	}
	made, err := s.addLot(r.Context(), lot)
	return answer{status: http.StatusCreated, location: "/api/v1/lots/" + url.PathEscape(lot.ID), body: viewLot(made)}, err
}

func (s *Service) getLot(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	lot, err := s.lot(r.Context(), r.PathValue("lotId"))
	return answer{status: http.StatusOK, body: viewLot(lot)}, err
}

func (s *Service) patchLot(w http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	body, err := requestBody(w, r)
	if err != nil {
		return answer{}, err
	}
	lot, err := s.changeLot(r.Context(), r.PathValue("lotId"), func(l *Lot) error {
		return patch(body, func(o *object) { readLot(o, l) })
	})
	return answer{status: http.StatusOK, body: viewLot(lot)}, err
}

func (s *Service) deleteLot(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, s.removeLot(r.Context(), r.PathValue("lotId"))
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
