package upgrade

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// earlier is the program of the newest version that this one may run beside; built once.
var earlier = sync.OnceValues(func() (commit string, err error) {
	text, err := os.ReadFile("compatible")
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			commit = line
		}
	}
	return commit, err
})

func earlierBinary(t *testing.T) string {
	t.Helper()
	commit, err := earlier()
	if err != nil || commit == "" {
		t.Fatalf("no version is named in %s: %v", "compatible", err)
	}
	return stack.Earlier(t, commit)
}

// A rolling update replaces one process after the other, and the next when the one before is ready; and so does going back. Meanwhile old and new processes
// share one database, one log and one bus, and clients go from one to the other with their cursors.
func TestARollingUpdateAndBackLosesRepeatsAndDisordersNothing(t *testing.T) {
	servers := stack.RealServers(t)
	before, now := earlierBinary(t), stack.Binary(t)
	s := stack.Assemble(t, servers, stack.Layout{Gateways: 2, Parking: 2, Live: 2, History: 1, Audit: 1, Alerts: 1,
		Env: func(string) []string { return []string{"PARKWIRE_DRAIN_WINDOW=1s", "PARKWIRE_RATE_LIMIT=0"} }})
	for _, n := range s.Nodes() {
		n.Use(before)
	}
	s.StartAll(t)
	s.WaitAllReady(t)
	s.StartEdge(t)

	file := filepath.Join(t.TempDir(), "report.json")
	args := []string{"verify", "--url", s.URL, "--duration", "0", "--rate", "60", "--spots", "60", "--clients", "16", "--sse", "4", "--v1", "6", "--snapshot", "2", "--settle", "60s", "--json", file}
	for _, url := range s.Instances() {
		args = append(args, "--listen-url", url)
	}
	verify := stack.Start(t, "verify", []string{"PARKWIRE_TOKEN=" + s.Token}, now, args...)
	// Each part once in the order of the flow and once against it.
	order := slices.Concat(s.Parking, s.Live, s.History, s.Audit, s.Alerts, s.Gateways)
	replace := func(binary string) {
		for _, n := range order {
			n.Stop(t)
			n.Use(binary)
			n.Restart(t)
			s.Edge.WaitReady(t)
			select {
			case <-verify.Exited():
				t.Fatalf("verify has ended: %s", verify.Output())
			default:
			}
		}
	}
	began := time.Now()
	time.Sleep(2 * time.Second) // some changes before anything happens
	replace(now)
	forward := time.Since(began)
	slices.Reverse(order)
	replace(before)
	time.Sleep(2 * time.Second)
	r := stack.Verdict(t, verify, file, 100)
	t.Logf("%d processes there in %v and back in %v: %d changes acknowledged, %d frames; %d lost, %d repeated, %d out of order; %d reconnects",
		len(order), forward.Round(time.Second), (time.Since(began) - forward).Round(time.Second), r.Acknowledged, r.Delivered, r.Lost, r.Repeated, r.OutOfOrder, r.Reconnects)
	// What the one wrote of the audit chain the other goes on with.
	for _, binary := range []string{before, now} {
		if out := stack.Run(t, time.Minute, s.Environment(), binary, "audit", "verify"); !strings.Contains(strings.ToLower(out), "ok") {
			t.Errorf("the audit chain: %s", out)
		}
	}
}

// In one process everything is in one folder: the databases, the log and the keys. An update is a restart, and going back is another.
func TestOneProcessIsUpdatedAndGoesBack(t *testing.T) {
	before, now := earlierBinary(t), stack.Binary(t)
	s := stack.Prepare(t)
	s.One.Use(before)
	s.One.Restart(t)
	s.Token = s.TokenFor(t, "operate")
	s.AddLot(t, "central", "A-1", "A-2")
	client := s.WebSocket(t, "snapshot", "1")
	client.Count(t, 2)
	s.Act(t, "A-1", "occupy")
	frames := client.Spot(t, "A-1", 2)
	cursor, versions := frames[len(frames)-1].Cursor, int64(2)
	for _, binary := range []string{now, before, now} {
		state := s.Spots(t, "central")
		s.One.Stop(t)
		s.One.Use(binary)
		s.One.Restart(t)
		for id, spot := range s.Spots(t, "central") {
			if state[id] != spot {
				t.Errorf("%s is %+v, and was %+v", id, spot, state[id])
			}
		}
		client = s.WebSocket(t, "after", cursor)
		for range 3 {
			spot := s.Toggle(t, s.Spot(t, "A-1"))
			if versions++; spot.Version != versions {
				t.Errorf("version %d follows %d", spot.Version, versions-1)
			}
		}
		frames = client.Spot(t, "A-1", versions)
		for i, f := range frames {
			if want := versions - int64(len(frames)-1-i); f.Version != want || len(frames) != 3 {
				t.Errorf("the client got %v", frames)
			}
		}
		cursor = frames[len(frames)-1].Cursor
		eventually(t, "the history service to know every stay", func() bool {
			answer, err := s.Try("GET", "/api/v1/lots/central/stays?limit=100", nil)
			return err == nil && answer.Status == 200 && int64(strings.Count(string(answer.Body), `"spotId":"A-1"`)) >= (versions-1)/2 // those that have ended
		})
	}
}
