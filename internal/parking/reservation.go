package parking

import (
	"context"
	"net/http"
	"time"

	"parkwire/internal/event"
)

func (s *Service) putReservation(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	var reference string
	var until time.Time
	err := readObject(w, r, func(o *object) {
		optional(o, "reference", &reference, wantReference, validName)
		readTime(o, "until", &until, optional)
		if o.err == nil && !until.IsZero() && !until.After(s.now()) {
			o.err = invalidField("until", wantFuture, event.At(until).String())
		}
	})
	if err != nil {
		return answer{}, err
	}
	return s.changeSpot(r.Context(), by, r.PathValue("spotId"), ifMatch(r),
		func(_ context.Context, t *transaction, spot *Spot) (*event.Event, error) {
			return spot.reserve(reference, until, t.now)
		})
}

func (s *Service) deleteReservation(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	if err := readNothing(w, r); err != nil {
		return answer{}, err
	}
	return s.changeSpot(r.Context(), by, r.PathValue("spotId"), ifMatch(r),
		func(_ context.Context, t *transaction, spot *Spot) (*event.Event, error) {
			return spot.endReservation(SourceOperator, t.now), nil
		})
}
