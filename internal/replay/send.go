package replay

import (
	"context"
	"net/http"

	"parkwire/internal/client"
	"parkwire/internal/event"
)

// flush sends what has gathered: new spots first, each with its first reading, then the other readings.
func (r *replayer) flush(ctx context.Context) error {
	again, err := r.addSpots(ctx)
	if err != nil {
		return err
	}
	readings := again // these are older than what else there is of their spots
	for _, one := range r.batch {
		if one.spot.refused != "" { // since it waits
			r.progress.reject(one.line, one.spot.refused)
			continue
		}
		readings = append(readings, one)
	}
	if len(readings) > 0 {
		if err := r.observe(ctx, readings); err != nil {
			return err
		}
	}
	r.added, r.batch, r.unsent = r.added[:0], r.batch[:0], 0
	r.progress.show()
	return nil
}

// addSpots adds the new spots. It returns the readings of those that exist all the same, since
// somebody else added them meanwhile.
func (r *replayer) addSpots(ctx context.Context) (again []reading, err error) {
	if len(r.added) == 0 {
		return nil, nil
	}
	spots := make([]client.NewSpot, len(r.added))
	for i, one := range r.added {
		status := event.Free
		if one.Occupied {
			status = event.Occupied
		}
		spots[i] = client.NewSpot{SpotID: one.SpotID, Status: status, ObservedAt: one.ObservedAt}
	}
	err = r.Client.AddSpots(ctx, r.Lot, spots)
	if err == nil {
		r.progress.added += len(spots)
		return nil, nil
	}
	if !concernsSpots(err) {
		return nil, err
	}
	// All or none were added: one by one shows which cannot be.
	for i, one := range r.added {
		err := r.Client.AddSpots(ctx, r.Lot, spots[i:i+1])
		switch {
		case err == nil:
			r.progress.added++
			continue
		case !concernsSpots(err):
			return nil, err
		}
		reason := err.Error()
		if client.Status(err) == http.StatusConflict {
			there, err := r.Client.Spot(ctx, one.SpotID)
			if err != nil {
				return nil, err
			}
			if there.LotID == r.Lot {
				again = append(again, one)
				continue
			}
			reason = "spot " + one.SpotID + " belongs to lot " + there.LotID
		}
		one.spot.refused = reason
		r.progress.reject(one.line, reason)
	}
	return again, nil
}

// concernsSpots tells the refusal of what is wrong with a spot from that of any writing.
func concernsSpots(err error) bool {
	switch client.Status(err) {
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// observe sends readings and counts what became of them.
func (r *replayer) observe(ctx context.Context, readings []reading) error {
	observations := make([]client.Observation, len(readings))
	for i, one := range readings {
		observations[i] = one.Observation
	}
	outcome, err := r.Client.Observe(ctx, observations)
	if err != nil {
		return err
	}
	r.progress.accepted += outcome.Accepted
	r.progress.unchanged += outcome.Unchanged
	r.progress.late += outcome.Late
	untold := outcome.Rejected
	for _, e := range outcome.Errors {
		if e.Line >= 1 && e.Line <= len(readings) && untold > 0 {
			r.progress.reject(readings[e.Line-1].line, readings[e.Line-1].SpotID+": "+e.Reason)
			untold--
		}
	}
	r.progress.rejected += untold
	return nil
}
