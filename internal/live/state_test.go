//go:build linux

package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/kafkalog"
)

// slowTwin is a log whose twin takes its time too: what it says to be covered was so before it is read.
type slowTwin struct{ *roughLog }

func (l slowTwin) Spots(ctx context.Context, fn func(kafkalog.Record) error) (event.Offsets, error) {
	l.mu.Lock()
	covered := slices.Clone(l.covered)
	l.mu.Unlock()
	l.wait()
	_, err := l.fakeLog.Spots(ctx, func(r kafkalog.Record) error {
		l.wait()
		return errors.Join(ctx.Err(), fn(r))
	})
	return covered, err
}

// stateWorld is a log with its twin, which the relay writes behind it, and an instance that comes and goes.
type stateWorld struct {
	log slowTwin
	*Service
	instance *instance
	versions map[string]int64
	removed  map[string]bool
	followed event.Offsets // what of the log is in the twin
}

// newest is what the state is at some offsets: of each spot the newest version, where it is not removed.
func (w *stateWorld) newest(at event.Offsets) map[string]int64 {
	newest, removed := map[string]int64{}, map[string]bool{}
	for p, records := range w.log.partitions {
		for _, r := range records[:at.At(int32(p))+1] {
			if e, err := event.Decode(r.Value); err == nil && e.Version > newest[e.SpotID] {
				newest[e.SpotID], removed[e.SpotID] = e.Version, e.Status == event.Removed
			}
		}
	}
	maps.DeleteFunc(newest, func(spot string, _ int64) bool { return removed[spot] })
	return newest
}

func (w *stateWorld) start(t *rapid.T) {
	w.instance = &instance{inbox: bus.NewInbox(), ended: make(chan struct{})} // without the bus: the log is followed
	w.Service = New(Options{
		Log: w.log, Bus: w.instance, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Engine: EngineGoroutines,
		Authorize:   func(*http.Request) (identity.Principal, error) { return identity.Principal{}, nil },
		MemoryBytes: int64(rapid.SampledFrom([]int{1, 4 * (entryOverhead + 200), 1 << 20}).Draw(t, "memory")),
	})
	ctx, cancel := context.WithCancel(context.Background())
	w.instance.end = cancel
	go func(s *Service, ended chan struct{}) {
		defer close(ended)
		_ = s.Run(ctx)
	}(w.Service, w.instance.ended)
}

func (w *stateWorld) stop() {
	w.instance.end()
	<-w.instance.ended
}

// write appends an event of a spot, or something else.
func (w *stateWorld) write(t *rapid.T, p int) {
	spot := fmt.Sprintf("s-%d-%d", p, rapid.IntRange(0, 3).Draw(t, "spot"))
	e := event.Event{SpotID: spot, Status: event.Occupied, Version: w.versions[spot] + 1}
	switch kind := rapid.IntRange(0, 11).Draw(t, "kind"); {
	case kind == 0:
		w.log.append(p, "no event")
		return
	case kind == 1: // of another program
		e.Version = 0
	case kind == 2 && w.versions[spot] > 0 && !w.removed[spot]: // written twice
		e.Version = rapid.Int64Range(1, w.versions[spot]).Draw(t, "version")
	case kind <= 4 && w.versions[spot] > 0 && !w.removed[spot]:
		e.Status = event.Removed
		fallthrough
	default:
		w.versions[spot], w.removed[spot] = e.Version, e.Status == event.Removed
	}
	value, err := event.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	w.log.append(p, string(value))
}

// follow lets the relay write to the twin what the log has from one offset to another.
func (w *stateWorld) follow(p int, from, to int64) {
	w.log.set(func() {
		for _, r := range w.log.partitions[p][from+1 : to+1] {
			if e, err := event.Decode(r.Value); err == nil && e.Version > 0 {
				twin := kafkalog.Record{Key: []byte(e.SpotID), Value: r.Value}
				if e.Status == event.Removed {
					twin.Value = nil
				}
				w.log.twin = append(w.log.twin, twin)
			}
		}
	})
}

// Whoever takes a snapshot and then what comes behind its offsets has the state, and gets nothing of it twice: however far
// the twin is behind the log, however much of that is hidden behind a transaction, and wherever the instance starts.
func TestASnapshotAndWhatComesBehindItAreTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { rapid.SyncTest(t, runStateWorld) })
}

func runStateWorld(t *rapid.T) {
	w := &stateWorld{log: slowTwin{&roughLog{fakeLog: newFakeLog(2)}}, versions: map[string]int64{}, removed: map[string]bool{}, followed: event.NewOffsets(2)}
	w.log.covered = event.NewOffsets(2)
	some := func(t *rapid.T) int { return rapid.IntRange(0, 1).Draw(t, "partition") }
	actions := map[string]func(*rapid.T){
		"events happen": func(t *rapid.T) {
			p := some(t)
			for range rapid.IntRange(1, 8).Draw(t, "events") {
				w.write(t, p)
			}
		},
		"the relay follows": func(t *rapid.T) {
			p := some(t)
			to := rapid.Int64Range(w.followed[p], int64(len(w.log.partitions[p]))-1).Draw(t, "up to")
			w.follow(p, w.followed[p], to)
			w.followed[p] = to
		},
		"the relay says how far it follows": func(t *rapid.T) {
			p := some(t)
			w.log.set(func() { w.log.covered[p] = rapid.Int64Range(w.log.covered[p], w.followed[p]).Draw(t, "covered") })
		},
		"another relay leads": func(t *rapid.T) { // and writes again what is not certain
			p := some(t)
			w.follow(p, w.log.covered[p], w.followed[p])
		},
		"the twin is compacted": func(t *rapid.T) {
			w.log.set(func() {
				last := map[string]int{}
				for i, r := range w.log.twin {
					last[string(r.Key)] = i
				}
				var kept []kafkalog.Record
				version := func(r kafkalog.Record) int64 { e, _ := event.Decode(r.Value); return e.Version }
				for i, r := range w.log.twin {
					// Nobody can know of a version that is gone here because an older one was written behind it.
					if newest := w.log.twin[last[string(r.Key)]]; r.Value != nil && (last[string(r.Key)] == i || newest.Value != nil && version(r) > version(newest)) {
						kept = append(kept, r)
					}
				}
				w.log.twin = kept
			})
		},
		"the log forgets": func(t *rapid.T) {
			p := some(t)
			if most := min(w.log.covered[p], w.have().At(int32(p))); most > w.log.tails[p] {
				to := rapid.Int64Range(w.log.tails[p], most).Draw(t, "up to")
				w.log.set(func() { w.log.tails[p] = to })
			}
		},
		"a transaction of another program begins": func(t *rapid.T) {
			n := rapid.IntRange(1, 3).Draw(t, "records")
			w.log.set(func() { w.log.hidden += n })
			for range n {
				w.write(t, 0)
				w.write(t, 1)
			}
		},
		"it ends": func(t *rapid.T) { w.log.set(func() { w.log.hidden = 0 }) },
		"the log gets worse": func(t *rapid.T) {
			w.log.latency.Store(int64(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 200 * time.Millisecond}).Draw(t, "latency")))
			w.log.breakOff.Store(rapid.Int64Range(0, 5).Draw(t, "break off"))
			away := rapid.IntRange(0, 5).Draw(t, "away") == 0
			w.log.set(func() { w.log.away = away })
		},
		"time passes": func(t *rapid.T) {
			time.Sleep(rapid.SampledFrom([]time.Duration{time.Microsecond, 10 * time.Millisecond, time.Second, 20 * time.Second}).Draw(t, "time"))
		},
		"the instance restarts": func(t *rapid.T) { w.stop(); w.start(t) },
		"somebody asks":         func(t *rapid.T) { w.ask(t, false) },
	}
	for range rapid.IntRange(0, 5).Draw(t, "actions before") {
		name := rapid.SampledFrom([]string{"events happen", "the relay follows", "the relay says how far it follows"}).Draw(t, "before")
		actions[name](t)
	}
	w.start(t)
	defer func() { w.stop() }()
	t.Repeat(actions)
	w.log.latency.Store(0)
	w.log.breakOff.Store(0)
	w.log.set(func() { w.log.away, w.log.hidden = false, 0 })
	time.Sleep(30 * time.Second)
	w.ask(t, true)
}

// collector is somebody with a snapshot, who takes what comes behind it.
type collector struct {
	state map[string]int64
	got   []event.Position
	have  event.Offsets
}

func (c *collector) event(e *entry, _ event.Offsets) error {
	c.got = append(c.got, event.Position{Partition: e.partition, Offset: e.offset})
	switch {
	case e.event.Version <= c.state[e.event.SpotID]:
	case e.event.Status == event.Removed:
		delete(c.state, e.event.SpotID)
	default:
		c.state[e.event.SpotID] = e.event.Version
	}
	return nil
}
func (c *collector) flush(context.Context) error { return nil }
func (c *collector) arrived(have event.Offsets)  { c.have = slices.Clone(have) }

// ask takes a snapshot and what comes behind it, and compares both with the log.
func (w *stateWorld) ask(t *rapid.T, must bool) {
	synctest.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	snapshot, err := w.snapshot(ctx)
	if err != nil {
		if must || !errors.Is(err, errNoState) {
			t.Fatal(err)
		}
		return
	}
	c := &collector{state: map[string]int64{}}
	for e := range snapshot.matching(filter{}) {
		if _, twice := c.state[e.event.SpotID]; twice {
			t.Fatalf("%s is in the snapshot twice", e.event.SpotID)
		}
		c.state[e.event.SpotID] = e.event.Version
	}
	if want := w.newest(snapshot.offsets); !maps.Equal(c.state, want) {
		t.Fatalf("the snapshot at %v has %v; the log %v", snapshot.offsets, c.state, want)
	}
	switch err := w.catchUp(ctx, snapshot.offsets, nil, c); {
	case errors.Is(err, errAway) && !must:
		return
	case err != nil:
		t.Fatal(err)
	}
	if want := w.newest(c.have); !maps.Equal(c.state, want) {
		t.Fatalf("with what comes behind %v up to %v there are %v; the log has %v", snapshot.offsets, c.have, c.state, want)
	}
	n := 0
	for p, records := range w.log.partitions {
		for _, r := range records[snapshot.offsets.At(int32(p))+1 : c.have.At(int32(p))+1] {
			if _, err := event.Decode(r.Value); err == nil {
				n++
			}
		}
	}
	if n != len(c.got) {
		t.Fatalf("behind %v came %v; %d events stand there up to %v", snapshot.offsets, c.got, n, c.have)
	}
	if must && !w.newestOffsets().Contains(c.have) || must && !c.have.Contains(w.newestOffsets()) {
		t.Fatalf("in the end it has %v of %v", c.have, w.newestOffsets())
	}
}

func (w *stateWorld) newestOffsets() event.Offsets {
	o, _ := w.log.newest(false)
	return o
}
