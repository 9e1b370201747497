package verify

import (
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func v1(o *Options)        { o.V1, o.Clients = 1, 1 }
func snapshots(o *Options) { o.Snapshot, o.Clients = 1, 1 }

func TestAPlatformThatKeepsItsPromisePassesByTheSubprotocol(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]int{"undisturbed": 0, "with connections that end": 15} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{send: func(_ int, e event1) ([]string, bool) { return []string{e.String()}, end > 0 && e.cursor%end == 0 }}
			r := mustRun(t, f, func(o *Options) { o.Clients, o.V1, o.Snapshot, o.Settle = 4, 2, 1, 30*time.Second })
			counted(t, r, 0, 0, 0, 0)
			if r.Snapshots == 0 || r.V1 != 2 || r.Snapshot != 1 || end > 0 && (r.Hinted == 0 || r.WorstGap <= 0) || r.WorstFromAck < 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

func TestLiesOfTheSubprotocolAreFound(t *testing.T) {
	t.Parallel()
	cut := func(connection int, e event1) ([]string, bool) {
		return []string{e.String()}, connection == 1 && e.cursor == 10
	}
	off := func(by int) func(int, int) (int, websocket.StatusCode) {
		return func(connection, after int) (int, websocket.StatusCode) {
			if connection > 1 {
				after += by
			}
			return after, 0
		}
	}
	for name, one := range map[string]struct {
		fake                             *fake
		options                          func(*Options)
		lost, repeated, unordered, wrong int64
	}{
		"an event that never comes": {options: v1, lost: 1, fake: &fake{send: func(_ int, e event1) ([]string, bool) {
			if third(e) {
				return nil, false
			}
			return []string{e.String()}, false
		}}},
		"an event twice in a frame": {options: v1, repeated: 1, fake: &fake{send: func(_ int, e event1) ([]string, bool) {
			if third(e) {
				return []string{e.String(), e.String()}, false
			}
			return []string{e.String()}, false
		}}},
		"a resume that is too early":                         {options: v1, repeated: 1, fake: &fake{send: cut, resume: off(-1)}},
		"a resume that is too late":                          {options: v1, lost: 1, fake: &fake{send: cut, resume: off(1)}},
		"a snapshot that has an event of the stream already": {options: snapshots, repeated: 1, fake: &fake{joined: func(int) int { return -1 }}},
		"a snapshot with another status": {options: snapshots, wrong: 1, fake: &fake{state: func(e event1, text string) string {
			if strings.HasSuffix(e.spot, "1") {
				return strings.Replace(text, e.status, "closed", 1)
			}
			return text
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mustRun(t, one.fake, one.options)
			counted(t, r, one.lost, one.repeated, one.unordered, one.wrong)
		})
	}
}

// An event between the snapshot and the stream behind it is what a seam loses.
func TestASeamBehindASnapshotIsALoss(t *testing.T) {
	t.Parallel()
	f := &fake{joined: func(int) int { return 1 }}
	r := mustRun(t, f, func(o *Options) { snapshots(o); o.For = time.Second })
	if r.Lost != 1 || r.OK {
		t.Errorf("lost %d: %v", r.Lost, r.Examples)
	}
}

func TestACursorThatHasExpiredIsALossWithoutASnapshotAndNoneWithOne(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(*Options){"without": v1, "with": snapshots} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{
				send: func(connection int, e event1) ([]string, bool) {
					return []string{e.String()}, connection == 1 && e.cursor == 10
				},
				resume: func(connection, after int) (int, websocket.StatusCode) {
					if connection == 2 {
						return 0, 4410
					}
					return after, 0
				},
			}
			r := mustRun(t, f, func(o *Options) { options(o); o.For, o.Settle = time.Second, 2*time.Second })
			if name == "without" && (r.Expired != 1 || r.Endings["error cursor-expired"] != 1) || name == "with" && (r.Resets != 1 || !r.OK) {
				t.Errorf("expired %d, resets %d, lost %d, endings %v: %v", r.Expired, r.Resets, r.Lost, r.Endings, r.Examples)
			}
		})
	}
}
