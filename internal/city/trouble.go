package city

import (
	"fmt"
	"time"
)

// Spans of what goes wrong. A network is away for less than sensors may be silent, so that its return shows what a
// storm of readings is, and not a lot full of unknown spots.
const (
	outageLeast, outageMost     = 40 * time.Second, 80 * time.Second
	stormSpan                   = 30 * time.Second
	withheldLeast, withheldMost = 2 * time.Minute, 8 * time.Minute
)

// sense lets the sensor of a spot tell what it sees, if it can.
func (w *World) sense(spot int) {
	s := &w.spots[spot]
	if !s.silent && !w.lots[w.plan.Spots[spot].Lot].out {
		w.tell(Action{Kind: Reading, Spot: spot, Occupied: s.occupied})
	}
}

func (w *World) tell(a Action) {
	a.At = w.now
	w.actions = append(w.actions, a)
}

// report repeats a reading, for as long as the world lasts.
func (w *World) report(spot int) {
	w.sense(spot)
	w.after(w.c.Report, (*World).report, spot)
}

// silence lets a sensor fail.
func (w *World) silence() {
	spot := w.random.IntN(len(w.spots))
	for w.spots[spot].silent {
		spot = w.random.IntN(len(w.spots))
	}
	w.spots[spot].silent = true
	w.silent = append(w.silent, spot)
}

// fail lets the sensor that was silent longest return, and another one fall silent.
func (w *World) fail() {
	if len(w.silent) > 0 {
		spot := w.silent[0]
		w.silent = w.silent[1:]
		w.spots[spot].silent = false
		w.sense(spot)
	}
	w.silence()
}

// breakDown takes a lot's network away for a while.
func (w *World) breakDown() {
	lot := w.random.IntN(len(w.lots))
	if w.lots[lot].out {
		return
	}
	w.lots[lot].out = true
	w.after(w.between(outageLeast, outageMost), (*World).storm, lot)
}

// storm brings it back: each of its sensors reports, and nearly all say what was known.
func (w *World) storm(lot int) {
	w.lots[lot].out = false
	for spot := w.plan.Lots[lot].First; spot < w.plan.Lots[lot].End; spot++ {
		w.after(w.between(0, stormSpan), (*World).sense, spot)
	}
}

// operate lets an operator withhold a vacant spot for some minutes.
func (w *World) operate() {
	l := &w.lots[w.random.IntN(len(w.lots))]
	if len(l.vacant) == 0 {
		return
	}
	spot := l.vacant[w.random.IntN(len(l.vacant))]
	w.withdraw(spot)
	span := w.between(withheldLeast, withheldMost)
	switch draw := w.random.Float64(); {
	case draw < 0.6:
		w.spots[spot].withheld = reserved
		w.tell(Action{Kind: Reserve, Spot: spot, Reference: fmt.Sprintf("D-%05d", w.random.IntN(100_000)), For: span + time.Minute})
	case draw < 0.8:
		w.spots[spot].withheld = closed
		w.tell(Action{Kind: Close, Spot: spot})
	default:
		w.spots[spot].withheld = faulted
		w.tell(Action{Kind: Fault, Spot: spot})
	}
	w.after(span, (*World).giveBack, spot)
}

// giveBack ends what withholds a spot. Half of those who reserved one come.
func (w *World) giveBack(spot int) {
	s := &w.spots[spot]
	was := s.withheld
	s.withheld = 0
	if was&closed != 0 {
		w.tell(Action{Kind: Reopen, Spot: spot})
	}
	if was&faulted != 0 {
		w.tell(Action{Kind: Repair, Spot: spot})
	}
	if was&reserved != 0 {
		if !s.occupied && w.random.Float64() < 0.5 {
			w.park(spot)
		}
		w.tell(Action{Kind: EndReservation, Spot: spot})
	}
	w.offer(spot)
}
