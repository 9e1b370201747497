package parking

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
)

// maxAdded bounds how many spots one request adds, all in one transaction.
const maxAdded = 10_000

// addSpots adds spots to a lot, all or none. Each has its first status already.
func (t *transaction) addSpots(ctx context.Context, by origin, lotID string, spots []Spot) ([]Spot, error) {
	if _, err := t.Lot(ctx, lotID); err != nil {
		return nil, rest.Instead(err, ErrNotFound, lotNotFound(lotID))
	}
	ids, zoneIDs := make([]string, len(spots)), make([]string, len(spots))
	for i, spot := range spots {
		ids[i], zoneIDs[i] = spot.ID, spot.ZoneID
	}
	if err := t.checkZones(ctx, lotID, zoneIDs...); err != nil {
		return nil, err
	}
	known, err := t.Spots(ctx, slices.Sorted(slices.Values(ids)))
	if err != nil {
		return nil, err
	}
	added := slices.Clone(spots)
	for i := range added {
		spot := &added[i]
		before, there := known[spot.ID]
		if there && !before.Removed {
			return nil, atIndex(rest.IDTaken("spotId", "spot", spot.ID), len(spots), i, spot.ID)
		}
		spot.LotID = lotID
		if err := t.addSpot(by, spot, before); err != nil {
			return nil, err
		}
	}
	return added, nil
}

// addSpot adds a spot, of which removed is what there was before under the same id.
func (t *transaction) addSpot(by origin, spot *Spot, removed Spot) error {
	e := spot.add(removed, t.now)
	t.save(*spot)
	return errors.Join(t.publish(e, by), t.auditSpot(by, Spot{Removed: true}, *spot))
}

// atIndex says which of several spots a problem is about.
func atIndex(p problem.Problem, of, i int, id string) problem.Problem {
	if of == 1 {
		return p
	}
	p.Detail = fmt.Sprintf("Spot %d of %d: %s Nothing was added.", i+1, of, p.Detail)
	p = p.With("index", i)
	if id != "" {
		p = p.With("spotId", id)
	}
	return p
}

func (s *Service) postSpots(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	several := bytes.HasPrefix(body, []byte("["))
	raw := []json.RawMessage{body}
	if several {
		if raw, err = elements(body, maxAdded); err != nil {
			return rest.Answer{}, err
		}
	}
	spots, err := s.readSpots(raw)
	if err != nil {
		return rest.Answer{}, err
	}
	var a rest.Answer
	err = untilOrdered(func() (err error) {
		a, err = s.answered(r.Context(), by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
			added, err := t.addSpots(ctx, by, r.PathValue("lotId"), spots)
			return addedAnswer(added, several), err
		})
		return err
	})
	return a, err
}

func addedAnswer(added []Spot, several bool) rest.Answer {
	if several {
		all := rest.List[spotView]{Items: make([]spotView, len(added))}
		for i, spot := range added {
			all.Items[i] = viewSpot(spot)
		}
		return rest.Answer{Status: http.StatusCreated, Body: all}
	}
	if len(added) == 0 {
		return rest.Answer{}
	}
	a, _ := spotAnswer(added[0], nil)
	a.Status, a.Location = http.StatusCreated, "/api/v1/spots/"+url.PathEscape(added[0].ID)
	return a
}

// elements returns those of a JSON array, of which there must be from 1 to most.
func elements(body []byte, most int) ([]json.RawMessage, error) {
	var all []json.RawMessage
	err := rest.EachElement(bytes.NewReader(body), func(element json.RawMessage) error {
		if len(all) == most {
			return rest.InvalidBody(fmt.Sprintf("The body has more than %d elements. Send it in several requests.", most))
		}
		all = append(all, element)
		return nil
	})
	var p problem.Problem
	switch {
	case errors.As(err, &p):
		return nil, p
	case err != nil:
		return nil, rest.InvalidBody(fmt.Sprintf("The body is not valid JSON behind element %d: %v.", len(all), err))
	case len(all) == 0:
		return nil, rest.InvalidBody("The array is empty; there is nothing to add.")
	}
	return all, nil
}

func (s *Service) readSpots(raw []json.RawMessage) ([]Spot, error) {
	spots, seen := make([]Spot, len(raw)), make(map[string]bool, len(raw))
	latest := s.now().Add(maxAhead)
	for i := range raw {
		spot := &spots[i]
		err := rest.DecodeObject(raw[i], func(o *rest.Object) { readSpot(o, spot, latest) })
		if err == nil && seen[spot.ID] {
			err = problem.New(http.StatusBadRequest, "invalid-field", fmt.Sprintf("The spot %q is in the body twice.", spot.ID)).WithField("spotId")
		}
		var p problem.Problem
		if errors.As(err, &p) {
			return nil, atIndex(p, len(raw), i, spot.ID)
		}
		seen[spot.ID] = true
	}
	return spots, nil
}

// readSpot reads a new spot, with its first status and who saw it when.
func readSpot(o *rest.Object, s *Spot, latest time.Time) {
	rest.Required(o, "spotId", &s.ID, rest.WantID, rest.ValidID)
	readDescription(o, s)
	status := event.Free
	rest.Optional(o, "status", &status, wantFirst, validFirst)
	var observedAt time.Time
	rest.ReadTime(o, "observedAt", &observedAt, rest.Optional)
	if observedAt.After(latest) {
		o.Fail("observedAt", wantPast, event.At(observedAt).String())
	}
	s.begin(status, observedAt)
}
