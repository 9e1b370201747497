package parking

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/problem"
)

// noon is the present in these tests; spots were last observed an hour before.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// spotThat is a free spot at version 7 that was changed by each of the given functions.
func spotThat(is ...func(*Spot)) Spot {
	s := Spot{
		ID: "A-017", LotID: "central", ZoneID: "central-L1", Category: Standard, Occupancy: Vacant, Version: 7,
		AddedAt: noon.Add(-24 * time.Hour), ChangedAt: noon.Add(-2 * time.Hour), LastObservedAt: noon.Add(-time.Hour), LastSequence: 5,
	}
	for _, f := range is {
		f(&s)
	}
	return s
}

func isTaken(s *Spot)   { s.Occupancy = Taken }
func isUnknown(s *Spot) { s.Occupancy = NotKnown }
func isLost(s *Spot)    { s.Occupancy, s.SignalLost = NotKnown, true }
func isClosed(s *Spot)  { s.Closed = true }
func isFaulted(s *Spot) { s.Faulted = true }
func isReserved(s *Spot) {
	s.Reservation = &Reservation{Reference: "R-1", ReservedAt: noon.Add(-time.Hour)}
}
func isRemoved(s *Spot) { s.Removed = true }

func heartbeat(d time.Duration) func(*Spot) { return func(s *Spot) { s.Heartbeat = d } }
func reservedUntil(t time.Time) func(*Spot) {
	return func(s *Spot) { isReserved(s); s.Reservation.Until = t }
}

// TestTheStrongestStatusWins goes through all combinations of what can hold at once.
func TestTheStrongestStatusWins(t *testing.T) {
	flags := []struct {
		set    func(*Spot)
		status event.Status
	}{ // strongest first
		{isRemoved, event.Removed}, {isClosed, event.Closed}, {isFaulted, event.OutOfService}, {isUnknown, event.Unknown},
		{isTaken, event.Occupied}, {isReserved, event.Reserved},
	}
	for set := range 1 << len(flags) {
		s, want := spotThat(), event.Free
		for i := len(flags) - 1; i >= 0; i-- { // the occupancies exclude each other: unknown, set last, is the stronger
			if set&(1<<i) != 0 {
				flags[i].set(&s)
				want = flags[i].status
			}
		}
		if got := s.Status(); got != want {
			t.Errorf("%+v is %q; it is %q", s, got, want)
		}
	}
}

// happened is what a test expects of an event; nil of none.
type happened struct {
	change   event.Change
	was, now event.Status
}

// checkEvent checks e against want and against the spot before and after.
func checkEvent(t *testing.T, e *event.Event, want *happened, before, after Spot, source Source) {
	t.Helper()
	if want == nil {
		if e != nil || after.Version != before.Version || !after.ChangedAt.Equal(before.ChangedAt) {
			t.Fatalf("nothing was to be published; there is %+v and version %d", e, after.Version)
		}
		return
	}
	if e == nil {
		t.Fatalf("there is no event; %s was to come", want.change)
	}
	got := happened{e.Change, e.PreviousStatus, e.Status}
	if got != *want {
		t.Errorf("the event is %+v; %+v was to come", got, *want)
	}
	if e.Version != before.Version+1 || after.Version != e.Version {
		t.Errorf("version %d of the event and %d of the spot follow version %d", e.Version, after.Version, before.Version)
	}
	if e.SpotID != after.ID || e.LotID != after.LotID || e.ZoneID != after.ZoneID || Source(e.Source) != source || e.Status != after.Status() {
		t.Errorf("the event %+v does not describe the spot %+v", e, after)
	}
	if !e.Timestamp.Equal(noon) || !after.ChangedAt.Equal(noon) {
		t.Errorf("the event is of %v and the spot changed at %v; it was accepted at %v", e.Timestamp, after.ChangedAt, noon)
	}
}

func TestOperatorsChangeASpot(t *testing.T) {
	occupied := &happened{event.ChangeOccupied, event.Free, event.Occupied}
	for name, c := range map[string]struct {
		spot    Spot
		act     func(*Spot, time.Time) (*event.Event, error)
		want    *happened
		refused string // a word of the reason
	}{
		"occupy a free spot":            {spot: spotThat(), act: (*Spot).occupy, want: occupied},
		"occupy an occupied spot":       {spot: spotThat(isTaken), act: (*Spot).occupy},
		"occupy a reserved spot":        {spot: spotThat(isReserved), act: (*Spot).occupy, want: &happened{event.ChangeOccupied, event.Reserved, event.Occupied}},
		"occupy a spot without signal":  {spot: spotThat(isLost), act: (*Spot).occupy, want: &happened{event.ChangeOccupied, event.Unknown, event.Occupied}},
		"occupy a closed spot":          {spot: spotThat(isClosed), act: (*Spot).occupy, refused: "closed"},
		"occupy a faulted spot":         {spot: spotThat(isFaulted), act: (*Spot).occupy, refused: "out of service"},
		"release an occupied spot":      {spot: spotThat(isTaken), act: (*Spot).release, want: &happened{event.ChangeReleased, event.Occupied, event.Free}},
		"release keeps the reservation": {spot: spotThat(isTaken, isReserved), act: (*Spot).release, want: &happened{event.ChangeReleased, event.Occupied, event.Reserved}},
		"release a free spot":           {spot: spotThat(), act: (*Spot).release},
		"release a spot without signal": {spot: spotThat(isLost), act: (*Spot).release, want: &happened{event.ChangeReleased, event.Unknown, event.Free}},
		"release a closed spot":         {spot: spotThat(isTaken, isClosed), act: (*Spot).release, refused: "closed"},
		"close":                         {spot: spotThat(isTaken), act: (*Spot).close, want: &happened{event.ChangeClosed, event.Occupied, event.Closed}},
		"close what is closed":          {spot: spotThat(isClosed), act: (*Spot).close},
		"close what is faulted":         {spot: spotThat(isFaulted), act: (*Spot).close, want: &happened{event.ChangeClosed, event.OutOfService, event.Closed}},
		"reopen":                        {spot: spotThat(isClosed), act: (*Spot).reopen, want: &happened{event.ChangeReopened, event.Closed, event.Free}},
		"reopen what is faulted too":    {spot: spotThat(isClosed, isFaulted), act: (*Spot).reopen, want: &happened{event.ChangeReopened, event.Closed, event.OutOfService}},
		"reopen what is open":           {spot: spotThat(isFaulted), act: (*Spot).reopen},
		"fault":                         {spot: spotThat(isReserved), act: (*Spot).fault, want: &happened{event.ChangeFaulted, event.Reserved, event.OutOfService}},
		"fault what is closed":          {spot: spotThat(isClosed), act: (*Spot).fault, want: &happened{event.ChangeFaulted, event.Closed, event.Closed}},
		"fault what is faulted":         {spot: spotThat(isFaulted), act: (*Spot).fault},
		"repair":                        {spot: spotThat(isFaulted, isTaken), act: (*Spot).repair, want: &happened{event.ChangeRepaired, event.OutOfService, event.Occupied}},
		"repair what is closed too":     {spot: spotThat(isFaulted, isClosed), act: (*Spot).repair, want: &happened{event.ChangeRepaired, event.Closed, event.Closed}},
		"repair what works":             {spot: spotThat(isClosed), act: (*Spot).repair},
		"repair what lost its signal":   {spot: spotThat(isFaulted, isLost), act: (*Spot).repair, want: &happened{event.ChangeRepaired, event.OutOfService, event.Unknown}},
		"repair what was reserved":      {spot: spotThat(isFaulted, isReserved), act: (*Spot).repair, want: &happened{event.ChangeRepaired, event.OutOfService, event.Reserved}},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.spot
			e, err := c.act(&c.spot, noon)
			if c.refused != "" {
				checkRefused(t, err, c.refused, before, c.spot)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkEvent(t, e, c.want, before, c.spot, SourceOperator)
		})
	}
}

func checkRefused(t *testing.T, err error, word string, before, after Spot) {
	t.Helper()
	var p problem.Problem
	if !errors.As(err, &p) || p.Status != 409 || !strings.Contains(p.Detail, word) {
		t.Errorf("it was to be refused with 409 and a word about %q; there is %v", word, err)
	}
	if after != before {
		t.Errorf("what was refused changed %+v to %+v", before, after)
	}
}

// What an operator sees is newer than any reading before it, and ends the silence of the sensor.
func TestAnOperatorsLookCountsAsAnObservation(t *testing.T) {
	s := spotThat(isLost)
	e, err := s.occupy(noon)
	if err != nil || !e.ObservedAt.Equal(noon) || !s.LastObservedAt.Equal(noon) || s.SignalLost || s.LastSequence != 0 {
		t.Fatalf("%v: %+v, %+v", err, e, s)
	}
	if o, e := s.observe(Observation{SpotID: s.ID, ObservedAt: noon.Add(-time.Second)}, noon); o != late || e != nil {
		t.Errorf("a reading from before is %v with %v", o, e)
	}
	// The sensor's clock may be ahead: its last reading stays the last.
	s = spotThat(func(s *Spot) { s.LastObservedAt = noon.Add(time.Minute) })
	if _, err := s.occupy(noon); err != nil || !s.LastObservedAt.Equal(noon.Add(time.Minute)) || s.LastSequence != 5 {
		t.Errorf("%v: %+v", err, s)
	}
}

func TestASpotIsAddedWithItsFirstStatus(t *testing.T) {
	seen := noon.Add(-time.Minute)
	for _, status := range []event.Status{event.Free, event.Occupied, event.Unknown, event.Closed, event.OutOfService} {
		s := Spot{ID: "new", LotID: "central"}
		s.begin(status, seen)
		e := s.add(Spot{}, noon)
		checkEvent(t, e, &happened{event.ChangeAdded, "", status}, Spot{}, s, SourceOperator)
		if s.Version != 1 || !s.AddedAt.Equal(noon) || !e.ObservedAt.Equal(seen) {
			t.Errorf("%s: %+v, %+v", status, s, e)
		}
	}
	s := Spot{ID: "new", LotID: "central"}
	s.begin(event.Free, time.Time{})
	if e := s.add(Spot{}, noon); !e.ObservedAt.IsZero() {
		t.Errorf("nobody observed it, but the event says %v", e.ObservedAt)
	}
	if o, e := s.observe(Observation{SpotID: "new", Occupied: true, ObservedAt: noon.AddDate(-14, 0, 0)}, noon); o != accepted || e == nil {
		t.Errorf("the first reading, from years ago, is %v", o)
	}
}

// A spot that comes back goes on counting, so that no version of an id ever means two things.
func TestVersionsGoOnAfterRemoval(t *testing.T) {
	s := spotThat(isTaken, isReserved)
	before := s
	checkEvent(t, s.remove(noon), &happened{event.ChangeRemoved, event.Occupied, event.Removed}, before, s, SourceOperator)
	if s.Reservation != nil {
		t.Error("the removed spot is still reserved")
	}
	again := Spot{ID: s.ID, LotID: "elsewhere"}
	again.begin(event.Free, time.Time{})
	checkEvent(t, again.add(s, noon), &happened{event.ChangeAdded, "", event.Free}, s, again, SourceOperator)
}

func TestEditing(t *testing.T) {
	s := spotThat(isTaken)
	before := s
	if e := s.edit(s, noon); e != nil || s != before {
		t.Errorf("to edit nothing caused %+v", e)
	}
	for name, edit := range map[string]func(*Spot){
		"zone": func(s *Spot) { s.ZoneID = "" }, "name": func(s *Spot) { s.Name = "17" }, "category": func(s *Spot) { s.Category = Electric },
		"location": func(s *Spot) { s.Location = &Location{1, 2} }, "heartbeat": func(s *Spot) { s.Heartbeat = time.Hour },
	} {
		s, to := spotThat(isTaken), spotThat(isTaken)
		edit(&to)
		before := s
		checkEvent(t, s.edit(to, noon), &happened{event.ChangeEdited, event.Occupied, event.Occupied}, before, s, SourceOperator)
		if t.Failed() {
			t.Fatalf("editing the %s", name)
		}
		if e := s.edit(to, noon); e != nil {
			t.Errorf("editing the %s to what it is caused %+v", name, e)
		}
	}
	s = spotThat(func(s *Spot) { s.Location = &Location{1, 2} })
	to := s
	to.Location = &Location{1, 2}
	if e := s.edit(to, noon); e != nil {
		t.Errorf("the same place, told again, caused %+v", e)
	}
}

// The platform's clock may be set back; the time of a spot's events is not.
func TestTimeNeverGoesBack(t *testing.T) {
	s := spotThat(func(s *Spot) { s.ChangedAt = noon.Add(time.Hour) })
	if e, _ := s.close(noon); !e.Timestamp.Equal(noon.Add(time.Hour)) {
		t.Errorf("the event is of %v, before the one before it", e.Timestamp)
	}
}

func TestReserving(t *testing.T) {
	later := noon.Add(time.Hour)
	for name, c := range map[string]struct {
		spot      Spot
		reference string
		until     time.Time
		want      *happened
		refused   string
	}{
		"a free spot":                      {spotThat(), "R-1", later, &happened{event.ChangeReserved, event.Free, event.Reserved}, ""},
		"an unknown spot":                  {spotThat(isLost), "R-1", later, &happened{event.ChangeReserved, event.Unknown, event.Unknown}, ""},
		"an occupied spot":                 {spotThat(isTaken), "R-1", later, nil, "occupied"},
		"a closed spot":                    {spotThat(isClosed), "R-1", later, nil, "closed"},
		"a faulted spot":                   {spotThat(isFaulted), "R-1", later, nil, "out of service"},
		"what another one has":             {spotThat(isReserved), "R-2", later, nil, "reserved already"},
		"what another one has, with time":  {spotThat(reservedUntil(later)), "R-2", later, nil, "until 2026-11-24T13:00:00.000Z"},
		"again":                            {spotThat(isReserved), "R-1", time.Time{}, nil, ""},
		"again, where its vehicle stands":  {spotThat(isReserved, isTaken), "R-1", time.Time{}, nil, ""},
		"again until another time":         {spotThat(isReserved), "R-1", later, &happened{event.ChangeReserved, event.Reserved, event.Reserved}, ""},
		"longer, where its vehicle stands": {spotThat(isReserved, isTaken), "R-1", later, nil, "occupied"},
		"what is about to end":             {spotThat(reservedUntil(noon)), "R-2", later, &happened{event.ChangeReserved, event.Reserved, event.Reserved}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.spot
			e, err := c.spot.reserve(c.reference, c.until, noon)
			if c.refused != "" {
				checkRefused(t, err, c.refused, before, c.spot)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkEvent(t, e, c.want, before, c.spot, SourceOperator)
			if r := c.spot.Reservation; r.Reference != c.reference || !r.Until.Equal(c.until) {
				t.Errorf("the reservation is %+v", r)
			}
		})
	}
	s := spotThat(isReserved)
	if _, err := s.reserve("R-1", later, noon); err != nil || !s.Reservation.ReservedAt.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%v: a longer reservation began at %v", err, s.Reservation.ReservedAt)
	}
}

func TestEndingAReservation(t *testing.T) {
	for name, c := range map[string]struct {
		spot Spot
		want *happened
	}{
		"of a free spot":      {spotThat(isReserved), &happened{event.ChangeReservationEnded, event.Reserved, event.Free}},
		"of an occupied spot": {spotThat(isReserved, isTaken), &happened{event.ChangeReservationEnded, event.Occupied, event.Occupied}},
		"where there is none": {spotThat(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.spot
			checkEvent(t, c.spot.endReservation(SourceOperator, noon), c.want, before, c.spot, SourceOperator)
		})
	}
}
