package parking

import (
	"testing"
	"time"

	"parkwire/internal/event"
)

func TestReadings(t *testing.T) {
	last := noon.Add(-time.Hour) // sequence 5
	occupied, released := &happened{event.ChangeOccupied, event.Free, event.Occupied}, &happened{event.ChangeReleased, event.Occupied, event.Free}
	for name, c := range map[string]struct {
		spot     Spot
		occupied bool
		at       time.Time
		sequence int64
		outcome  outcome
		want     *happened
		moves    bool // the time of the last observation
	}{
		"newer and different":                 {spotThat(), true, noon, 0, accepted, occupied, true},
		"newer and different, free":           {spotThat(isTaken), false, noon, 0, accepted, released, true},
		"newer and the same":                  {spotThat(isTaken), true, noon, 0, unchanged, nil, true},
		"older":                               {spotThat(), true, last.Add(-time.Millisecond), 9, late, nil, false},
		"older and the same":                  {spotThat(), false, last.Add(-time.Millisecond), 9, late, nil, false},
		"of the same time and the same":       {spotThat(), false, last, 0, unchanged, nil, false},
		"of the same time but different":      {spotThat(), true, last, 0, late, nil, false},
		"of the same time and sequence":       {spotThat(), true, last, 5, late, nil, false},
		"of the same time, the next sequence": {spotThat(), true, last, 6, accepted, occupied, false},
		"of the same time, the next, same":    {spotThat(), false, last, 6, unchanged, nil, false},
		"a little in the future":              {spotThat(), true, noon.Add(maxAhead), 0, accepted, occupied, true},
		"far in the future":                   {spotThat(), true, noon.Add(maxAhead + 1), 0, inFuture, nil, false},
		"free on a reserved spot, same":       {spotThat(isReserved), false, noon, 0, unchanged, nil, true},
		"free on an occupied reserved spot":   {spotThat(isReserved, isTaken), false, noon, 0, accepted, &happened{event.ChangeReleased, event.Occupied, event.Reserved}, true},
		"occupied on a reserved spot":         {spotThat(isReserved), true, noon, 0, accepted, &happened{event.ChangeOccupied, event.Reserved, event.Occupied}, true},
		"on a closed spot":                    {spotThat(isClosed), true, noon, 0, accepted, nil, true},
		"on a faulted spot":                   {spotThat(isFaulted, isTaken), false, noon, 0, accepted, nil, true},
		"the first on an unknown spot":        {spotThat(isUnknown), false, noon, 0, accepted, &happened{event.ChangeReleased, event.Unknown, event.Free}, true},
		"after silence":                       {spotThat(isLost), true, noon, 0, accepted, &happened{event.ChangeSignalRestored, event.Unknown, event.Occupied}, true},
		"after silence, reserved":             {spotThat(isLost, isReserved), false, noon, 0, accepted, &happened{event.ChangeSignalRestored, event.Unknown, event.Reserved}, true},
		"after silence, closed":               {spotThat(isLost, isClosed), true, noon, 0, accepted, nil, true},
		"the last one again, after silence":   {spotThat(isLost), false, last, 5, late, nil, false},
		"a late one, after silence":           {spotThat(isLost), false, last.Add(-1), 0, late, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.spot
			outcome, e := c.spot.observe(Observation{SpotID: "A-017", Occupied: c.occupied, ObservedAt: c.at, Sequence: c.sequence, SensorID: "s-9"}, noon)
			if outcome != c.outcome {
				t.Fatalf("the reading is %v (%d); it is %v (%d)", outcome, outcome, c.outcome, c.outcome)
			}
			checkEvent(t, e, c.want, before, c.spot, SourceSensor)
			if e != nil && !e.ObservedAt.Equal(c.at) {
				t.Errorf("the event was observed at %v, the reading at %v", e.ObservedAt, c.at)
			}
			if moved := !c.spot.LastObservedAt.Equal(before.LastObservedAt); moved != c.moves {
				t.Errorf("the last observation was at %v and now is at %v", before.LastObservedAt, c.spot.LastObservedAt)
			}
			switch {
			case outcome == late || outcome == inFuture:
				if c.spot != before {
					t.Errorf("a reading that is %v changed %+v to %+v", outcome, before, c.spot)
				}
			case outcome == accepted:
				if (c.spot.Occupancy == Taken) != c.occupied || c.spot.SignalLost || c.spot.LastSequence != c.sequence || c.spot.SensorID != "s-9" {
					t.Errorf("the reading is not in the state: %+v", c.spot)
				}
			}
		})
	}
}

// What sensors said while the spot was closed shows when it is reopened.
func TestReadingsOnAClosedSpotShowWhenItReopens(t *testing.T) {
	s := spotThat(isClosed)
	if o, e := s.observe(Observation{Occupied: true, ObservedAt: noon}, noon); o != accepted || e != nil || s.Version != 7 {
		t.Fatalf("%v, %+v, version %d", o, e, s.Version)
	}
	if e, _ := s.reopen(noon); e.Status != event.Occupied || e.Version != 8 {
		t.Errorf("reopened with %+v", e)
	}
}

func TestWhatIsDueByTime(t *testing.T) {
	lost := func(was event.Status) []happened { return []happened{{event.ChangeSignalLost, was, event.Unknown}} }
	hour := time.Hour // since the last observation
	for name, c := range map[string]struct {
		spot Spot
		lot  time.Duration
		want []happened
	}{
		"no interval, no supervision":         {spotThat(), 0, nil},
		"silent past the lot's interval":      {spotThat(isTaken), hour - 1, lost(event.Occupied)},
		"just within the interval":            {spotThat(), hour, nil},
		"the spot's interval is the stronger": {spotThat(heartbeat(2 * hour)), time.Minute, nil},
		"silent past the spot's interval":     {spotThat(heartbeat(time.Minute)), 0, lost(event.Free)},
		"unknown already":                     {spotThat(isUnknown), time.Minute, nil},
		"never observed, counted from adding": {spotThat(func(s *Spot) { s.LastObservedAt = time.Time{} }), 23 * hour, lost(event.Free)},
		"just added":                          {spotThat(func(s *Spot) { s.LastObservedAt, s.AddedAt = time.Time{}, noon }), time.Second, nil},
		"closed: kept, not published":         {spotThat(isClosed), time.Minute, []happened{}},
		"a reservation that is over":          {spotThat(reservedUntil(noon)), 0, []happened{{event.ChangeReservationEnded, event.Reserved, event.Free}}},
		"a reservation that is not":           {spotThat(reservedUntil(noon.Add(1))), 0, nil},
		"a reservation without an end":        {spotThat(isReserved), 0, nil},
		"both": {spotThat(reservedUntil(noon)), time.Minute, []happened{
			{event.ChangeReservationEnded, event.Reserved, event.Free}, {event.ChangeSignalLost, event.Free, event.Unknown}}},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.spot
			events := c.spot.elapse(c.lot, noon)
			if len(events) != len(c.want) {
				t.Fatalf("there are %d events; %v were to come", len(events), c.want)
			}
			for i, e := range events {
				if got := (happened{e.Change, e.PreviousStatus, e.Status}); got != c.want[i] {
					t.Errorf("the event is %+v; it is %+v", got, c.want[i])
				}
				if e.Source != string(SourceSystem) || e.Version != before.Version+int64(i)+1 {
					t.Errorf("%+v", e)
				}
			}
			if c.want == nil && c.spot != before {
				t.Errorf("nothing was due, but %+v became %+v", before, c.spot)
			}
			if name == "closed: kept, not published" && !c.spot.SignalLost {
				t.Error("the silence was not kept")
			}
		})
	}
}
