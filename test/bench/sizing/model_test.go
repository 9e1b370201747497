//go:build linux

package main

import (
	"math"
	"testing"
)

func TestALawIsFoundAgain(t *testing.T) {
	of := []string{"process", "change/s", "client"}
	var rows [][]float64
	var measured []float64
	for _, clients := range []float64{1_000, 10_000, 50_000} {
		for _, changes := range []float64{6, 60, 750} {
			rows = append(rows, []float64{3, changes, clients})
			measured = append(measured, 3*20e6+400*changes+450*clients)
		}
	}
	l := fit(of, rows, measured)
	for i, want := range []float64{20e6, 400, 450} {
		if math.Abs(l.Each[i]-want) > want*1e-6 {
			t.Errorf("a %s needs %g, found %g", of[i], want, l.Each[i])
		}
	}
	if l.Error > 1e-6 {
		t.Errorf("the law explains everything, but says that it errs by %g", l.Error)
	}
	if got, want := l.at(10, 100, 1_000_000), 10*20e6+400*100+450*1_000_000.0; math.Abs(got-want) > 1 {
		t.Errorf("for other sizes it says %g, not %g", got, want)
	}
}

func TestWhatNeedsLessTheMoreThereIsIsNoise(t *testing.T) {
	rows := [][]float64{{1, 10}, {1, 20}, {1, 30}}
	l := fit([]string{"process", "change/s"}, rows, []float64{5, 4.9, 5.1 - 0.4})
	if l.Each[1] != 0 {
		t.Errorf("a change needs %g", l.Each[1])
	}
	if math.Abs(l.Each[0]-(5+4.9+4.7)/3) > 1e-9 {
		t.Errorf("a process needs the mean, found %g", l.Each[0])
	}
}

func TestAQuantityThatIsNeverThereNeedsNothing(t *testing.T) {
	l := fit(ofMemory, [][]float64{{1, 6, 0}, {1, 750, 0}}, []float64{106, 850})
	if l.Each[2] != 0 || math.Abs(l.at(1, 60, 0)-160) > 1e-6 {
		t.Errorf("found %v", l)
	}
}
