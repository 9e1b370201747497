package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/test/e2e/stack"
)

// After an orderly end everything is as it was, and clients were told to come back.
func TestSIGTERMKeepsStateAndVersions(t *testing.T) {
	t.Parallel()
	s := stack.Embedded(t)
	client := s.WebSocket(t)
	s.AddLot(t, "central", ids("c", 5)...)
	s.Act(t, "c-01", "occupy")
	s.Act(t, "c-02", "close")
	s.Act(t, "c-01", "release")
	s.Do(t, 200, "PUT", "/api/v1/spots/c-03/reservation", map[string]string{"reference": "R-1"}, nil)
	frames := client.Count(t, 9)
	before, counts := s.Spots(t, "central"), s.Counts(t, "central")

	s.One.Stop(t)
	if code := websocket.CloseStatus(client.Ended(t, 30*time.Second)); code != websocket.StatusServiceRestart {
		t.Errorf("the client was closed with %d; 1012 was promised", code)
	}
	s.One.Restart(t)

	sameState(t, s, "central", before)
	if now := s.Counts(t, "central"); now != counts {
		t.Errorf("the counts are %+v after the restart; they were %+v", now, counts)
	}
	resumed := s.WebSocket(t, "after", frames[len(frames)-1].Cursor)
	spot := s.Act(t, "c-01", "occupy")
	if want := before["c-01"].Version + 1; spot.Version != want {
		t.Errorf("the next version after the restart is %d, not %d", spot.Version, want)
	}
	sameEvents(t, "after the restart", resumed.Count(t, 1), []stack.Frame{resumed.Frames()[0]})
	if f := resumed.Frames()[0]; f.SpotID != "c-01" || f.Version != spot.Version {
		t.Errorf("after the restart came %v; the only change was c-01/%d", f, spot.Version)
	}
}

// A second signal does not wait for clients.
func TestASecondSIGINTEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := stack.Embedded(t, "--drain-window", "60s")
	for range 50 {
		s.WebSocket(t)
	}
	s.One.Signal(t, syscall.SIGINT)
	time.Sleep(50 * time.Millisecond)
	select {
	case <-s.One.Exited():
		return // it had nothing to wait for
	default:
	}
	s.One.Signal(t, syscall.SIGINT)
	s.One.Wait(t, 30*time.Second)
}

// The process is killed while four writers are at work, several times. Whatever a writer was answered is there
// afterwards, state and event alike, and a client that resumes sees every version once.
func TestKillInTheMiddleOfWritesLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	s := stack.Embedded(t, "--rate-limit", "0")
	spots := ids("k", 8)
	first := s.WebSocket(t)
	s.AddLot(t, "killed", spots...)
	s.Act(t, spots[0], "occupy")
	start := first.Count(t, len(spots)+1)[len(spots)]
	first.Close()

	acknowledged := make([]atomic.Int64, len(spots)) // the newest version that a writer was answered
	acknowledged[0].Store(2)
	writes := 0
	for round := range 3 {
		stop := make(chan struct{})
		var writers sync.WaitGroup
		var n atomic.Int64
		for w := range 4 {
			writers.Go(func() {
				for i := w; ; i += 4 { // each spot has one writer
					select {
					case <-stop:
						return
					default:
					}
					at := i % len(spots)
					action := []string{"occupy", "release"}[i/len(spots)%2]
					answer, err := s.Try("POST", "/api/v1/spots/"+spots[at]+"/"+action, nil)
					if err != nil || answer.Status != 200 {
						return // killed
					}
					var spot stack.Spot
					if err := json.Unmarshal(answer.Body, &spot); err != nil {
						return
					}
					acknowledged[at].Store(max(acknowledged[at].Load(), spot.Version))
					n.Add(1)
				}
			})
		}
		eventually(t, time.Minute, "some writes", func() bool { return n.Load() >= 8 })
		time.Sleep(time.Duration(100+100*round) * time.Millisecond)
		s.One.Kill(t)
		close(stop)
		writers.Wait()
		writes += int(n.Load())
		s.One.Restart(t)
	}
	t.Logf("%d writes were answered over 3 kills", writes)

	client := s.WebSocket(t, "after", start.Cursor)
	var last []stack.Spot
	for i, id := range spots {
		now := s.Spot(t, id)
		if now.Version < acknowledged[i].Load() {
			t.Errorf("%s is at version %d; version %d was acknowledged before the kill", id, now.Version, acknowledged[i].Load())
		}
		last = append(last, s.Toggle(t, now)) // the end of each spot's sequence, to wait for
	}
	for _, spot := range last {
		client.Spot(t, spot.SpotID, spot.Version)
	}
	next := map[string]int64{spots[0]: 3}
	for _, f := range client.Frames() {
		want := max(next[f.SpotID], 2)
		if f.Version != want {
			t.Fatalf("%s: version %d came where %d was to come", f.SpotID, f.Version, want)
		}
		next[f.SpotID] = want + 1
	}
	for _, spot := range last {
		if next[spot.SpotID] != spot.Version+1 {
			t.Errorf("%s: the events end at version %d, the state is at %d", spot.SpotID, next[spot.SpotID]-1, spot.Version)
		}
	}
}

// Two processes on one data folder would overwrite each other: the second one refuses and names the folder's setting.
func TestADataFolderIsUsedByOneProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stack.Embedded(t, "--data-dir", dir)
	second := stack.Start(t, "second", nil, stack.Binary(t), "all", "--data-dir", dir, "--listen", stack.Address(stack.Port(t)),
		"--admin-listen", stack.Address(stack.Port(t)), "--kafka-listen", stack.Address(stack.Port(t)))
	if code := second.Wait(t, 30*time.Second); code == 0 {
		t.Error("the second process on the folder ended without a failure")
	}
	mentions(t, second.Output(), "data-dir", dir)
}

// A port that is in use stops the start, and the message names the setting to change.
func TestAPortInUseNamesItsSetting(t *testing.T) {
	t.Parallel()
	holder := stack.NewProxy(t, "127.0.0.1:1")
	holder.Open(t)
	for _, setting := range []string{"listen", "admin-listen", "kafka-listen"} {
		t.Run(setting, func(t *testing.T) {
			settings := url.Values{}
			for _, name := range []string{"listen", "admin-listen", "kafka-listen"} {
				settings.Set(name, stack.Address(stack.Port(t)))
			}
			settings.Set(setting, holder.Addr)
			args := []string{"all", "--data-dir", t.TempDir()}
			for name := range settings {
				args = append(args, fmt.Sprintf("--%s=%s", name, settings.Get(name)))
			}
			p := stack.Start(t, "all", nil, stack.Binary(t), args...)
			if code := p.Wait(t, 30*time.Second); code == 0 {
				t.Error("it ended without a failure")
			}
			mentions(t, p.Output(), "--"+setting, holder.Addr, "in use")
		})
	}
}

func sameState(t *testing.T, s *stack.Stack, lotID string, before map[string]stack.Spot) {
	t.Helper()
	now := s.Spots(t, lotID)
	for id, was := range before {
		if now[id] != was {
			t.Errorf("%s is %+v; it was %+v", id, now[id], was)
		}
	}
	if len(now) != len(before) {
		t.Errorf("the lot has %d spots; it had %d", len(now), len(before))
	}
}
