package verify

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestABookTellsMissingRepeatedAndBackwards(t *testing.T) {
	for name, one := range map[string]struct {
		came                      []uint32
		lost, repeated, unordered int
	}{
		"all":                   {came: []uint32{1, 2, 3, 4, 5, 6}},
		"nothing":               {lost: 6},
		"the last is missing":   {came: []uint32{1, 2, 3, 4, 5}, lost: 1},
		"a hole":                {came: []uint32{1, 2, 5, 6}, lost: 2},
		"the first are missing": {came: []uint32{4, 5, 6}, lost: 3},
		"a hole, filled later":  {came: []uint32{1, 2, 6, 4, 3, 5}, unordered: 3},
		"half filled":           {came: []uint32{1, 6, 3}, lost: 3, unordered: 1},
		"filled twice":          {came: []uint32{1, 6, 3, 3}, lost: 3, unordered: 1, repeated: 1},
		"repeated":              {came: []uint32{1, 1, 2, 3, 4, 2, 5, 6, 6}, repeated: 3},
		"beyond what is known":  {came: []uint32{1, 2, 3, 4, 5, 6, 7, 8}},
	} {
		s := &spot{}
		s.acknowledged.Store(6)
		b := book{seen: make([]uint32, 1)}
		count := map[verdict]int{}
		for _, version := range one.came {
			count[b.see(0, version)]++
		}
		lost := 0
		b.missing([]*spot{s}, func(h hole) { lost += int(h.to - h.from + 1) })
		if lost != one.lost || count[repeated] != one.repeated || count[outOfOrder] != one.unordered {
			t.Errorf("%s: lost %d, repeated %d, out of order %d", name, lost, count[repeated], count[outOfOrder])
		}
		if b.complete([]*spot{s}) != (one.lost == 0) {
			t.Errorf("%s: complete is %v", name, b.complete([]*spot{s}))
		}
	}
}

func TestABookOfVeryManyHolesStaysSmallAndCountsThem(t *testing.T) {
	s := &spot{}
	s.acknowledged.Store(10_000)
	b := book{seen: make([]uint32, 1)}
	for version := uint32(2); version <= 10_000; version += 2 {
		b.see(0, version)
	}
	lost := int64(0)
	lost += b.missing([]*spot{s}, func(h hole) { lost += int64(h.to - h.from + 1) })
	if lost != 5000 || len(b.holes) > maxHoles {
		t.Errorf("lost %d, %d notes", lost, len(b.holes))
	}
}

func TestQuantilesAreRightToAThirtySecond(t *testing.T) {
	var h, half histogram
	var all []time.Duration
	for i := range 20_000 {
		d := time.Duration(rand.ExpFloat64() * float64(50*time.Millisecond))
		all = append(all, d)
		if i%2 == 0 {
			h.add(d)
		} else {
			half.add(d)
		}
	}
	h.include(&half)
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.95, 0.99, 1} {
		want := all[min(int(q*20_000), 19_999)]
		if got := h.quantile(q); got < want-time.Microsecond || got > want+want/fine+time.Microsecond {
			t.Errorf("quantile %v is %v; it is %v", q, got, want)
		}
	}
	if (&histogram{}).quantile(0.5) != 0 {
		t.Error("nothing has a quantile")
	}
	h.add(-time.Second)
	h.add(1000 * time.Hour)
	if h.quantile(1) != longest {
		t.Errorf("the longest is %v", h.quantile(1))
	}
}

func TestASpotRemembersWhenTheLastRequestsBegan(t *testing.T) {
	s := makeSpots("lot", 1, 0.001)[0]
	n := int64(len(s.begun))
	for version := int64(1); version <= n+1; version++ {
		s.begin(version, time.Duration(version))
	}
	if _, known := s.began(1); known {
		t.Error("the first request is remembered though its place was taken")
	}
	if at, known := s.began(2); !known || at != 2 {
		t.Errorf("the second began at %v, %v", at, known)
	}
	if _, known := s.began(n + 2); known {
		t.Error("a request is remembered that was not made")
	}
}

func TestAFaultBeginsBeforeItIsNoticedAndEndsWhenAllIsCalm(t *testing.T) {
	l := newTimeline()
	l.lost(10 * time.Second)
	l.calm(15 * time.Second) // a client has no connection yet
	l.found(16 * time.Second)
	l.trouble(17 * time.Second)
	l.calm(18 * time.Second)
	l.calm(19 * time.Second)
	l.trouble(40 * time.Second)
	for when, want := range map[time.Duration]string{0: "before", 8 * time.Second: "before", 9 * time.Second: "fault", 18 * time.Second: "fault",
		19 * time.Second: "after", 38 * time.Second: "after", 39 * time.Second: "fault", time.Hour: "fault"} {
		if got := l.at(when).kind; got != want {
			t.Errorf("%v is %s", when, got)
		}
	}
	l.mark(50 * time.Second)
	l.lost(60 * time.Second)
	if got := l.current().kind; got != "mark" {
		t.Errorf("the operator's phase became %s", got)
	}
	for range 2 * maxPhases {
		l.mark(time.Minute)
	}
	if n := len(*l.phases.Load()); n > maxPhases {
		t.Errorf("there are %d phases", n)
	}
}
