package delivery

import (
	"testing"
	"time"
)

func TestACircuitOpensIsTriedAndCloses(t *testing.T) {
	const key = "host x"
	now := time.Unix(0, 0)
	c := newCircuits(30*time.Second, time.Minute)
	fail := func(times int) {
		for range times {
			c.begin(key)
			c.end(key, false, now)
		}
	}
	expect := func(what string, lets, several bool) {
		t.Helper()
		if gotLets, gotSeveral := c.lets(key, now); gotLets != lets || gotSeveral != several {
			t.Errorf("%s: it lets %v, several %v", what, gotLets, gotSeveral)
		}
	}
	expect("at first", true, true)
	fail(opensAfter - 1)
	expect("after some failures", true, false)
	fail(1)
	expect("after enough", false, false)
	now = now.Add(30 * time.Second)
	expect("after its rest", true, false)
	c.begin(key)
	expect("while it is tried", false, false)
	c.end(key, false, now)
	now = now.Add(59 * time.Second)
	expect("within a rest twice as long", false, false)
	now = now.Add(time.Second)
	fail(1)
	if until := c.all[key].until.Sub(now); until != time.Minute {
		t.Errorf("it rests for %s, and not for the longest time", until)
	}
	now = now.Add(time.Minute)
	c.begin(key)
	c.unclear(key)
	expect("after a trial that was none", true, false)
	c.begin(key)
	c.end(key, true, now)
	expect("after it answered", true, true)
	c.leave(key, now.Add(5*time.Second))
	expect("when it wants peace", false, false)
	now = now.Add(5 * time.Second)
	expect("afterwards", true, false)
	c.forget(key)
	expect("when it was mended", true, true)
	if len(c.all) != 0 || c.open() != 0 {
		t.Errorf("%d circuits are remembered, in which nothing is wrong", len(c.all))
	}
}

func TestFewCircuitsAreRemembered(t *testing.T) {
	c := newCircuits(time.Second, time.Second)
	for i := range maxCircuits + 10 {
		c.end("host "+time.Duration(i).String(), false, time.Unix(int64(i), 0))
	}
	if _, there := c.all["host 0s"]; there || len(c.all) > maxCircuits {
		t.Errorf("%d circuits are remembered", len(c.all))
	}
}

func TestSlotsBoundWhatIsUnderWay(t *testing.T) {
	s := newSlots(Sending{All: 10, PerHost: 6, PerSubject: 5, PerChannel: 4})
	l := func(channel, subject, host, kind string) lane {
		return lane{channel: channel, subject: subject, host: host, kind: kind}
	}
	for _, step := range []struct {
		lane    lane
		several bool
		want    int
	}{
		{l("a", "anna", "x", KindWebhook), true, 4},  // one channel
		{l("a", "anna", "x", KindWebhook), true, 0},  //
		{l("b", "anna", "y", KindWebhook), true, 1},  // one subject
		{l("c", "bert", "x", KindWebhook), true, 2},  // one host
		{l("d", "bert", "z", KindWebhook), false, 1}, // one that fails
		{l("d", "bert", "z", KindWebhook), false, 0}, //
		{l("e", "carl", "z", kindPush), true, 2},     // all
	} {
		if got := s.take(step.lane, 64, step.several); got != step.want {
			t.Errorf("channel %s gets %d slots, and not %d", step.lane.channel, got, step.want)
		}
	}
	if s.free() != 0 || s.busy() != 10 {
		t.Errorf("%d are free", s.free())
	}
	s.give(l("a", "anna", "x", KindWebhook), 4)
	if got := s.take(l("f", "dora", "x", KindWebhook), 64, true); got != 4 {
		t.Errorf("what was given back is not there: %d", got)
	}
}

func TestPausesGrowAndDiffer(t *testing.T) {
	s := &Service{options: Options{Sending: Sending{Backoff: time.Second, LongestBackoff: 10 * time.Second}}}
	seen := map[time.Duration]bool{}
	for attempts := 1; attempts < 100; attempts++ {
		bound := 10 * time.Second
		if attempts < 5 {
			bound = time.Second << (attempts - 1)
		}
		p := s.pause(attempts)
		if p <= 0 || p > bound+time.Millisecond {
			t.Errorf("after %d attempts it pauses for %s", attempts, p)
		}
		seen[p] = true
	}
	if len(seen) < 90 {
		t.Error("pauses are alike")
	}
}
