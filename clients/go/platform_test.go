package parkwire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// A platform is a model of one that speaks parkwire.v1 over connections in memory, with all that a real one may do to its clients.
type platform struct {
	mu        sync.Mutex
	log       []Event // place n+1 has log[n]
	oldest    int     // places up to this one are no longer kept
	changed   chan struct{}
	conns     []*memoryWire
	dials     []time.Time
	addresses []string
	tokens    []string
	refuse    func(dial int) error                 // of a dial (1, 2, …)
	answer    func(w *memoryWire, m outgoing) bool // whether the message was dealt with
	cuts      []int                                // the connection ends behind so many frames; one for each of the first connections
	again     int                                  // how many events are sent twice at each beginning
	heartbeat time.Duration                        // 0: none are sent
}

func newPlatform() *platform {
	return &platform{changed: make(chan struct{}), heartbeat: 10 * time.Second}
}

type memoryWire struct {
	in, out chan []byte
	ended   chan struct{}
	once    sync.Once
	mu      sync.Mutex
	why     error
	closed  bool         // by the client, as it should be
	frames  atomic.Int64 // that may still be sent; 0: all
}

func (w *memoryWire) end(why error) {
	w.once.Do(func() {
		w.mu.Lock()
		w.why = why
		w.mu.Unlock()
		close(w.ended)
	})
}

func (w *memoryWire) read(ctx context.Context) ([]byte, error) {
	select {
	case m := <-w.in: // what was sent before the end comes before it
		return m, nil
	default:
	}
	select {
	case m := <-w.in:
		return m, nil
	case <-w.ended:
		w.mu.Lock()
		defer w.mu.Unlock()
		return nil, w.why
	case <-ctx.Done():
		w.end(ctx.Err())
		return nil, ctx.Err()
	}
}

func (w *memoryWire) write(ctx context.Context, m []byte) error {
	select {
	case w.out <- m:
		return nil
	case <-w.ended:
		return io.ErrClosedPipe
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *memoryWire) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.end(websocket.CloseError{Code: websocket.StatusNormalClosure})
}
func (w *memoryWire) drop() { w.end(io.ErrClosedPipe) }

func (w *memoryWire) send(format string, args ...any) {
	select {
	case w.in <- fmt.Appendf(nil, format, args...):
	case <-w.ended:
	}
	if w.frames.Add(-1) == 0 {
		w.end(io.ErrUnexpectedEOF)
	}
}

func (p *platform) dial(_ context.Context, address, token string) (wire, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dials = append(p.dials, time.Now())
	p.addresses, p.tokens = append(p.addresses, address), append(p.tokens, token)
	if p.refuse != nil {
		if err := p.refuse(len(p.dials)); err != nil {
			return nil, err
		}
	}
	w := &memoryWire{in: make(chan []byte), out: make(chan []byte), ended: make(chan struct{})}
	if len(p.conns) < len(p.cuts) {
		w.frames.Store(int64(p.cuts[len(p.conns)]))
	}
	p.conns = append(p.conns, w)
	go p.serve(w)
	return w, nil
}

// served is a subscription as the platform has it.
type served struct {
	id     string
	filter Filter
	at     int
}

func (p *platform) serve(w *memoryWire) {
	p.mu.Lock()
	again := p.again
	w2 := p.heartbeat
	p.mu.Unlock()
	w.send(`{"type":"Welcome","protocol":"parkwire.v1","cursor":"c0","heartbeatMs":%d,"new":[1]}`, max(w2, time.Second).Milliseconds())
	var subs []*served
	var beat <-chan time.Time
	if w2 > 0 {
		ticker := time.NewTicker(w2)
		defer ticker.Stop()
		beat = ticker.C
	}
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		for p.next(w, subs) {
		}
		select {
		case <-w.ended:
			return
		case <-changed:
		case <-beat:
			p.mu.Lock()
			n := len(p.log)
			p.mu.Unlock()
			if len(subs) == 0 || subs[0].at == n {
				w.send(`{"type":"Heartbeat","cursor":"c%d"}`, n)
			}
		case raw := <-w.out:
			var m outgoing
			if json.Unmarshal(raw, &m) != nil {
				w.end(errors.New("a message is no JSON"))
				return
			}
			if p.answer != nil && p.answer(w, m) {
				continue
			}
			switch m.Type {
			case "Subscribe":
				if one := p.subscribe(w, m, again, func() { p.next(w, subs) }); one != nil {
					subs = append(subs, one)
				}
			case "Unsubscribe":
				subs = slices.DeleteFunc(subs, func(s *served) bool { return s.id == m.ID })
			}
		}
	}
}

// next sends a frame of what the subscription that is furthest behind has not had, and reports whether there was any. While one is behind the
// others, it alone is served.
func (p *platform) next(w *memoryWire, subs []*served) bool {
	p.mu.Lock()
	end := len(p.log)
	log := p.log
	p.mu.Unlock()
	if len(subs) == 0 {
		return false
	}
	least, ahead := end, end
	for _, s := range subs {
		least = min(least, s.at)
	}
	for _, s := range subs {
		if s.at > least {
			ahead = min(ahead, s.at)
		}
	}
	if least == end {
		return false
	}
	to := min(least+1+rand.IntN(3), ahead)
	var behind []*served
	for _, s := range subs {
		if s.at == least {
			behind = append(behind, s)
		}
	}
	if len(behind) == len(subs) {
		p.frame(w, "", log, to, behind)
	} else {
		for _, one := range behind {
			p.frame(w, one.id, log, to, []*served{one})
		}
	}
	return true
}

func (p *platform) frame(w *memoryWire, id string, log []Event, to int, subs []*served) {
	var events []json.RawMessage
	for _, e := range log[subs[0].at:to] {
		if slices.ContainsFunc(subs, func(s *served) bool { return s.filter.matches(&e) }) {
			events = append(events, e.Raw)
		}
	}
	for _, s := range subs {
		s.at = to
	}
	if len(events) > 0 {
		text, _ := json.Marshal(events)
		w.send(`{"type":"Events","id":%q,"events":%s,"cursor":"c%d"}`, id, text, to)
	}
}

func (p *platform) subscribe(w *memoryWire, m outgoing, again int, beside func()) *served {
	p.mu.Lock()
	end, oldest, log := len(p.log), p.oldest, p.log
	p.mu.Unlock()
	one := &served{m.ID, Filter{m.Lot, m.Zone, m.Spot, m.Status, m.Change}, end}
	state := m.Snapshot && m.After == ""
	if m.After != "" {
		one.at, _ = strconv.Atoi(m.After[1:])
		if one.at < oldest {
			if !m.Snapshot {
				w.send(`{"type":"Error","code":"cursor-expired","message":"too old","id":%q}`, m.ID)
				return nil
			}
			w.send(`{"type":"Subscribed","id":%q,"cursor":"c%d"}`, m.ID, end)
			w.send(`{"type":"Reset","id":%q,"reason":"cursor-expired"}`, m.ID)
			state, one.at = true, end
		} else {
			w.send(`{"type":"Subscribed","id":%q,"cursor":"c%d"}`, m.ID, one.at)
			if one.filter.everyVersion() { // else nothing tells an old event of a spot that the client does not know
				one.at = max(one.at-again, oldest) // as after a rebalance: it was sent already
			}
		}
	} else {
		w.send(`{"type":"Subscribed","id":%q,"cursor":"c%d"}`, m.ID, end)
	}
	if state {
		newest := map[string]Event{}
		for _, e := range log[:end] {
			delete(newest, e.SpotID)
			if one.filter.matches(&e) && e.Status != Removed {
				newest[e.SpotID] = e
			}
		}
		for _, e := range newest {
			w.send(`{"type":"Snapshot","id":%q,"events":[%s]}`, m.ID, e.Raw)
			beside()
		}
		w.send(`{"type":"Snapshot","id":%q,"events":[],"complete":true,"cursor":"c%d"}`, m.ID, end)
	}
	return one
}

// publish adds the next version of a spot.
func (p *platform) publish(spot, lot string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	version := int64(1)
	for _, e := range p.log {
		if e.SpotID == spot {
			version = e.Version + 1
		}
	}
	status := Free
	if version%2 == 0 {
		status = Occupied
	}
	raw := fmt.Appendf(nil, `{"type":"ParkingSpotUpdated","spotId":%q,"status":%q,"timestamp":"2026-11-24T03:35:00.123Z","version":%d,"lotId":%q}`, spot, status, version, lot)
	e, err := decodeEvent(raw)
	if err != nil {
		panic(err)
	}
	p.log = append(p.log, e)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *platform) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.oldest = len(p.log)
}

// connection is the newest.
func (p *platform) connection() *memoryWire {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.conns) == 0 {
		return nil
	}
	return p.conns[len(p.conns)-1]
}
