package parking

import (
	"context"
	"net/http"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/rest"
)

func (s *Service) putReservation(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	var reference string
	var until time.Time
	err := rest.ReadObject(w, r, func(o *rest.Object) {
		rest.Optional(o, "reference", &reference, wantReference, rest.ValidName)
		rest.ReadTime(o, "until", &until, rest.Optional)
		if !until.IsZero() && !until.After(s.now()) {
			o.Fail("until", rest.WantFuture, event.At(until).String())
		}
	})
	if err != nil {
		return rest.Answer{}, err
	}
	return s.changeSpot(r.Context(), by, r.PathValue("spotId"), rest.IfMatch(r),
		func(_ context.Context, t *transaction, spot *Spot) (*event.Event, error) {
			return spot.reserve(reference, until, t.now)
		})
}

func (s *Service) deleteReservation(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	return s.changeSpot(r.Context(), by, r.PathValue("spotId"), rest.IfMatch(r),
		func(_ context.Context, t *transaction, spot *Spot) (*event.Event, error) {
			return spot.endReservation(SourceOperator, t.now), nil
		})
}
