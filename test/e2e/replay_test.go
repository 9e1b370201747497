package e2e

import (
	"encoding/csv"
	"io"
	"os"
	"testing"
	"time"
	_ "time/tzdata"

	"parkwire/test/e2e/stack"
)

// The known answers of the file, see the README beside it.
const (
	pklot        = "pklot-ufpr04-observations.csv"
	pklotZone    = "America/Sao_Paulo"
	pklotSpots   = 28
	pklotChanges = 2132
)

// A month of a real car park, replayed as fast as it goes: every client hears of every change once, in order,
// and of no reading that changed nothing. Replayed again there is nothing to hear.
func TestReplayOfARealCarPark(t *testing.T) {
	file := stack.Data(t, pklot)
	expected := expectedChanges(t, file)
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		clients := map[string]*stack.Listener{
			"WebSocket 1": s.WebSocket(t), "WebSocket 2": s.WebSocket(t), "WebSocket 3": s.WebSocket(t), "SSE": s.SSE(t),
		}
		replay := func() {
			began := time.Now()
			s.Parkwire(t, 50*time.Second, "replay", "--url", s.URL, "--input", file, "--lot", "ufpr04",
				"--time-zone", pklotZone, "--speed", "max")
			t.Logf("the replay took %v", time.Since(began).Round(time.Millisecond))
		}
		replay()
		for name, client := range clients {
			frames := client.Count(t, pklotSpots+pklotChanges)
			t.Run(name, func(t *testing.T) { checkReplay(t, frames, expected) })
		}
		counts := s.Counts(t, "ufpr04")
		if counts.Total != pklotSpots {
			t.Errorf("the lot has %d spots; the file names %d", counts.Total, pklotSpots)
		}

		replay()
		// One change more: if the second replay had changed anything, it would arrive before or beside it.
		var marker stack.Spot
		for _, spot := range s.Spots(t, "ufpr04") {
			marker = s.Toggle(t, spot)
			break
		}
		for name, client := range clients {
			client.Spot(t, marker.SpotID, marker.Version)
			time.Sleep(100 * time.Millisecond) // partitions are not ordered among each other
			frames := client.Frames()
			if n := len(frames) - pklotSpots - pklotChanges; n != 1 {
				t.Errorf("%s: the second replay and one change of an operator brought %d events; only the operator's was to come: %v",
					name, n, frames[pklotSpots+pklotChanges:])
			}
		}
	})
}

// change is what a client must hear of one reading.
type change struct {
	status     string
	observedAt time.Time
}

// expectedChanges reads from the file itself, per spot, the first reading and each that differs from the one before.
func expectedChanges(t *testing.T, path string) map[string][]change {
	t.Helper()
	zone, err := time.LoadLocation(pklotZone)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows := csv.NewReader(file)
	rows.Read() // the header
	expected := map[string][]change{}
	total := 0
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.ParseInLocation("2006-01-02T15:04:05", row[0], zone)
		if err != nil {
			t.Fatal(err)
		}
		changes := expected[row[1]]
		if len(changes) > 0 && changes[len(changes)-1].status == row[2] {
			continue
		}
		expected[row[1]] = append(changes, change{row[2], at.UTC()})
		total++
	}
	if len(expected) != pklotSpots || total != pklotSpots+pklotChanges {
		t.Fatalf("the file has %d spots and %d changes; it is not the one whose answers are known", len(expected), total-len(expected))
	}
	return expected
}

func checkReplay(t *testing.T, frames []stack.Frame, expected map[string][]change) {
	if len(frames) != pklotSpots+pklotChanges {
		t.Fatalf("%d events came; %d added and %d occupied or released were to come", len(frames), pklotSpots, pklotChanges)
	}
	kinds := map[string]int{}
	events := map[string]bool{}
	next := map[string]int{} // how many of the spot's changes have come
	for _, f := range frames {
		kinds[f.Change]++
		if events[f.EventID] {
			t.Errorf("event %s of %v came twice", f.EventID, f)
		}
		events[f.EventID] = true
		i := next[f.SpotID]
		next[f.SpotID]++
		if f.Version != int64(i+1) {
			t.Fatalf("%s: version %d came where %d was to come", f.SpotID, f.Version, i+1)
		}
		want := expected[f.SpotID][i]
		kind := f.Status // occupied
		if f.Status == "free" {
			kind = "released"
		}
		if i == 0 {
			kind = "added"
		}
		if f.Type != "ParkingSpotUpdated" || f.Status != want.status || f.Change != kind || f.LotID != "ufpr04" {
			t.Errorf("%v: %s; a %s event with status %s was to come", f, f.Raw, kind, want.status)
		}
		if i > 0 && (!f.ObservedAt.Equal(want.observedAt) || f.PreviousStatus != expected[f.SpotID][i-1].status) {
			t.Errorf("%v: observed at %v after %s; it was observed at %v after %s", f, f.ObservedAt, f.PreviousStatus,
				want.observedAt, expected[f.SpotID][i-1].status)
		}
		if f.Cursor == "" || f.Timestamp.IsZero() {
			t.Errorf("%v: cursor or timestamp is missing: %s", f, f.Raw)
		}
	}
	if kinds["added"] != pklotSpots || kinds["occupied"]+kinds["released"] != pklotChanges {
		t.Errorf("the events were %v; %d added and %d occupied or released were to come", kinds, pklotSpots, pklotChanges)
	}
}
