//go:build linux

package main

import (
	"math"
	"slices"
)

// A law says what a service needs as a sum of parts, each in proportion to one quantity.
type law struct {
	Of    []string  // the quantities
	Each  []float64 // what one of each needs
	Error float64   // root of the mean squared difference from what was measured, relative to the mean of that
}

// at is what it says for the quantities.
func (l law) at(values ...float64) (sum float64) {
	for i, v := range values {
		sum += l.Each[i] * v
	}
	return sum
}

// fit finds the law with the least sum of squares whose parts are not negative: a quantity of which more would need less is noise, and
// is left out (an active set, as Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23, in its simplest form, which
// suffices for two to four quantities). Each row holds the quantities of one measurement.
func fit(of []string, rows [][]float64, measured []float64) law {
	active := make([]int, len(of))
	for i := range active {
		active[i] = i
	}
	each := make([]float64, len(of))
	for len(active) > 0 {
		found := solve(active, rows, measured)
		least := slices.Index(found, slices.Min(found))
		if found[least] >= 0 {
			for i, quantity := range active {
				each[quantity] = found[i]
			}
			break
		}
		active = slices.Delete(active, least, least+1)
	}
	l := law{Of: of, Each: each}
	var squares, sum float64
	for i, row := range rows {
		squares += math.Pow(l.at(row...)-measured[i], 2)
		sum += measured[i]
	}
	if sum > 0 {
		n := float64(len(rows))
		l.Error = math.Sqrt(squares/n) / (sum / n)
	}
	return l
}

// solve is the least squares for some of the quantities, by the normal equations. Quantities are scaled first, as they are of very
// different size; one that never changes apart from another gets nothing.
func solve(active []int, rows [][]float64, measured []float64) []float64 {
	n := len(active)
	scale := make([]float64, n)
	for i, quantity := range active {
		for _, row := range rows {
			scale[i] = max(scale[i], math.Abs(row[quantity]))
		}
		if scale[i] == 0 {
			scale[i] = 1
		}
	}
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n+1)
		for r, row := range rows {
			v := row[active[i]] / scale[i]
			for j := range n {
				m[i][j] += v * row[active[j]] / scale[j]
			}
			m[i][n] += v * measured[r]
		}
	}
	for i := range n {
		pivot := i
		for j := i + 1; j < n; j++ {
			if math.Abs(m[j][i]) > math.Abs(m[pivot][i]) {
				pivot = j
			}
		}
		m[i], m[pivot] = m[pivot], m[i]
		if math.Abs(m[i][i]) < 1e-12 {
			continue
		}
		for j := range n {
			if j != i {
				by := m[j][i] / m[i][i]
				for k := i; k <= n; k++ {
					m[j][k] -= by * m[i][k]
				}
			}
		}
	}
	found := make([]float64, n)
	for i := range n {
		if math.Abs(m[i][i]) >= 1e-12 {
			found[i] = m[i][n] / m[i][i] / scale[i]
		}
	}
	return found
}

// A model is a law for the cores and one for the memory of each service.
type model struct{ cores, memory map[string]law }

// What each law counts. A service that has no clients does not depend on them.
var (
	ofCores  = []string{"process", "change/s", "delivery/s", "client"}
	ofMemory = []string{"process", "change/s", "client"}
)

// quantities are those of a service in a point, for its cores and for its memory.
func (p point) quantities(service string) (cores, memory []float64) {
	if service == "notifications" {
		n := float64(p.Instances)
		return []float64{n, p.Changes * n, p.Deliveries, float64(p.Clients)}, []float64{n, p.Changes * n, float64(p.Clients)} // each instance hears of all changes
	}
	return []float64{1, p.Changes, 0, 0}, []float64{1, p.Changes, 0}
}

func modelOf(points []point) model {
	m := model{map[string]law{}, map[string]law{}}
	for _, service := range services {
		var rows, spaces [][]float64
		var cores, memory []float64
		for _, p := range points {
			row, space := p.quantities(service)
			rows, spaces = append(rows, row), append(spaces, space)
			cores, memory = append(cores, p.Cores[service]), append(memory, p.Memory[service])
		}
		m.cores[service], m.memory[service] = fit(ofCores, rows, cores), fit(ofMemory, spaces, memory)
	}
	return m
}

// needs is what a service needs by the model: cores and bytes.
func (m model) needs(service string, p point) (cores, memory float64) {
	row, space := p.quantities(service)
	return m.cores[service].at(row...), m.memory[service].at(space...)
}
