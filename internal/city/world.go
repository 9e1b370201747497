package city

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"
)

// Kind is what is to be done on the platform.
type Kind int

// The kinds.
const (
	Reading Kind = iota // of a sensor
	Close               // by an operator, as are the following
	Reopen
	Fault
	Repair
	Reserve
	EndReservation
)

// Action is one thing that happens in the city as the platform hears of it.
type Action struct {
	At        time.Duration // since the world began
	Kind      Kind
	Spot      int           // its place in Plan.Spots
	Occupied  bool          // what a Reading says
	Reference string        // of a Reserve
	For       time.Duration // how long a Reserve holds
}

// Rhythm is how often what happens. Where it is zero it never does.
type Rhythm struct {
	Report   time.Duration // each sensor repeats its reading at this interval
	Failure  time.Duration // a sensor falls silent and another one returns; mean
	Outage   time.Duration // a lot's network goes away for a while, and then all its sensors report; mean
	Operator time.Duration // an operator closes, reserves or takes out of service a spot for some minutes; mean
}

// Conditions are what a [World] is made of. The same give the same.
type Conditions struct {
	Seed uint64
	// Speed is how many times as fast as the clock the day of the city passes. The network, the sensors and the
	// operators are not accelerated: they follow the clock.
	Speed float64
	Start time.Duration // the time of day at which it begins
	Rhythm
}

// silentShare of the sensors send nothing at any time.
const silentShare = 0.02

// World is the life of a city. It has no clock: [World.Advance] is told what time it is.
type World struct {
	plan   *Plan
	c      Conditions
	random *rand.Rand

	begun   bool
	now     time.Duration
	spots   []place
	lots    []yard
	silent  []int // spots whose sensor sends nothing
	queue   queue
	seq     int
	actions []Action
}

// place is the state of a spot.
type place struct {
	occupied bool
	silent   bool
	withheld withheld
	vacancy  int // where it stands in its lot's vacant, -1: it does not
}

// withheld says why no car comes to a spot.
type withheld uint8

const (
	closed withheld = 1 << iota
	faulted
	reserved
)

// yard is the state of a lot.
type yard struct {
	vacant []int // spots that a car may come to
	taken  int
	out    bool // its network is away
}

// NewWorld draws the first state of every spot.
func NewWorld(plan *Plan, c Conditions) *World {
	w := &World{
		plan: plan, c: c, random: rand.New(rand.NewPCG(c.Seed, 2)),
		spots: make([]place, len(plan.Spots)), lots: make([]yard, len(plan.Lots)),
	}
	for i := range w.spots {
		w.spots[i].occupied = w.random.Float64() < w.profile(i).wanted(c.Start)
	}
	return w
}

// Occupied is the present state of a spot.
func (w *World) Occupied(spot int) bool { return w.spots[spot].occupied }

// Adopt replaces the first state of a spot by that of a world before. It may be called until the first Advance.
func (w *World) Adopt(spot int, occupied, isClosed, isFaulted, isReserved bool) {
	s := &w.spots[spot]
	s.occupied, s.withheld = occupied, 0
	if isClosed {
		s.withheld |= closed
	}
	if isFaulted {
		s.withheld |= faulted
	}
	if isReserved {
		s.withheld |= reserved
	}
}

// Advance lets time go on and returns what the platform hears of until then, in order. However often
// it is called, the same happens.
func (w *World) Advance(to time.Duration) []Action {
	if !w.begun {
		w.begin()
	}
	w.actions = nil
	for len(w.queue) > 0 && w.queue[0].at <= to {
		next := heap.Pop(&w.queue).(happening)
		w.now = next.at
		next.do(w, next.n)
	}
	w.now = to
	return w.actions
}

// begin schedules what happens first.
func (w *World) begin() {
	w.begun = true
	for i := range w.spots {
		s := &w.spots[i]
		s.vacancy = -1
		if s.occupied {
			w.lots[w.plan.Spots[i].Lot].taken++
			w.after(w.real(w.profile(i).remaining(w.hour(), w.random)), (*World).depart, i)
		} else {
			w.offer(i)
		}
		if s.withheld != 0 { // somebody began it before this world did
			w.after(w.between(time.Minute, 5*time.Minute), (*World).giveBack, i)
		}
		if w.c.Report > 0 {
			w.after(w.between(0, w.c.Report), (*World).report, i)
		}
	}
	for lot := range w.lots {
		w.after(w.nextCar(lot), (*World).arrive, lot)
	}
	if w.c.Failure > 0 {
		for range int(math.Round(silentShare * float64(len(w.spots)))) {
			w.silence()
		}
	}
	w.repeat(w.c.Failure, (*World).fail)
	w.repeat(w.c.Outage, (*World).breakDown)
	w.repeat(w.c.Operator, (*World).operate)
}

// arrive lets a car try a lot, and schedules the next one. The next is drawn at the greatest rate there is, and most
// are sent away again, which makes the rate follow the hour.
func (w *World) arrive(lot int) {
	w.after(w.nextCar(lot), (*World).arrive, lot)
	l, spots := &w.lots[lot], w.plan.Lots[lot].End-w.plan.Lots[lot].First
	rate := w.plan.Lots[lot].profile.arrivals(w.hour(), l.taken, spots)
	if w.random.Float64()*rush*float64(spots) > rate {
		return
	}
	// Spots for some are looked for by less cars than others.
	for range 3 {
		if len(l.vacant) == 0 {
			return
		}
		spot := l.vacant[w.random.IntN(len(l.vacant))]
		if w.plan.Spots[spot].Category == "standard" || w.random.Float64() < 0.5 {
			w.park(spot)
			return
		}
	}
}

// park puts a car on a spot.
func (w *World) park(spot int) {
	s := &w.spots[spot]
	w.withdraw(spot)
	s.occupied = true
	w.lots[w.plan.Spots[spot].Lot].taken++
	w.after(w.real(w.profile(spot).stay(w.hour(), w.random)), (*World).depart, spot)
	w.sense(spot)
}

func (w *World) depart(spot int) {
	s := &w.spots[spot]
	s.occupied = false
	w.lots[w.plan.Spots[spot].Lot].taken--
	if s.withheld == 0 {
		w.offer(spot)
	}
	w.sense(spot)
}

// offer puts a spot among those that cars may come to; withdraw takes it out.
func (w *World) offer(spot int) {
	s, l := &w.spots[spot], &w.lots[w.plan.Spots[spot].Lot]
	if s.occupied || s.withheld != 0 || s.vacancy >= 0 {
		return
	}
	s.vacancy = len(l.vacant)
	l.vacant = append(l.vacant, spot)
}

func (w *World) withdraw(spot int) {
	s, l := &w.spots[spot], &w.lots[w.plan.Spots[spot].Lot]
	if s.vacancy < 0 {
		return
	}
	last := l.vacant[len(l.vacant)-1]
	l.vacant[s.vacancy] = last
	w.spots[last].vacancy = s.vacancy
	l.vacant = l.vacant[:len(l.vacant)-1]
	s.vacancy = -1
}

func (w *World) profile(spot int) *profile { return w.plan.Lots[w.plan.Spots[spot].Lot].profile }

// hour is the time of day in the city.
func (w *World) hour() time.Duration {
	return (w.c.Start + time.Duration(float64(w.now)*w.c.Speed)) % day
}

// real is how long something of the city's day takes by the clock.
func (w *World) real(d time.Duration) time.Duration { return time.Duration(float64(d) / w.c.Speed) }

// nextCar draws when the next car may come to a lot.
func (w *World) nextCar(lot int) time.Duration {
	spots := w.plan.Lots[lot].End - w.plan.Lots[lot].First
	return w.real(time.Duration(w.random.ExpFloat64() / (rush * float64(spots)) * float64(time.Hour)))
}

func (w *World) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.random.Float64()*float64(most-least))
}

// after schedules something.
func (w *World) after(d time.Duration, do func(*World, int), n int) {
	w.seq++
	heap.Push(&w.queue, happening{w.now + d, w.seq, do, n})
}

// repeat schedules something again and again, at intervals that are random about a mean; never where that is 0.
func (w *World) repeat(mean time.Duration, do func(*World)) {
	if mean == 0 {
		return
	}
	w.after(w.between(mean/2, mean*3/2), func(w *World, _ int) {
		do(w)
		w.repeat(mean, do)
	}, 0)
}

// happening is something that will happen to spot or lot n.
type happening struct {
	at  time.Duration
	seq int // orders what happens at once
	do  func(w *World, n int)
	n   int
}

// queue is a heap of what happens next.
type queue []happening

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(happening)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
