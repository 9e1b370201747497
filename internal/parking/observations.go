package parking

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/lorawan"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/trace"
)

// maxErrors bounds how many rejected readings an answer explains.
const maxErrors = 1000

// ingestResult counts what became of readings, and says why some were rejected.
type ingestResult struct {
	Accepted      int            `json:"accepted"`
	Unchanged     int            `json:"unchanged"`
	Late          int            `json:"late"`
	Rejected      int            `json:"rejected"`
	Errors        []readingError `json:"errors"` // the first ones, by line
	ErrorsOmitted int            `json:"errorsOmitted,omitempty"`
}

// readingError says why a reading was rejected.
type readingError struct {
	Line     int    `json:"line"` // or, in an array, which element; from 1
	SpotID   string `json:"spotId,omitempty"`
	SensorID string `json:"sensorId,omitempty"`
	Field    string `json:"field,omitempty"`
	Reason   string `json:"reason"`
}

func (r *ingestResult) count(o outcome) {
	switch o {
	case accepted:
		r.Accepted++
	case unchanged:
		r.Unchanged++
	case late:
		r.Late++
	default:
		r.Rejected++
	}
}

// reject keeps the error only where it may be among the first.
func (r *ingestResult) reject(e readingError) {
	if len(r.Errors) < 2*maxErrors { // those of wrong shape and those that were refused come in two runs
		r.Errors = append(r.Errors, e)
	}
}

// finish orders the errors, cuts them to their bound, and makes an answer of it.
func (r ingestResult) finish() rest.Answer {
	r.Errors = slices.Clone(r.Errors)
	slices.SortFunc(r.Errors, func(a, b readingError) int { return cmp.Compare(a.Line, b.Line) })
	r.Errors = r.Errors[:min(len(r.Errors), maxErrors)]
	r.ErrorsOmitted = r.Rejected - len(r.Errors)
	return rest.Answer{Status: http.StatusOK, Body: r}
}

func (s *Service) postObservations(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	read, err := readReadings(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	return s.ingest(r.Context(), by, read)
}

// ingest commits readings in batches, in order. Where that fails in the middle, those before are kept; sent again
// they are known and change nothing.
func (s *Service) ingest(ctx context.Context, by origin, read readings) (rest.Answer, error) {
	result := ingestResult{Errors: append([]readingError{}, read.errors...), Rejected: read.rejected}
	s.metrics.observations.WithLabelValues("rejected").Add(float64(read.rejected))
	line := 0
	for all := range slices.Chunk(read.good, maxGroup) {
		after := func(outcomes []outcome) ingestResult { return result.after(outcomes, all, read.lines[line:]) }
		b := newBatch(all, by)
		if by.attempt != nil && line+len(all) == len(read.good) {
			b.answer = func(outcomes []outcome) rest.Answer { return after(outcomes).finish() }
		}
		if err := s.submit(ctx, b); err != nil {
			return rest.Answer{}, interrupted(err, line, len(read.good), "readings")
		}
		result = after(b.outcomes)
		line += len(all)
	}
	return result.finish(), nil
}

// submit commits a batch, perhaps together with those of other requests.
func (s *Service) submit(ctx context.Context, b *batch) error {
	span := trace.Of(ctx).Child("commit readings", trace.Internal, time.Time{})
	err := s.commits.submit(span.In(ctx), b)
	if span != nil {
		span.Set("parkwire.readings", len(b.readings))
		span.Fail(err)
		span.End()
	}
	return err
}

// after returns the result with a batch added to it.
func (r ingestResult) after(outcomes []outcome, all []Observation, lines []int) ingestResult {
	r.Errors = slices.Clip(r.Errors)
	for i, o := range outcomes {
		r.count(o)
		if o > late {
			r.reject(rejection(o, lines[i], all[i]))
		}
	}
	return r
}

func rejection(o outcome, line int, reading Observation) readingError {
	e := readingError{Line: line, SpotID: reading.SpotID}
	fields := lorawan.Fields{Sensor: "spotId", At: "observedAt"}
	if reading.signal != nil {
		e.SensorID, fields = reading.signal.SensorID, reading.signal.Fields
	}
	switch o {
	case inFuture:
		e.Field, e.Reason = fields.At, fmt.Sprintf("It is more than %v in the future.", maxAhead)
	case noSuchSensor:
		e.Field, e.Reason = fields.Sensor, "No sensor is registered under this id. POST /api/v1/sensors registers it."
	case notPlaced:
		e.Field, e.Reason = fields.Sensor, "The sensor stands on no spot. PATCH /api/v1/sensors/{sensorId} says on which."
	case notDecoded:
		e.Field, e.Reason = fields.Payload, "It cannot be decoded: "+reading.signal.err.Error()+"."
	case noSuchSpot:
		e.Field, e.Reason = fields.Sensor, "There is no spot with this id."
		if reading.signal != nil {
			e.Reason = "The spot that the sensor stands on was removed."
		}
	}
	return e
}

// interrupted adds to a failure what had been committed before it.
func interrupted(err error, done, all int, what string) error {
	p, internal := problemOf(err)
	if internal || done == 0 {
		return err
	}
	p.Detail += fmt.Sprintf(" The first %d of %d %s are kept; it does no harm to send them again.", done, all, what)
	return p.With("committed", done)
}

// commitReadings applies the readings of a group in one transaction. Outcomes are as the last try left them.
func (s *Service) commitReadings(ctx context.Context, group []*batch) error {
	size := 0
	for _, b := range group {
		size += len(b.readings)
	}
	err := s.update(ctx, func(ctx context.Context, t *transaction) error {
		sensors, err := t.recognize(ctx, group)
		if err != nil {
			return err
		}
		sorted := spotsOf(group)
		before, err := t.Spots(ctx, sorted)
		if err != nil {
			return err
		}
		spots, all := make(map[string]*Spot, len(before)), make([]Spot, 0, len(before))
		for id, spot := range before {
			all = append(all, spot)
			spots[id] = &all[len(all)-1]
		}
		for _, b := range group {
			if err := t.observe(spots, b); err != nil {
				return err
			}
			if b.answer != nil {
				if err := t.keep(ctx, b.by, b.answer(b.outcomes)); err != nil {
					return err
				}
			}
		}
		for _, id := range sorted {
			if spot := spots[id]; spot != nil && *spot != before[id] {
				t.save(*spot)
			}
		}
		return t.SaveSensors(ctx, sensors)
	})
	if err != nil {
		return err
	}
	s.metrics.groupSize.Observe(float64(size))
	counts := map[string]int{}
	for _, b := range group {
		for _, o := range b.outcomes {
			counts[o.String()]++
		}
	}
	for outcome, n := range counts {
		s.metrics.observations.WithLabelValues(outcome).Add(float64(n))
	}
	return nil
}

// spotsOf returns the ids of the spots that readings of a group are of, in order.
func spotsOf(group []*batch) []string {
	ids := map[string]bool{}
	for _, b := range group {
		for _, o := range b.readings {
			if o.signal == nil || !o.signal.settled {
				ids[o.SpotID] = true
			}
		}
	}
	return sortedKeys(ids)
}

// observe lets a batch happen to spots.
func (t *transaction) observe(spots map[string]*Spot, b *batch) error {
	for i, o := range b.readings {
		if o.signal != nil && o.signal.settled {
			b.outcomes[i] = o.signal.outcome
			continue
		}
		spot := spots[o.SpotID]
		if spot == nil || spot.Removed || !b.by.Who.Reaches(spot.LotID) {
			b.outcomes[i] = noSuchSpot
			continue
		}
		if o.signal != nil && o.signal.silent {
			spot.hear(o.ObservedAt)
			b.outcomes[i] = unchanged
			continue
		}
		var e *event.Event
		if b.outcomes[i], e = spot.observe(o, t.now); b.outcomes[i] == late {
			t.recordLate(o, b.by)
		}
		if err := t.publish(e, b.by); err != nil {
			return err
		}
	}
	return nil
}

// errorOfLine makes of a problem with one line what the answer says of it.
func errorOfLine(line int, spotID string, p problem.Problem) readingError {
	return readingError{Line: line, SpotID: spotID, Field: p.Field, Reason: p.Detail}
}
