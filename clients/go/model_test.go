package parkwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"pgregory.net/rapid"
)

// Whatever happens to connections, each subscription has exactly what the log has behind where it began, or says that it has not.
func TestSubscriptionsSeeTheLogOnceAndInOrder(t *testing.T) {
	steps := []string{"publish", "publish", "publish", "cut", "restart", "expire", "wait", "subscribe", "close one"}
	rapid.Check(t, func(rt *rapid.T) {
		script := rapid.SliceOfN(rapid.SampledFrom(steps), 1, 40).Draw(rt, "script")
		spots := rapid.SliceOfN(rapid.IntRange(0, 4), len(script), len(script)).Draw(rt, "spots")
		again := rapid.IntRange(0, 3).Draw(rt, "sent again")
		cuts := rapid.SliceOfN(rapid.IntRange(0, 12), 0, 20).Draw(rt, "frames of each connection")
		buffer := rapid.SampledFrom([]int{1, 1000, 1 << 20}).Draw(rt, "buffer")
		var problems []string
		synctest.Test(t, func(*testing.T) { problems = play(script, spots, cuts, again, buffer) })
		for _, p := range problems {
			rt.Error(p)
		}
	})
}

// play plays a script and returns what was wrong.
func play(script []string, spots, cuts []int, again, buffer int) (problems []string) {
	p := newPlatform()
	p.again, p.cuts = again, cuts
	c, err := newClient(Options{URLs: []string{"http://a", "http://b"}, Buffer: buffer})
	if err != nil {
		return []string{err.Error()}
	}
	c.dial = p.dial
	if err := c.start(context.Background()); err != nil {
		return []string{err.Error()}
	}
	var readers sync.WaitGroup
	var all []*reader
	subscribe := func(at int, f Filter, options ...SubscribeOption) {
		s, err := c.Subscribe(f, options...)
		if errors.Is(err, ErrFilter) && len(all) >= maxSubscriptions {
			return
		}
		if err != nil {
			problems = append(problems, err.Error())
			return
		}
		r := &reader{sub: s, at: at}
		all = append(all, r)
		readers.Go(r.run)
	}
	subscribe(0, Filter{}, After("c0"))
	subscribe(-1, Filter{Lots: []string{"lot-1"}}, WithState())
	subscribe(0, Filter{Statuses: []Status{Occupied}}, WithState(), After("c0"))
	for i, step := range script {
		switch step {
		case "publish":
			p.publish(fmt.Sprint("spot-", spots[i]), fmt.Sprint("lot-", spots[i]%2))
		case "cut":
			p.connection().end(io.ErrUnexpectedEOF)
		case "restart":
			p.connection().end(websocket.CloseError{Code: 1012, Reason: "restart retry-after-ms=70"})
		case "expire":
			p.expire()
		case "wait":
			time.Sleep(time.Duration(1+spots[i]) * 5 * time.Second)
		case "subscribe":
			subscribe(-1, Filter{Spots: []string{fmt.Sprint("spot-", spots[i])}}, WithState())
		case "close one":
			if len(all) > 3 {
				all[3].sub.Close()
				all = slices.Delete(all, 3, 4)
			}
		}
		if spots[i] > 1 {
			synctest.Wait()
		}
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	if !c.Status().Connected {
		problems = append(problems, fmt.Sprintf("it did not come back: %+v", c.Status()))
	}
	for i, r := range all {
		problems = append(problems, r.check(i, p)...)
	}
	if err := c.Close(); err != nil {
		problems = append(problems, err.Error())
	}
	readers.Wait()
	return problems
}

// reader reads a subscription. The run's own messages are read when all is quiet.
type reader struct {
	sub      *Subscription
	at       int // the place behind which it began; -1: where its state says
	messages []Message
	cursors  []string // while each was handled
	err      error
}

func (r *reader) run() {
	for m, err := range r.sub.Messages(context.Background()) {
		if err != nil {
			r.err = err
			return
		}
		r.messages, r.cursors = append(r.messages, m), append(r.cursors, r.sub.Cursor())
	}
}

// check compares what came with the log.
func (r *reader) check(n int, p *platform) (problems []string) {
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf("subscription %d: ", n+1)+fmt.Sprintf(format, args...))
	}
	at := r.at
	next := func() *Event { // that matches
		for at >= 0 && at < len(p.log) {
			at++
			if e := &p.log[at-1]; r.sub.filter.matches(e) {
				return e
			}
		}
		return nil
	}
	for i, m := range r.messages {
		switch m := m.(type) {
		case Event:
			if want := next(); want == nil || want.SpotID != m.SpotID || want.Version != m.Version {
				wrong("message %d is %s version %d instead of %v", i, m.SpotID, m.Version, want)
				return problems
			}
			if place, _ := strconv.Atoi("0" + strings.TrimPrefix(r.cursors[i], "c")); place >= at {
				wrong("while message %d of place %d was handled the cursor was %d", i, at, place)
			}
			if m.Cursor != "" {
				if place, _ := strconv.Atoi(m.Cursor[1:]); place < at {
					wrong("message %d has the cursor %s from before it, %d", i, m.Cursor, at)
				}
			}
		case State:
			if (at >= 0 || i > 0) && m.Reason != "cursor-expired" {
				wrong("message %d is a second state for the reason %q", i, m.Reason)
			}
			at, _ = strconv.Atoi(m.Cursor[1:])
			want := map[string]int64{}
			for _, e := range p.log[:at] {
				delete(want, e.SpotID)
				if r.sub.filter.matches(&e) {
					want[e.SpotID] = e.Version
				}
			}
			for _, e := range m.Spots {
				if want[e.SpotID] != e.Version {
					wrong("the state at %d has %s version %d instead of %d", at, e.SpotID, e.Version, want[e.SpotID])
				}
				delete(want, e.SpotID)
			}
			if len(want) > 0 {
				wrong("the state at %d lacks %v", at, want)
			}
		default:
			wrong("message %d is %#v", i, m)
		}
	}
	if r.err != nil {
		if !errors.Is(r.err, ErrCursorExpired) || r.sub.withState || p.oldest == 0 {
			wrong("it ended: %v", r.err)
		}
		return problems
	}
	if e := next(); e != nil || at < 0 {
		wrong("it lacks %+v at %d of %d", e != nil, at, len(p.log))
	}
	if got := r.sub.Cursor(); got != fmt.Sprint("c", len(p.log)) {
		wrong("its cursor is %s at the end, of c%d", got, len(p.log))
	}
	return problems
}
