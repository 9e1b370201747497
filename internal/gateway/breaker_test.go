package gateway

import (
	"testing"
	"time"
)

func TestABreakerRestsWhenHalfOfTheOutcomesAreFailures(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	for name, c := range map[string]struct {
		outcomes string // .: answered, x: failed, ?: unclear
		rests    bool
	}{
		"too few to tell":                {"xxxxxxxxx", false},
		"ten failures":                   {"xxxxxxxxxx", true},
		"less than half":                 {"xxx.......xx......xx", false},
		"half of ten":                    {".x.x.x.x.x", true},
		"half of the last twenty":        {"....................xxxxxxxxxx", true},
		"what is unclear does not count": {"xxxxx????????????????????", false},
		"long ago":                       {"xxxx....................xxxxxxxxx", false},
	} {
		var b breaker
		for _, o := range c.outcomes {
			if !b.lets(now) {
				break
			}
			b.report(now, map[rune]outcome{'.': answered, 'x': failed, '?': unclear}[o], b.begin(now))
		}
		if b.lets(now) == c.rests {
			t.Errorf("%s: it rests: %v", name, !c.rests)
		}
	}
}

// broken is a breaker that has just begun to rest.
func broken(t *testing.T, now time.Time) *breaker {
	t.Helper()
	b := &breaker{}
	for range breakerLeast {
		b.report(now, failed, b.begin(now))
	}
	if b.lets(now) || b.lets(now.Add(firstPause-1)) {
		t.Fatal("it does not rest")
	}
	return b
}

func TestAfterARestOneRequestTriesIt(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	b := broken(t, now)
	now = now.Add(firstPause)
	if !b.lets(now) || !b.begin(now) || b.lets(now) || b.begin(now) {
		t.Fatal("not exactly one is let in")
	}
	b.report(now, answered, false) // what began before
	if b.lets(now) {
		t.Error("another's answer counts as that of the trial")
	}
	b.report(now, unclear, true) // its client left
	if !b.begin(now) {
		t.Fatal("nobody else may try")
	}
	if rests := b.report(now, failed, true); rests != 2*firstPause || b.lets(now.Add(2*firstPause-1)) {
		t.Errorf("after another failure it rests %v", rests)
	}
	for range 10 {
		now = now.Add(longestPause)
		b.report(now, failed, b.begin(now))
	}
	if b.pause != longestPause {
		t.Errorf("it rests %v", b.pause)
	}
	now = now.Add(longestPause)
	b.report(now, answered, b.begin(now))
	for range breakerLeast - 1 {
		b.report(now, failed, b.begin(now))
	}
	if !b.lets(now) {
		t.Error("what was before the trial counts still")
	}
}

func TestWhatIsAskedTwiceIsAFifth(t *testing.T) {
	a, spent := newAllowance(), 0
	for range 1000 {
		a.earn()
		if a.spend() {
			spent++
		}
	}
	if most := mostAllowed + 200; spent > most || spent < most-5 {
		t.Errorf("of 1000 %d may be repeated, not some %d", spent, most)
	}
}
