package live

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

func TestEveryClientGetsWhatItsFilterMatchesAndNothingElse(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, nil)
		filters := map[string]struct {
			query []string
			match func(frame) bool
		}{
			"everything":      {nil, func(frame) bool { return true }},
			"a lot":           {[]string{"lot", "lot-1"}, func(f frame) bool { return f.LotID == "lot-1" }},
			"two lots":        {[]string{"lot", "lot-1", "lot", "lot-2"}, func(f frame) bool { return f.LotID != "lot-0" }},
			"a zone":          {[]string{"zone", "zone-4"}, func(f frame) bool { return f.ZoneID == "zone-4" }},
			"a spot":          {[]string{"spot", "s-007"}, func(f frame) bool { return f.SpotID == "s-007" }},
			"a status":        {[]string{"status", "free"}, func(f frame) bool { return f.Status == "free" }},
			"a change":        {[]string{"change", "occupied"}, func(f frame) bool { return f.Change == "occupied" }},
			"a lot's changes": {[]string{"lot", "lot-0", "change", "released"}, func(f frame) bool { return f.LotID == "lot-0" && f.Change == "released" }},
			"another lot":     {[]string{"lot", "lot-0", "zone", "zone-1"}, func(frame) bool { return false }},
		}
		clients := map[string][]*listener{}
		for name, f := range filters {
			for range 3 {
				clients[name] = append(clients[name], s.webSocket(f.query...), s.sse("", f.query...))
			}
		}
		for i := range 300 {
			s.write(i * 7 % 12)
		}
		all := clients["everything"][0].count(300)
		gapless(t, "everything", all, nil)
		for name, f := range filters {
			want := slices.DeleteFunc(slices.Clone(all), func(e frame) bool { return !f.match(e) })
			for _, l := range clients[name] {
				got := l.count(len(want))
				same := slices.EqualFunc(got, want, func(a, b frame) bool { return a.raw == b.raw })
				if !same {
					t.Errorf("%s: %s got %d frames that are not the %d that match", name, l.name, len(got), len(want))
				}
				for _, f := range got {
					if strings.HasPrefix(l.name, "SSE") && f.id != f.Cursor {
						t.Fatalf("%s: the id %q is not the cursor %q", l.name, f.id, f.Cursor)
					}
				}
			}
		}
		events := s.service.metrics.events // some may have been fetched before the bus brought them
		s.eventually("a count of 300", func() bool {
			return testutil.ToFloat64(events.WithLabelValues("bus"))+testutil.ToFloat64(events.WithLabelValues("log")) == 300
		})
	})
}

// Clients come with cursors of every age while writing goes on. Part of what they missed is in memory, part in the log.
func TestACursorResumesWithoutGapAndRepetitionWhileWritingGoesOn(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		for name, memoryBytes := range map[string]int64{"from memory": 64 << 20, "from the log and memory": 100 << 10, "from the log": 1} {
			t.Run(name, func(t *testing.T) {
				s := start(t, func(o *Options) { o.MemoryBytes = memoryBytes })
				first := s.webSocket()
				for i := range 400 {
					s.write(i % 12)
				}
				history := first.count(400)
				stop := make(chan struct{})
				var writer sync.WaitGroup
				writer.Go(func() {
					for i := range 1000 {
						select {
						case <-stop:
							return
						case <-time.After(time.Millisecond):
							s.write(i % 12)
						}
					}
				})
				type resumed struct {
					*listener
					have map[string]int64
				}
				var clients []resumed
				for range 10 {
					at := rand.IntN(len(history))
					have := seen(history[:at+1])
					clients = append(clients, resumed{s.webSocket("after", history[at].Cursor), have},
						resumed{s.sse(history[at].Cursor), have}, resumed{s.sse(history[at].Cursor, "after", history[0].Cursor), have},
						resumed{s.webSocket("after", history[at].Cursor, "spot", "s-003"), have})
				}
				close(stop)
				writer.Wait()
				s.write(3)
				last := s.versions["s-003"]
				total := 0
				for _, v := range s.versions {
					total += int(v)
				}
				for _, c := range clients {
					frames := c.version(3, last)
					if strings.Contains(c.name, "s-003") {
						gapless(t, c.name, frames, c.have)
						continue
					}
					missing := total
					for _, v := range c.have {
						missing -= int(v)
					}
					gapless(t, c.name, c.count(missing), c.have)
				}
				sources := map[string]float64{}
				for _, source := range []string{"memory", "log"} {
					sources[source] = testutil.ToFloat64(s.service.metrics.resumes.WithLabelValues(source))
				}
				if sources["memory"]+sources["log"] != 40 || name == "from memory" && sources["log"] > 0 || name == "from the log" && sources["log"] < 30 {
					t.Errorf("resumed from %v", sources)
				}
			})
		}
	})
}

// The cursor of every frame, on an instance that has nothing in memory, leads to exactly what came after that frame.
func TestTheCursorOfEachFrameClaimsExactlyWhatWasSent(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, nil)
		l := s.webSocket()
		for i := range 60 {
			s.write(i * 5 % 12)
		}
		history := l.count(60)
		again := startOn(t, s.log, memoryBus(), nil)
		for at := range history {
			have := seen(history[:at+1])
			c := again.webSocket("after", history[at].Cursor)
			frames := c.count(len(history) - at - 1)
			gapless(t, c.name, frames, have)
			// And the cursors on the way, whatever the order of partitions was, are as good.
			if len(frames) > 2 {
				middle := frames[len(frames)/2]
				for k, v := range seen(frames[:len(frames)/2+1]) {
					have[k] = v
				}
				d := again.webSocket("after", middle.Cursor)
				gapless(t, d.name, d.count(len(frames)-len(frames)/2-1), have)
				d.stop()
			}
			c.stop()
		}
	})
}

func TestWhatTheBusRepeatsIsDropped(t *testing.T) {
	s := start(t, nil)
	l := s.webSocket()
	var sent [][]byte
	for i := range 20 {
		sent = append(sent, s.change(i%5))
	}
	ctx := context.Background()
	for range 3 { // as after a rebalance
		if err := s.bus.Publish(ctx, sent...); err != nil {
			t.Fatal(err)
		}
	}
	s.write(1)
	gapless(t, l.name, l.count(21), nil)
	if n := testutil.ToFloat64(s.service.metrics.duplicates); n != 40 {
		t.Errorf("%v repetitions were counted", n)
	}
}

func TestAHoleIsFilledFromTheLogBeforeWhatComesAfterIt(t *testing.T) {
	s := start(t, func(o *Options) { o.CompareInterval = time.Hour })
	l := s.webSocket()
	for i := range 30 {
		if i%7 == 3 {
			s.change(1) // lost
		} else {
			s.write(1)
		}
	}
	gapless(t, l.name, l.count(30), nil)
	if n := testutil.ToFloat64(s.service.metrics.holes.WithLabelValues("after")); n != 4 {
		t.Errorf("%v holes were counted", n)
	}
}

func TestWhatTheBusLostLastIsFoundByComparingHeads(t *testing.T) {
	s := start(t, nil)
	l := s.webSocket()
	s.write(1, 2, 3)
	l.count(3)
	counted := func() float64 { return testutil.ToFloat64(s.service.metrics.holes.WithLabelValues("heads")) }
	lost := 0
	for ; lost < 2 || counted() == 0 && lost < 20; lost++ { // one that is lost while the bus connects is not the bus's fault
		s.change(1)
		l.count(4 + lost)
	}
	gapless(t, l.name, l.count(3+lost), nil)
	if counted() == 0 {
		t.Errorf("no hole was counted where %d messages were lost", lost)
	}
}

func TestWithoutTheBusTheLogIsFollowed(t *testing.T) {
	b := newFakeBus()
	s := startOn(t, newFakeLog(4), b, func(o *Options) { o.CompareInterval = 200 * time.Millisecond })
	l, filtered := s.webSocket(), s.sse("", "spot", "s-002")
	n := 0
	for range 3 {
		for range 5 {
			s.write(1, 2, 3)
		}
		b.cut(true)
		began := time.Now()
		for range 5 {
			s.write(1, 2, 3)
		}
		n += 30
		l.count(n)
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("without the bus events came after %v", took)
		}
		s.write(1)
		b.cut(false) // with something that nobody published since
		n++
		l.count(n)
	}
	gapless(t, l.name, l.count(n), nil)
	gapless(t, filtered.name, filtered.count(30), nil)
	if n := testutil.ToFloat64(s.service.metrics.holes.WithLabelValues("heads")); n > 0 {
		t.Errorf("following the log counted as %v holes", n)
	}
}

func TestAnInstanceIsReadyWithoutTheBus(t *testing.T) {
	b := newFakeBus()
	b.away = true
	s := startOn(t, newFakeLog(4), b, nil)
	s.eventually("readiness", func() bool { return s.service.Ready() == nil })
	l := s.webSocket()
	s.write(1)
	l.count(1)
	b.cut(false)
	s.write(1)
	l.count(2)
	b.cut(true)
	if err := s.service.Ready(); err != nil {
		t.Errorf("a lost bus, for which the log stands in, makes it not ready: %v", err)
	}
}

// While the log is away nothing behind a hole is delivered, and readiness says why. Order is intact on its return.
func TestAHoleWaitsForALogThatIsAway(t *testing.T) {
	s := start(t, nil)
	l := s.webSocket()
	s.write(1)
	l.count(1)
	s.log.set(func() { s.log.away = true })
	s.change(1) // lost
	s.write(1, 1, 1)
	s.eventually("a reason", func() bool { err := s.service.Ready(); return err != nil && strings.Contains(err.Error(), "event log") })
	s.log.set(func() { s.log.away = false })
	gapless(t, l.name, l.count(5), nil)
	s.eventually("readiness", func() bool { return s.service.Ready() == nil })
}

func TestForeignEventsAreBroadcastAsTheyAre(t *testing.T) {
	s := start(t, nil)
	all, lot, other, stream := s.webSocket(), s.webSocket("lot", "lot-1"), s.webSocket("lot", "lot-2"), s.sse("")
	foreign := []string{
		`{"type":"ParkingSpotUpdated","spotId":"x-1","status":"occupied","timestamp":"2026-11-24T03:35:00Z","n":12345678901234567890}`,
		"{ \"spotId\" : \"x-2\",\r\n \"lotId\":\"lot-1\" }",
		`no JSON at all`,
	}
	for _, m := range append(foreign, "no UTF-8: \xff", strings.Repeat("x", maxForeign+1)) {
		if err := s.bus.Publish(context.Background(), []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	s.write(1, 2) // lot-1, lot-2
	for i, f := range all.count(5)[:3] {
		if f.raw != foreign[i] || f.Cursor != "" {
			t.Errorf("%q became %q", foreign[i], f.raw)
		}
	}
	if got := lot.count(2); got[0].raw != foreign[1] || got[1].SpotID != "s-001" {
		t.Errorf("the filter let through %v", got)
	}
	if got := other.count(1); got[0].SpotID != "s-002" {
		t.Errorf("the filter let through %v", got)
	}
	if got := stream.count(5); got[1].raw != strings.ReplaceAll(foreign[1], "\r\n", "\n") || got[2].raw != foreign[2] {
		t.Errorf("as server-sent events: %v", got)
	}
	if n := testutil.ToFloat64(s.service.metrics.refused); n != 2 {
		t.Errorf("%v messages were refused", n)
	}
}

// A message that claims a place which the log does not have must not make the instance skip what comes there.
func TestAForgedPositionIsLeftOut(t *testing.T) {
	s := start(t, nil)
	l := s.webSocket()
	s.write(1)
	forged := []event.Position{
		{Partition: 99, Offset: 1, After: 0}, {Partition: 1, Offset: 1 << 40, After: 1<<40 - 1},
		{Partition: 1, Offset: 1, After: 0, Topic: s.log.topic.Short() + 1}, // what a log of the same name had there before it was made again
	}
	for _, p := range forged {
		if err := s.bus.Publish(context.Background(), event.AppendLogPosition(nil, []byte(`{"spotId":"forged"}`), p)); err != nil {
			t.Fatal(err)
		}
	}
	s.write(1, 1)
	gapless(t, l.name, l.count(3), nil)
	if n := testutil.ToFloat64(s.service.metrics.refused); n != float64(len(forged)) {
		t.Errorf("%v messages were refused", n)
	}
}

func TestRecordsThatAreNoEventsArePassedOver(t *testing.T) {
	s := start(t, nil)
	l := s.webSocket()
	s.write(1)
	s.log.append(1, "no JSON")
	s.log.append(1, `{"status":"free"}`)
	s.log.append(1, "{\"spotId\":\"bad-\xff\"}")
	s.write(1)
	frames := l.count(2)
	gapless(t, l.name, frames, nil)
	resumed := startOn(t, s.log, memoryBus(), nil).webSocket("after", frames[0].Cursor)
	if got := resumed.count(1); got[0].raw != frames[1].raw {
		t.Errorf("from the log came %v; live %v", got, frames[1:])
	}
}

func TestAClientAheadOfTheInstanceGetsNothingTwice(t *testing.T) {
	b := newFakeBus()
	s := startOn(t, newFakeLog(4), b, func(o *Options) { o.CompareInterval = time.Hour })
	var lost [][]byte
	for range 3 {
		lost = append(lost, s.change(1))
	}
	l := s.webSocket("after", s.cursorAt(-1, 2, -1, -1)) // another instance has sent it all three
	time.Sleep(50 * time.Millisecond)
	for _, m := range lost {
		_ = b.Publish(context.Background(), m)
	}
	s.write(1)
	if got := l.count(1); got[0].Version != 4 {
		t.Errorf("it got version %d; it has seen 3", got[0].Version)
	}
}

func TestACursorBehindAnOpenTransactionIsNotRefused(t *testing.T) {
	b := newFakeBus()
	s := startOn(t, newFakeLog(4), b, func(o *Options) { o.CompareInterval = time.Hour })
	s.log.set(func() { s.log.hidden = 1 })
	hidden := s.change(1)
	l := s.webSocket("after", s.cursorAt(-1, 0, -1, -1)) // as it came with the state of the spots
	s.log.set(func() { s.log.hidden = 0 })
	_ = b.Publish(context.Background(), hidden)
	s.write(1)
	if got := l.count(1); got[0].Version != 2 {
		t.Errorf("it got version %d; it has seen 1", got[0].Version)
	}
}

func TestManyClientsComeAndGoWhileWritingGoesOn(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.MemoryBytes = 50 << 10 })
		first := s.webSocket()
		stop := make(chan struct{})
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(200 * time.Microsecond):
					s.write(i % 20)
				}
			}
		})
		first.count(10)
		for round := range 4 {
			var clients []*listener
			for i := range 15 {
				clients = append(clients, s.webSocket("lot", fmt.Sprint("lot-", i%3)), s.sse(first.count(10)[5].Cursor, "zone", fmt.Sprint("zone-", i%6)))
			}
			for i, c := range clients {
				if i%2 == round%2 {
					c.count(5)
				}
				c.stop()
			}
		}
		close(stop)
		writer.Wait()
		s.connected(1)
		s.service.mu.Lock()
		defer s.service.mu.Unlock()
		if subs := s.service.subs; len(subs.byKey) != 1 || len(subs.byLot)+len(subs.byZone)+len(subs.bySpot) != 0 || len(subs.rest) != 1 {
			t.Errorf("subscriptions without clients are left: %d", len(subs.byKey))
		}
	})
}

// forgetfulLog loses what stands up to offset 20 of partition 0 as soon as somebody reads.
type forgetfulLog struct{ *fakeLog }

func (l forgetfulLog) Range(ctx context.Context, from, to event.Offsets, fn func(kafkalog.Record) error) error {
	l.set(func() { l.tails[0] = 20 })
	return l.fakeLog.Range(ctx, from, to, fn)
}

// Not even the connection that ends there may leave a client with a cursor behind what was lost.
func TestWhatExpiresWhileItIsReadIsNotPassedOver(t *testing.T) {
	log := newFakeLog(4)
	s := startOn(t, log, memoryBus(), func(o *Options) { o.Log, o.MemoryBytes = forgetfulLog{log}, 1 })
	for range 40 {
		s.write(0)
	}
	s.eventually("delivery", func() bool { return s.service.have().At(0) == 39 })
	l := s.webSocket("after", s.cursorAt(5, -1, -1, -1))
	if code := l.closed(); code != int(closeCursorExpired) || len(l.frames) > 0 {
		t.Errorf("%d frames came before the end with %d", len(l.frames), code)
	}
}
