//go:build linux

package live

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parkwire/internal/event"
	"parkwire/internal/websocket"
)

// A talker is a client of parkwire.v1 that subscribes and unsubscribes, and remembers of each subscription the newest cursor
// that holds for it. Everything that it is told is compared with what the world knows.
type talker struct {
	*person
	subs map[string]*talk
	conflated
}

// talk is one subscription.
type talk struct {
	query    map[string][]string
	snapshot bool  // is asked for
	asked    bool  // and not answered yet
	old      *talk // which it replaces when it is answered
	active   bool  // Subscribed came, and where a snapshot comes, its last part
	inState  bool  // a snapshot comes

	cursor string        // none yet where empty
	start  event.Offsets // where it began on this connection
	has    event.Offsets // what it has got
	state  map[string]int64
}

// conflated is what was said of events that were left out, until the events that follow.
type conflated struct {
	omitted, missing int
}

func (w *world) speaks(t *rapid.T) *talker {
	k := &talker{person: &person{world: w, name: fmt.Sprint("talker ", len(w.talkers))}, subs: map[string]*talk{}}
	k.person.told = k.told
	w.talkers = append(w.talkers, k)
	return k
}

func (k *talker) connect(t *rapid.T, i *instance) {
	p := k.person
	p.with, p.started, p.heard, p.ended, k.conflated = i, false, nil, "", conflated{}
	r := httptest.NewRequest(http.MethodGet, PathNotifications, nil)
	r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-Websocket-Protocol": {protocolV1}}
	if rapid.Bool().Draw(t, "compressed") {
		r.Header.Set(websocket.HeaderExtensions, "permessage-deflate")
	}
	w := tapWriter{httptest.NewRecorder(), newTap(t, i.news), func() {}}
	p.tap = w.tap
	i.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.Len() > 0 {
		p.leave()
		k.person.refused(t, w.ResponseRecorder)
		return
	}
	for _, id := range slices.Sorted(maps.Keys(k.subs)) {
		s := k.subs[id]
		s.asked, s.active, s.old = false, false, nil
		k.subscribe(t, id)
	}
}

// want thinks of a subscription.
func (k *talker) want(t *rapid.T) {
	s := &talk{query: map[string][]string{}, snapshot: rapid.Bool().Draw(t, "snapshot")}
	for _, field := range [][]string{{"lot", "lot-0", "lot-1"}, {"zone", "zone-0", "zone-1", "zone-3"}, {"spot", "s-000", "s-003", "s-007"}, {"status", "free", "occupied"}} {
		if rapid.IntRange(0, 3).Draw(t, field[0]) == 0 {
			s.query[field[0]] = rapid.SliceOfNDistinct(rapid.SampledFrom(field[1:]), 1, 2, rapid.ID).Draw(t, field[0])
		}
	}
	if rapid.Bool().Draw(t, "with a cursor") {
		at := event.Offsets{}
		for n, head := range k.world.heads() {
			at = append(at, rapid.Int64Range(max(event.None, min(head, k.world.log.tails[n]-1)), head).Draw(t, "offset"))
		}
		s.cursor = event.Cursor{Topic: k.world.log.topic, Offsets: at}.String()
	}
	id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "id")
	if old := k.subs[id]; old != nil && (old.asked || old.inState) {
		t.Skip("it is not answered yet") // which answer is for which would have to be known
	} else if old != nil && old.active {
		if s.cursor != "" && !s.snapshot && !old.snapshot {
			t.Skip("either may have expired")
		}
		s.old = old
	}
	k.subs[id] = s
	k.subscribe(t, id)
}

func (k *talker) subscribe(t *rapid.T, id string) {
	s := k.subs[id]
	m := map[string]any{"type": "Subscribe", "id": id}
	for name, values := range s.query {
		m[name] = values
	}
	s.inState = s.snapshot && s.cursor == ""
	if s.cursor != "" {
		m["after"] = s.cursor
	}
	if s.snapshot {
		m["snapshot"] = true
	}
	s.asked, s.active = true, false
	k.tell(m)
}

func (k *talker) tell(m any) {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	head := websocket.AppendHeader(nil, websocket.Text, len(text))
	head[1] |= 0x80
	k.tap.say(append(append(head, 0, 0, 0, 0), text...))
}

func (k *talker) unwant(t *rapid.T) {
	for _, id := range slices.Sorted(maps.Keys(k.subs)) {
		if s := k.subs[id]; !s.asked && s.active {
			k.tell(map[string]string{"type": "Unsubscribe", "id": id})
			s.asked = true
			return
		}
	}
}

func (s *talk) wants(e event.Event) bool { return (&person{query: s.query}).wants(e) }

// told takes a message of the server.
func (k *talker) told(t *rapid.T, text []byte) {
	var m said
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s got %q: %v", k.name, text, err)
	}
	s := k.subs[m.ID]
	if s != nil && s.old != nil && (m.Type == "Reset" || m.Type == "Snapshot" || m.Type == "Error" && m.Code == codeCursorExpired && (s.cursor == "" || s.snapshot)) {
		if s = s.old; m.Type == "Error" { // it could not be sent what it lacked
			k.subs[m.ID].old = nil
			return
		}
	}
	switch m.Type {
	case "Welcome", "Foreign", "Stale", "Fresh", "Retry":
	case "Heartbeat":
		k.stands(t, k.active(), m.Cursor)
	case "Subscribed":
		at := k.parse(t, m.Cursor)
		s.asked, s.active, s.start, s.old = false, !s.inState, at, nil
		if s.cursor != "" {
			s.start = k.parse(t, s.cursor)
		}
		s.has, s.state = slices.Clone(s.start), map[string]int64{}
		if !s.snapshot && s.cursor == "" {
			s.cursor = m.Cursor
		}
	case "Unsubscribed":
		delete(k.subs, m.ID)
	case "Reset":
		if k.parse(t, s.cursor).Contains(k.world.tails()) {
			t.Fatalf("%s is reset at %v (%s), where the log has all behind %v: %+v", k.name, k.parse(t, s.cursor), text, k.world.tails(), s)
		}
		s.active, s.inState, s.cursor, s.state = false, true, "", map[string]int64{}
	case "Snapshot":
		for _, e := range m.Events {
			s.state[e.SpotID] = e.Version
		}
		if m.Complete {
			k.compare(t, s, k.parse(t, m.Cursor))
			s.active, s.inState, s.cursor, s.start = true, false, m.Cursor, k.parse(t, m.Cursor)
			s.has = slices.Clone(s.start)
		}
	case "Conflated":
		k.omitted += m.Omitted
	case "Events":
		k.events(t, m)
	case "Error":
		switch {
		case m.Code == codeUnknownSubscription && s == nil: // what was unsubscribed had expired meanwhile
		case m.Code == codeCursorExpired && !s.snapshot && !k.parse(t, s.cursor).Contains(k.world.tails()):
			k.refused(m.ID)
		case m.Code == codeLogUnavailable:
			k.refused(m.ID)
		default:
			t.Fatalf("%s got %s, with %+v", k.name, text, s)
		}
	default:
		t.Fatalf("%s got %s", k.name, text)
	}
}

func (k *talker) refused(id string) {
	if old := k.subs[id].old; old != nil {
		k.subs[id] = old
	} else {
		delete(k.subs, id)
	}
}

func (k *talker) parse(t *rapid.T, cursor string) event.Offsets {
	c, err := event.ParseCursor(cursor, k.world.log.topic)
	if err != nil {
		t.Fatalf("%s got the cursor %q: %v", k.name, cursor, err)
	}
	return c.Offsets
}

func (k *talker) active() (subs []*talk) {
	for _, s := range k.subs {
		if s.old != nil {
			s = s.old
		}
		if s.active {
			subs = append(subs, s)
		}
	}
	return subs
}

// compare looks at a snapshot: nothing of it is older than its cursor says, and nothing is missing.
func (k *talker) compare(t *rapid.T, s *talk, at event.Offsets) {
	w := k.world
	newest := map[string]event.Event{}
	for _, r := range w.between(w.tails(), at, func(event.Event) bool { return true }) { // there is no twin in this world
		newest[r.event.SpotID] = r.event
	}
	for spot, e := range newest {
		if v, ok := s.state[spot]; ok && v < e.Version || !ok && s.wants(e) && w.versions[spot] == e.Version {
			t.Fatalf("%s got version %d of %s in a snapshot (%v); it was %+v at %v", k.name, v, spot, ok, e, at)
		}
	}
}

// events takes a frame of events, for all active subscriptions or one.
func (k *talker) events(t *rapid.T, m said) {
	subs := k.active()
	if m.ID != "" {
		subs = []*talk{k.subs[m.ID]}
		if subs[0].old != nil {
			subs[0] = subs[0].old
		}
		if !subs[0].active {
			t.Fatalf("%s got events for %s: %+v", k.name, m.ID, subs[0])
		}
	}
	for _, e := range m.Events {
		p, o, full := k.world.find(t, e)
		wanted := false
		for _, s := range subs {
			if !s.wants(full) {
				continue
			}
			wanted = true
			switch {
			case o <= s.start.At(p):
			case o <= s.has.At(p):
				t.Fatalf("%s got %d:%d twice", k.name, p, o)
			default:
				k.gap(t, s, s.has, slices.Clone(s.has).Advance(p, o-1))
				s.has = s.has.Advance(p, o)
			}
		}
		if !wanted {
			t.Fatalf("%s got %+v, which it did not ask for (%q of %d)", k.name, e, m.ID, len(subs))
		}
	}
	k.stands(t, subs, m.Cursor)
	k.conflated = conflated{}
}

// gap lets events be left out where that was said, and a newer one of the spot is still to come or came with it.
func (k *talker) gap(t *rapid.T, s *talk, from, to event.Offsets) {
	for _, r := range k.world.between(from, to, s.wants) {
		later := k.world.between(to, k.world.heads(), func(e event.Event) bool {
			return s.wants(e) && e.SpotID == r.event.SpotID && e.Version > r.event.Version
		})
		if k.missing++; len(later) == 0 && !k.within(s, from, to, r.event) || k.missing > len(k.subs)*k.omitted {
			t.Fatalf("%s with the filter %v lacks %+v on its way from %v to %v; %d were said to be left out", k.name, s.query, r.event, from, to, k.omitted)
		}
	}
}

// within reports whether a newer one of its spot lies on the same way.
func (k *talker) within(s *talk, from, to event.Offsets, e event.Event) bool {
	return k.world.between(from, to, func(o event.Event) bool { return s.wants(o) && o.SpotID == e.SpotID && o.Version > e.Version }) != nil
}

// stands takes a cursor, which claims that everything up to it was sent.
func (k *talker) stands(t *rapid.T, subs []*talk, cursor string) {
	at := k.parse(t, cursor)
	if !k.world.heads().Contains(at) {
		t.Fatalf("%s got the cursor %v; the log ends at %v", k.name, at, k.world.heads())
	}
	for _, s := range subs {
		k.gap(t, s, s.has, at)
		s.cursor, s.has = cursor, s.has.Join(at)
	}
}

// find returns where in the log an event stands.
func (w *world) find(t *rapid.T, f frame) (partition int32, offset int64, e event.Event) {
	for p, records := range w.written {
		for o, r := range records {
			if r.event.SpotID == f.SpotID && r.event.Version == f.Version && f.Version > 0 {
				return int32(p), int64(o), r.event
			}
		}
	}
	t.Fatalf("nobody wrote %+v", f)
	return 0, 0, e
}

// Whatever happens to a client of parkwire.v1, and however it changes what it wants: each subscription gets what lies behind its
// cursor, once, in order; of what is left out for a slow one it is told, and a newer event of the spot comes.
func TestWhateverTalkersSubscribeToTheyGetItOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { rapid.SyncTest(t, runTalk) })
}

func runTalk(t *rapid.T) {
	w := newWorld(t)
	defer w.stop()
	some := func(t *rapid.T) *instance { return w.instances[rapid.IntRange(0, 1).Draw(t, "instance")] }
	one := func(t *rapid.T, connected bool) *talker {
		k := w.talkers[rapid.IntRange(0, len(w.talkers)-1).Draw(t, "talker")]
		if (k.tap != nil) != connected {
			t.Skip("it is elsewhere")
		}
		return k
	}
	for range 2 {
		k := w.speaks(t)
		k.connect(t, some(t))
		if k.tap != nil {
			k.want(t)
		}
	}
	t.Repeat(map[string]func(*rapid.T){
		"events happen":           func(t *rapid.T) { w.write(t, rapid.IntRange(1, 12).Draw(t, "events")) },
		"events happen as always": w.happen,
		"very much happens": func(t *rapid.T) {
			for range 6 {
				w.happen(t)
			}
		},
		"the bridge publishes":           func(t *rapid.T) { w.publish(t, w.instances...) },
		"the bus loses":                  func(t *rapid.T) { w.publish(t, some(t)) },
		"another program says something": w.sayForeign,
		"the log gets worse": func(t *rapid.T) {
			w.log.latency.Store(int64(rapid.SampledFrom([]int{0, 0, 1e6, 3e8}).Draw(t, "latency")))
			away := rapid.IntRange(0, 5).Draw(t, "away") == 0
			w.log.set(func() { w.log.away = away })
		},
		"the log forgets":             w.forget,
		"an instance restarts":        w.restart,
		"somebody subscribes":         func(t *rapid.T) { one(t, true).want(t) },
		"somebody subscribes to more": func(t *rapid.T) { one(t, true).want(t) },
		"somebody unsubscribes":       func(t *rapid.T) { one(t, true).unwant(t) },
		"somebody connects":           func(t *rapid.T) { one(t, false).connect(t, some(t)) },
		"somebody leaves":             func(t *rapid.T) { one(t, true).leave() },
		"somebody reads a little":     func(t *rapid.T) { one(t, true).listen(t, rapid.IntRange(1, 3000).Draw(t, "bytes")) },
		"everybody reads": func(t *rapid.T) {
			for _, k := range w.talkers {
				k.listen(t, 1<<30)
			}
		},
		"time passes": func(t *rapid.T) { w.pass(rapid.SampledFrom([]int{1, 1000, 11000}).Draw(t, "ms")) },
		"":            func(*rapid.T) { w.settle() },
	})
	w.log.latency.Store(0)
	w.log.set(func() { w.log.away = false })
	for _, i := range w.instances {
		if !i.up {
			i.up = true
			i.tell(true)
		}
	}
	lacks := func() string {
		var b strings.Builder
		for _, k := range w.talkers {
			for id, s := range k.subs {
				if lost := w.between(s.has, w.heads(), s.wants); k.tap == nil || !s.active || len(lost) > 0 {
					fmt.Fprintf(&b, "%s, %s, %+v lacks %d; ", k.name, id, s, len(lost))
				}
			}
		}
		return b.String()
	}
	for round := 0; lacks() != ""; round++ {
		if round > 60 {
			t.Fatal(lacks())
		}
		for n, k := range w.talkers {
			if k.tap == nil {
				k.connect(t, w.instances[(n+round)%2])
			}
		}
		w.pass(3000)
		for _, k := range w.talkers {
			k.listen(t, 1<<30)
		}
	}
}
