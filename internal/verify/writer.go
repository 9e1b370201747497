package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"parkwire/internal/client"
	"parkwire/internal/event"
)

// A target is a spot as its one writer knows it.
type target struct {
	*spot
	version int64 // that the spot has, as far as it is acknowledged
	// unsure: the last request was not answered, so it may have been done or not, or even be done yet. The spot is read
	// before the next request, which then is the same one, so that doing both makes one version.
	unsure bool
}

// A writer changes its spots in turn, so and so many at a time.
type writer struct {
	*verifier
	number  int
	targets []*target
	next    int
}

// writeTimeout is how long an answer is waited for before a write counts as not answered.
const writeTimeout = 10 * time.Second

func newWriter(v *verifier, number int) *writer {
	w := &writer{verifier: v, number: number}
	for i := number; i < len(v.spots); i += v.Writers { // each spot has one writer
		w.targets = append(w.targets, &target{spot: v.spots[i], version: 1})
	}
	return w
}

// run writes at its share of the rate until ctx ends. A writer that was held up catches up for a second at most:
// what is measured are the platform's answers, and not a wave after each fault.
func (w *writer) run(ctx context.Context) {
	interval := time.Duration(float64(w.Writers*w.Batch) / w.Rate * float64(time.Second))
	due := time.Now().Add(interval * time.Duration(w.number) / time.Duration(w.Writers)) // not all at once
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		w.write(context.WithoutCancel(ctx))
		due = due.Add(interval)
		if behind := time.Now().Add(-time.Second); due.Before(behind) {
			due = behind
		}
	}
}

// write changes the next spots, and leaves out those of which it cannot be read what became of the last request.
func (w *writer) write(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	var sure []*target
	for range min(w.Batch, len(w.targets)) {
		t := w.targets[w.next%len(w.targets)]
		w.next++
		if !t.unsure || w.resolve(ctx, w.quick, t) == nil {
			sure = append(sure, t)
		}
	}
	if len(sure) == 0 {
		return
	}
	began := w.now()
	for _, t := range sure {
		t.begin(t.version+1, began)
	}
	if w.Batch > 1 {
		w.observe(ctx, sure, began)
	} else {
		w.act(ctx, sure[0], began)
	}
}

func (w *writer) act(ctx context.Context, t *target, began time.Duration) {
	action := "release"
	if t.occupiedNext() {
		action = "occupy"
	}
	answer, err := w.quick.Act(ctx, t.id, action)
	if err == nil && answer.Version == t.version {
		err = fmt.Errorf("%w: %s is at version %d still", errNothing, t.id, t.version)
	}
	if err != nil {
		w.failed([]*target{t}, began, err)
		return
	}
	w.timeline.at(began).written.Add(1)
	w.acknowledge(t, answer.Version)
}

// errNothing is an answer that says that all is well and shows no change; it is counted as a refusal.
var errNothing = errors.New("the platform answered and changed nothing")

// observe sends readings. Their answer has no versions; where all were accepted, each made the next one.
func (w *writer) observe(ctx context.Context, all []*target, began time.Duration) {
	now := event.At(time.Now())
	readings := make([]client.Observation, len(all))
	for i, t := range all {
		readings[i] = client.Observation{SpotID: t.id, Occupied: t.occupiedNext(), ObservedAt: now, SensorID: w.lot}
	}
	outcome, err := w.quick.Observe(ctx, readings)
	if err == nil && outcome.Accepted != len(all) {
		err = fmt.Errorf("%w: of %d readings %d were accepted", errNothing, len(all), outcome.Accepted)
	}
	if err != nil {
		w.failed(all, began, err)
		return
	}
	w.timeline.at(began).written.Add(int64(len(all)))
	for _, t := range all {
		w.acknowledge(t, t.version+1)
	}
}

// occupiedNext is what the next change makes of the spot: versions alternate, beginning with free.
func (t *target) occupiedNext() bool { return t.version%2 == 1 }

// failed counts a request that was refused, or not answered.
func (w *writer) failed(all []*target, began time.Duration, err error) {
	n, status := int64(len(all)), client.Status(err)
	for _, t := range all {
		t.unsure = status != http.StatusTooManyRequests // of which it is certain that nothing was done
	}
	refused := status >= 400 && status < 500 || status == 0 && errors.Is(err, errNothing)
	if !refused {
		w.timeline.trouble(w.now())
	}
	p := w.timeline.at(began)
	p.written.Add(n)
	if refused {
		p.refused.Add(n)
		w.findings.refused(err)
		return
	}
	p.unanswered.Add(n)
}

// resolve reads what became of a request that was not answered.
func (w *writer) resolve(ctx context.Context, by *client.Client, t *target) error {
	now, err := by.Spot(ctx, t.id)
	if err != nil {
		w.timeline.trouble(w.now())
		return err
	}
	t.unsure = false
	if now.Version > t.version {
		began, _ := t.began(t.version + 1)
		w.timeline.at(began).found.Add(1)
	}
	w.acknowledge(t, now.Version)
	return nil
}

// acknowledge notes the version that the platform says the spot has. Whatever lies between it and the one before is a
// change too, and must come to every client.
func (w *writer) acknowledge(t *target, version int64) {
	if version < t.version {
		w.findings.forgotten(t.id, t.version, version)
	}
	now := w.now()
	for one := t.version + 1; one <= version; one++ {
		t.answer(one, now)
		began, _ := t.began(one)
		w.timeline.at(began).acknowledged.Add(1)
	}
	t.version = version
	atLeast(&t.acknowledged, version)
}

// finish resolves what is left unsure, patiently, since without it nobody knows what clients must have seen.
func (w *writer) finish(ctx context.Context) error {
	for _, t := range w.targets {
		if t.unsure {
			if err := w.resolve(ctx, w.patient, t); err != nil {
				return fmt.Errorf("what became of the last request for %s: %w", t.id, err)
			}
		}
	}
	return nil
}
