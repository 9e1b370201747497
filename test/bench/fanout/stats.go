package main

import (
	"fmt"
	"math"
	"slices"

	"parkwire/test/bench/document"
)

// spread is the least, the middle and the most of some figures; NaN of none.
type spread struct{ min, median, max float64 }

func spreadOf(values []float64) spread {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(values) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	n := len(values)
	return spread{values[0], (values[(n-1)/2] + values[n/2]) / 2, values[n-1]}
}

// ratio divides figures of the same round, in which both met the machine in the same mood.
func ratio(of, by map[int]float64) spread {
	var all []float64
	for round, v := range of {
		if w, ok := by[round]; ok && w > 0 {
			all = append(all, v/w)
		}
	}
	return spreadOf(all)
}

// figures of one contender, by round.
type figures map[int]float64

func (f figures) spread() spread {
	var all []float64
	for _, v := range f {
		all = append(all, v)
	}
	return spreadOf(all)
}

// count writes a number with commas between thousands, to three digits that mean something.
func count(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if v >= 1000 {
		unit := math.Pow(10, math.Floor(math.Log10(v))-2)
		v = math.Round(v/unit) * unit
	}
	return document.Thousands(fmt.Sprintf("%.0f", v))
}

func times(v float64) string { return decimals(v, 2) }

func decimals(v float64, n int) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.*f", n, v)
}
