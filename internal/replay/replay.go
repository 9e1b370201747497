// Package replay sends recorded readings to a running platform. What it does twice changes nothing, so
// that a replay can be stopped and run again.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
	_ "time/tzdata" // time zones of recordings, wherever the binary runs

	"parkwire/internal/client"
	"parkwire/internal/event"
)

// Options configure [Run]. Client, Input, Lot, Out and Err are required.
type Options struct {
	Client *client.Client
	Input  string    // the path of a CSV file; "-": Stdin
	Stdin  io.Reader // where Input is "-"
	Lot    string    // the id of the lot that the spots belong to; it is made if there is none
	// TimeZone is the IANA name of the zone whose clock the recording shows. Empty: that of the lot, which
	// must exist then.
	TimeZone string
	Speed    float64 // times as fast as it was recorded; 0: as fast as the platform takes it
	Out      io.Writer
	Err      io.Writer // gets the progress and what is wrong with rows
	// Terminal says that Err is one: the progress is a line that changes.
	Terminal bool
}

// ParseSpeed reads a speed: "max" (0), or a positive number.
func ParseSpeed(s string) (float64, error) {
	if s == "max" {
		return 0, nil
	}
	speed, err := strconv.ParseFloat(s, 64)
	if err != nil || !(speed > 0) || math.IsInf(speed, 0) {
		return 0, fmt.Errorf("the speed %q is neither max nor a positive number, such as 60", s)
	}
	return speed, nil
}

const (
	batchSize = 1000
	// A reading that is due within this time is sent with those before it.
	sendAhead = 50 * time.Millisecond
	// A time further in the future is a mistake of the recording. The platform would refuse it too, but
	// then with the spot, if it were its first reading.
	clockSkew = time.Minute
)

// Run replays the input and prints what became of it. Rows that cannot be used are told and left out. It
// returns an error when the platform cannot be reached or refuses to be written to, when ctx ends before the
// input does, and when not a single row of the input could be used.
func Run(ctx context.Context, o Options) error {
	input, name := io.Reader(interruptible{ctx, o.Stdin}), "standard input"
	if o.Input != "-" {
		file, err := os.Open(o.Input)
		if err != nil {
			return err
		}
		defer file.Close()
		input, name = file, o.Input
	}
	rows, err := newRows(input)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r := &replayer{Options: o, spots: map[string]*spot{}, progress: newTally(o.Err, o.Terminal)}
	if err := r.prepare(ctx); err != nil {
		return client.Advise(err, "operate")
	}
	err = r.replay(ctx, rows)
	r.progress.finish(o.Out)
	if r.unsent == 0 {
		r.unsent = rows.line + 1
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("stopped before line %d of the input was sent; the same command goes on from there", r.unsent)
	case err != nil:
		return fmt.Errorf("%w\nline %d of the input and what follows was not sent; the same command goes on from there", client.Advise(err, "operate"), r.unsent)
	case r.progress.used() == 0 && r.progress.rejected > 0:
		return fmt.Errorf("none of the %d readings could be used", r.progress.rejected)
	}
	return nil
}

// spot is what the replay knows of a spot.
type spot struct {
	last    time.Time // of the readings of the input so far
	known   time.Time // what the platform heard of last, when the replay began
	refused string    // why the platform does not take it
}

// reading is one that waits to be sent.
type reading struct {
	client.Observation
	line int
	spot *spot
}

type replayer struct {
	Options
	zone     *time.Location
	spots    map[string]*spot // bounded by the spots of the recording
	progress tally

	added   []reading // the first readings of new spots: they are sent by adding the spots
	batch   []reading
	unsent  int // the first line that was not sent
	started struct{ real, recorded time.Time }
}

// prepare makes the lot if there is none, and asks for its spots.
func (r *replayer) prepare(ctx context.Context) error {
	lot, err := r.Client.Lot(ctx, r.Lot)
	missing := client.Status(err) == 404
	if err != nil && !missing {
		return err
	}
	name := r.TimeZone
	if name == "" && !missing {
		name = lot.TimeZone
	}
	if name == "" {
		return fmt.Errorf("the lot %q is new: say its time zone, such as --time-zone Europe/Paris", r.Lot)
	}
	if r.zone, err = time.LoadLocation(name); err != nil {
		return fmt.Errorf("the time zone %q is not known; Europe/Paris is one", name)
	}
	if missing {
		err := r.Client.AddLot(ctx, client.Lot{ID: r.Lot, Name: r.Lot, TimeZone: name})
		if err != nil && client.Status(err) != 409 { // somebody else made it meanwhile
			return err
		}
		return nil
	}
	if lot.TimeZone != name {
		r.progress.note("lot %s is in %s; the recording is read in %s", r.Lot, lot.TimeZone, name)
	}
	return r.Client.Spots(ctx, r.Lot, func(s client.Spot) { r.spots[s.SpotID] = &spot{known: s.LastObservedAt.Time} })
}

// replay sends the rows, in order.
func (r *replayer) replay(ctx context.Context, rows *rows) error {
	for {
		one, err := rows.next()
		var bad rowError
		switch {
		case errors.As(err, &bad):
			r.progress.reject(bad.line, bad.reason)
			continue
		case err == io.EOF:
			return r.flush(ctx)
		case err != nil:
			return errors.Join(r.flush(ctx), fmt.Errorf("reading the input: %w", err))
		}
		if err := r.take(ctx, one); err != nil {
			return err
		}
		r.progress.show()
		if len(r.added)+len(r.batch) >= batchSize {
			if err := r.flush(ctx); err != nil {
				return err
			}
		}
	}
}

// take decides what becomes of a row, when it is due.
func (r *replayer) take(ctx context.Context, one row) error {
	s, exists := r.spots[one.spotID]
	if !exists {
		s = &spot{}
	}
	at := one.wall
	if !one.exact {
		at = instant(one.wall, r.zone, s.last)
	}
	if at.After(time.Now().Add(clockSkew)) {
		r.progress.reject(one.line, "its time, "+at.Format(time.RFC3339)+", is yet to come")
		return nil
	}
	if r.unsent == 0 {
		r.unsent = one.line
	}
	if err := r.await(ctx, at, one.line); err != nil {
		return err
	}
	s.last = at
	r.progress.reached = at.In(r.zone)
	next := reading{client.Observation{SpotID: one.spotID, Occupied: one.occupied, ObservedAt: event.At(at)}, one.line, s}
	switch {
	case !exists:
		r.spots[one.spotID] = s
		r.added = append(r.added, next)
	case s.refused != "":
		r.progress.reject(one.line, s.refused)
	case at.Before(s.known):
		r.progress.skipped++
	default:
		r.batch = append(r.batch, next)
	}
	return nil
}

// await waits until a reading of the given time is due, and sends what is due before.
func (r *replayer) await(ctx context.Context, at time.Time, line int) error {
	if r.Speed == 0 {
		return ctx.Err()
	}
	if r.started.real.IsZero() {
		r.started.real, r.started.recorded = time.Now(), at
	}
	due := r.started.real.Add(time.Duration(float64(at.Sub(r.started.recorded)) / r.Speed))
	if time.Until(due) < sendAhead {
		return ctx.Err()
	}
	if err := r.flush(ctx); err != nil {
		return err
	}
	r.unsent = line
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Until(due)):
		return nil
	}
}

// interruptible is a reader whose Read returns when ctx ends. Nothing ends a read from a terminal or pipe
// that brings nothing: its goroutine stays until it does, or until the process ends.
type interruptible struct {
	ctx context.Context
	in  io.Reader
}

func (i interruptible) Read(b []byte) (int, error) {
	type result struct {
		buf []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		buf := make([]byte, len(b)) // b is the caller's again when ctx ends
		n, err := i.in.Read(buf)
		done <- result{buf[:n], err}
	}()
	select {
	case r := <-done:
		return copy(b, r.buf), r.err
	case <-i.ctx.Done():
		return 0, i.ctx.Err()
	}
}
