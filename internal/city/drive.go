package city

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"parkwire/internal/client"
	"parkwire/internal/event"
)

// DefaultSpeed lets a day of the city pass in an hour. At its own pace 3,000 spots change every two seconds or
// three at midday and every twenty at night; so something is to be seen each second at every hour.
const DefaultSpeed = 24

// Options configure [Run]. Client is required; its token needs the scope operate.
type Options struct {
	Client *client.Client
	Seed   uint64
	// Speed is how many times as fast as the clock the city's day passes. Default [DefaultSpeed], at most 1,440. The times of readings
	// are those of the clock in any case.
	Speed float64
	// Start is the time of day in the city at which it begins. Default 10 h, when it fills up.
	Start  time.Duration
	Logger *slog.Logger // nil: slog.Default()
}

// heartbeat is how long a sensor may be silent before the platform takes its spot as unknown.
const heartbeat = 3 * time.Minute

// rhythm is that of the demo: what is rare in a city happens while somebody looks on.
var rhythm = Rhythm{Report: time.Minute, Failure: 45 * time.Second, Outage: 4 * time.Minute, Operator: 20 * time.Second}

const (
	tick     = 250 * time.Millisecond
	maxBatch = 1000
	maxSpeed = 1440 // a day in a minute
)

// CheckSpeed says what is wrong with a speed.
func CheckSpeed(speed float64) error {
	if !(speed > 0 && speed <= maxSpeed) {
		return fmt.Errorf("the speed %v is not above 0 and up to %d; %d lets a day pass in an hour", speed, maxSpeed, DefaultSpeed)
	}
	return nil
}

// Run adds the city to the platform, or what is missing of it, and lets it live until ctx ends, which is no
// error. A city that is there already goes on from the state in which it is. What cannot be sent while the platform
// is away is not sent later: the sensors repeat their readings. It returns an error when the
// platform refuses the city or the token.
func Run(ctx context.Context, o Options) error {
	o.Speed = cmp.Or(o.Speed, DefaultSpeed)
	o.Start = cmp.Or(o.Start, 10*time.Hour)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if err := CheckSpeed(o.Speed); err != nil {
		return err
	}
	plan := NewPlan(o.Seed)
	d := driver{Options: o, plan: plan, world: NewWorld(plan, Conditions{Seed: o.Seed, Speed: o.Speed, Start: o.Start, Rhythm: rhythm})}
	err := d.build(ctx)
	if err == nil {
		o.Logger.Info("the city lives", "lots", len(plan.Lots), "spots", len(plan.Spots), "seed", o.Seed, "speed", o.Speed)
		err = d.live(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return client.Advise(err, "operate")
}

type driver struct {
	Options
	plan    *Plan
	world   *World
	failing bool // the last thing could not be sent
}

// build adds the lots, zones and spots that are not there, and takes over the state of those that are.
func (d *driver) build(ctx context.Context) error {
	for _, lot := range d.plan.Lots {
		lot.HeartbeatSeconds = int(heartbeat.Seconds())
		if err := unlessTaken(d.Client.AddLot(ctx, lot.Lot)); err != nil {
			return fmt.Errorf("adding lot %s: %w", lot.ID, err)
		}
		for _, zone := range lot.Zones {
			if err := unlessTaken(d.Client.AddZone(ctx, lot.ID, zone)); err != nil {
				return fmt.Errorf("adding zone %s: %w", zone.ID, err)
			}
		}
		there := map[string]client.Spot{}
		if err := d.Client.Spots(ctx, lot.ID, func(s client.Spot) { there[s.SpotID] = s }); err != nil {
			return fmt.Errorf("asking for the spots of lot %s: %w", lot.ID, err)
		}
		var missing []client.NewSpot
		for i := lot.First; i < lot.End; i++ {
			if s, exists := there[d.plan.Spots[i].SpotID]; exists {
				occupied := s.Occupancy == "occupied" || s.Occupancy == "unknown" && d.world.Occupied(i)
				d.world.Adopt(i, occupied, s.Closed, s.Faulted, s.Reservation != nil)
				continue
			}
			spot := d.plan.Spots[i].NewSpot
			spot.Status, spot.ObservedAt = event.Free, event.At(time.Now())
			if d.world.Occupied(i) {
				spot.Status = event.Occupied
			}
			missing = append(missing, spot)
		}
		if len(missing) == 0 {
			continue
		}
		if err := d.Client.AddSpots(ctx, lot.ID, missing); err != nil {
			return fmt.Errorf("adding the spots of lot %s: %w", lot.ID, err)
		}
	}
	return nil
}

func unlessTaken(err error) error {
	if client.Status(err) == http.StatusConflict {
		return nil
	}
	return err
}

// live sends what happens, a few times a second.
func (d *driver) live(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		now := time.Now()
		elapsed := now.Sub(began)
		// Times count back from now by the wall clock, which may have been put right since it began.
		if err := d.send(ctx, d.world.Advance(elapsed), func(a Action) time.Time { return now.Add(a.At - elapsed) }); err != nil {
			return err
		}
	}
}

// send does the actions in order, as many readings at once as there are between two acts of operators.
func (d *driver) send(ctx context.Context, actions []Action, when func(Action) time.Time) error {
	var readings []client.Observation
	flush := func() error {
		if len(readings) == 0 {
			return nil
		}
		outcome, err := d.Client.Observe(ctx, readings)
		if err == nil && outcome.Rejected > 0 && len(outcome.Errors) > 0 {
			d.Logger.Debug("the platform rejected readings", "number", outcome.Rejected, "spot", outcome.Errors[0].SpotID, "reason", outcome.Errors[0].Reason)
		}
		readings = readings[:0]
		return d.judge(ctx, err)
	}
	for _, a := range actions {
		id := d.plan.Spots[a.Spot].SpotID
		if a.Kind != Reading {
			if err := flush(); err != nil {
				return err
			}
			if err := d.judge(ctx, d.operate(ctx, id, a)); err != nil {
				return err
			}
			continue
		}
		readings = append(readings, client.Observation{SpotID: id, Occupied: a.Occupied, ObservedAt: event.At(when(a)), SensorID: "sensor-" + id})
		if len(readings) == maxBatch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (d *driver) operate(ctx context.Context, id string, a Action) error {
	action := ""
	switch a.Kind {
	case Close:
		action = "close"
	case Reopen:
		action = "reopen"
	case Fault:
		action = "fault"
	case Repair:
		action = "repair"
	case Reserve:
		return d.Client.Reserve(ctx, id, a.Reference, time.Now().Add(a.For))
	case EndReservation:
		return d.Client.EndReservation(ctx, id)
	default:
		return fmt.Errorf("an action of kind %d cannot be sent", a.Kind)
	}
	_, err := d.Client.Act(ctx, id, action)
	return err
}

// judge tells what ends the city from what a city lives with: a platform that is away for a while, and
// people who changed a spot before its operator did.
func (d *driver) judge(ctx context.Context, err error) error {
	switch status := client.Status(err); {
	case err == nil:
		d.failing = false
	case ctx.Err() != nil, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return errors.Join(ctx.Err(), err)
	case status == http.StatusConflict, status == http.StatusNotFound:
		d.Logger.Debug("the platform refused an act", "error", err)
	case !d.failing:
		d.failing = true
		d.Logger.Warn("the platform does not take what happens in the city; it is tried on", "error", err)
	}
	return nil
}
