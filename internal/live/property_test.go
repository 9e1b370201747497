//go:build linux

package live

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parkwire/internal/event"
)

// Whatever the bus does to messages, the log to those who ask it and clients to their connections, and whichever instance
// they come back to: each hears what lies behind its cursor and matches its filter, in order per partition, once, and
// the cursor of each event claims what was sent and nothing else.
func TestWhateverHappensEachHearsWhatItLacksOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { rapid.SyncTest(t, runWorld) })
}

func runWorld(t *rapid.T) {
	w := newWorld(t)
	defer w.stop()
	some := func(t *rapid.T) *instance { return w.instances[rapid.IntRange(0, 1).Draw(t, "instance")] }
	// who draws one of the people of whom that holds.
	who := func(t *rapid.T, holds func(*person) bool) *person {
		var people []*person
		for _, p := range w.people {
			if holds(p) {
				people = append(people, p)
			}
		}
		if len(people) == 0 {
			t.Skip("there is nobody")
		}
		return people[rapid.IntRange(0, len(people)-1).Draw(t, "person")]
	}
	connected := func(p *person) bool { return p.tap != nil }
	away := func(p *person) bool { return p.tap == nil }
	for n := range 3 {
		w.comes(t)
		w.people[n].join(t, some(t))
	}
	t.Repeat(map[string]func(*rapid.T){
		"events happen":           func(t *rapid.T) { w.write(t, rapid.IntRange(1, 12).Draw(t, "events")) },
		"events happen as always": w.happen,
		"the bridge publishes":    func(t *rapid.T) { w.publish(t, w.instances...) },
		"the bus loses":           func(t *rapid.T) { w.publish(t, some(t)) },
		"the bridge starts at what was committed": func(t *rapid.T) {
			p := rapid.IntRange(0, partitions-1).Draw(t, "partition")
			w.next[p] = rapid.Int64Range(0, w.next[p]).Draw(t, "committed")
		},
		"messages come in any order":     w.shuffled,
		"somebody claims another place":  w.forge,
		"another program says something": w.sayForeign,
		"the bus comes or goes": func(t *rapid.T) {
			i := some(t)
			i.up = !i.up
			i.tell(i.up)
		},
		"the log gets worse": func(t *rapid.T) {
			w.log.latency.Store(int64(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 300 * time.Millisecond}).Draw(t, "latency")))
			w.log.breakOff.Store(rapid.Int64Range(0, 5).Draw(t, "break off"))
			away, broken := rapid.IntRange(0, 5).Draw(t, "away") == 0, rapid.IntRange(0, 5).Draw(t, "broken") == 0
			w.log.set(func() { w.log.away, w.log.broken = away, broken })
		},
		"the log forgets": w.forget,
		"somebody comes": func(t *rapid.T) {
			w.comes(t)
			w.people[len(w.people)-1].join(t, some(t))
		},
		"somebody connects": func(t *rapid.T) {
			who(t, away).join(t, some(t))
		},
		"somebody reads a little": func(t *rapid.T) { who(t, connected).listen(t, rapid.IntRange(1, 3000).Draw(t, "bytes")) },
		"everybody reads": func(t *rapid.T) {
			for _, p := range w.people {
				p.listen(t, math.MaxInt)
			}
		},
		"somebody leaves": func(t *rapid.T) { who(t, connected).leave() },
		"somebody turns pages": func(t *rapid.T) {
			who(t, away).turnPages(t, some(t), rapid.IntRange(1, 20).Draw(t, "limit"))
		},
		"time passes": func(t *rapid.T) {
			time.Sleep(rapid.SampledFrom([]time.Duration{time.Microsecond, 30 * time.Millisecond, time.Second, 3 * time.Second}).Draw(t, "time"))
		},
		"an instance restarts": w.restart,
		"": func(t *rapid.T) {
			w.settle()
			for _, i := range w.instances {
				if have := i.have(); !w.heads().Contains(have) {
					t.Fatalf("an instance has %v; the log ends at %v", have, w.heads())
				}
			}
		},
	})
	w.finish(t)
}

// finish lets everything come back, and expects that then nobody lacks anything.
func (w *world) finish(t *rapid.T) {
	w.log.latency.Store(0)
	w.log.breakOff.Store(0)
	w.log.set(func() { w.log.away, w.log.broken = false, false })
	for _, i := range w.instances {
		if !i.up {
			i.up = true
			i.tell(true)
		}
	}
	lacks := func(p *person) []written { return w.between(p.have, w.heads(), p.wants) }
	for round := 0; slices.ContainsFunc(w.people, func(p *person) bool { return p.tap == nil || len(lacks(p)) > 0 }); round++ {
		for n, p := range w.people {
			if round > 30 && (p.tap == nil || len(lacks(p)) > 0) {
				t.Fatalf("%s with the filter %v has %v and still lacks %+v", p.name, p.query, p.have, lacks(p))
			}
			if p.tap == nil {
				p.join(t, w.instances[(n+round)%2])
			}
		}
		for range 10 {
			time.Sleep(300 * time.Millisecond)
			w.settle()
			for _, p := range w.people {
				p.listen(t, math.MaxInt)
			}
		}
	}
}

// happen is what happens all day: events, which the bridge publishes.
func (w *world) happen(t *rapid.T) {
	w.write(t, rapid.IntRange(1, 4).Draw(t, "events"))
	for p := range partitions {
		for ; w.next[p] < int64(len(w.written[p])); w.next[p]++ {
			if o := w.next[p]; w.written[p][o].event.SpotID != "" {
				w.send(w.message(p, o, w.before(p, o)), w.instances...)
			}
		}
	}
	w.settle()
}

// publish lets the bridge go on with a partition.
func (w *world) publish(t *rapid.T, to ...*instance) {
	p := rapid.IntRange(0, partitions-1).Draw(t, "partition")
	for range rapid.IntRange(1, 12).Draw(t, "messages") {
		if w.next[p] == int64(len(w.written[p])) {
			return
		}
		o := w.next[p]
		w.next[p]++
		if w.written[p][o].event.SpotID != "" {
			// The bridge knows the event before, or is new and takes what stands before for it.
			after := rapid.SampledFrom([]int64{w.before(p, o), o - 1}).Draw(t, "after")
			w.send(w.message(p, o, after), to...)
		}
	}
}

// shuffled sends messages of any place, with any offset before.
func (w *world) shuffled(t *rapid.T) {
	for range rapid.IntRange(1, 6).Draw(t, "messages") {
		p := rapid.IntRange(0, partitions-1).Draw(t, "partition")
		if len(w.written[p]) == 0 {
			continue
		}
		o := rapid.Int64Range(0, int64(len(w.written[p]))-1).Draw(t, "offset")
		if w.written[p][o].event.SpotID != "" {
			w.send(w.message(p, o, rapid.Int64Range(-1, o-1).Draw(t, "after")), w.instances...)
		}
	}
}

// forge sends a message with a place which the log does not have.
func (w *world) forge(t *rapid.T) {
	position := event.Position{Partition: int32(rapid.IntRange(partitions, 9_999).Draw(t, "partition")), Offset: 5, After: 4}
	if rapid.Bool().Draw(t, "of a partition that is there") {
		p := rapid.IntRange(0, partitions-1).Draw(t, "partition")
		// Who claims the place of the next event cannot be told from the bridge.
		position = event.Position{Partition: int32(p), Offset: int64(len(w.written[p])) + rapid.Int64Range(1_000, 1<<40).Draw(t, "beyond")}
		position.After = rapid.OneOf(rapid.Int64Range(-1, position.Offset-1), rapid.Int64Range(-1, int64(len(w.written[p])))).Draw(t, "after")
	}
	w.send(event.AppendLogPosition(nil, []byte(`{"spotId":"forged"}`), position), w.instances...)
}

func (w *world) sayForeign(t *rapid.T) {
	spot := rapid.IntRange(0, 8).Draw(t, "spot")
	w.said++
	e := event.Event{SpotID: spotID(spot), Status: "free", EventID: fmt.Sprint("foreign ", w.said)}
	for _, i := range w.instances {
		if i.up {
			i.foreign = append(i.foreign, e)
		}
	}
	w.send(fmt.Appendf(nil, "{\"spotId\":%q,\n\"status\":\"free\",\"eventId\":%q}", e.SpotID, e.EventID), w.instances...)
}

// forget lets the log lose its oldest records, as far as both instances have them.
func (w *world) forget(t *rapid.T) {
	p := rapid.IntRange(0, partitions-1).Draw(t, "partition")
	most := min(w.instances[0].have().At(int32(p)), w.instances[1].have().At(int32(p)))
	most = max(w.log.tails[p], most)
	to := rapid.OneOf(rapid.Just(most), rapid.Int64Range(w.log.tails[p], most)).Draw(t, "up to")
	w.log.set(func() { w.log.tails[p] = to })
}

// comes adds somebody who listens for the first time, and begins now, at any place of the log, or at its oldest event.
func (w *world) comes(t *rapid.T) {
	p := &person{world: w, name: fmt.Sprint("person ", len(w.people)), query: url.Values{}}
	p.encoding = rapid.SampledFrom([]encoding{encodingWebSocket, encodingWebSocketDeflate, encodingSSE}).Draw(t, "encoding")
	for _, field := range [][]string{
		{"lot", "lot-0", "lot-1", "lot-2"}, {"zone", "zone-0", "zone-1", "zone-2", "zone-3"}, {"spot", "s-000", "s-003", "s-007"}, {"status", "free", "occupied"},
	} {
		if name := field[0]; rapid.IntRange(0, 4).Draw(t, name) == 0 {
			p.query[name] = rapid.SliceOfNDistinct(rapid.SampledFrom(field[1:]), 1, 2, rapid.ID).Draw(t, name)
		}
	}
	p.have = w.tails()
	if rapid.IntRange(0, 3).Draw(t, "with a cursor") > 0 {
		at := event.Offsets{}
		for n, head := range w.heads()[:rapid.IntRange(0, partitions).Draw(t, "partitions")] {
			at = append(at, rapid.Int64Range(max(event.None, min(head, w.log.tails[n]-1)), head).Draw(t, "offset"))
		}
		p.have, p.cursor = at, event.Cursor{Topic: w.log.topic, Offsets: at}.String()
	}
	w.people = append(w.people, p)
}

// restart ends an instance, in order or at once, and starts it anew.
func (w *world) restart(t *rapid.T) {
	n := rapid.IntRange(0, len(w.instances)-1).Draw(t, "instance")
	if rapid.Bool().Draw(t, "in order") {
		w.instances[n].Drain(context.Background())
	}
	w.instances[n].end()
	<-w.instances[n].ended
	w.start(t, n)
}
