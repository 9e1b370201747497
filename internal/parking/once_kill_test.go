package parking_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parkwire/internal/parking/sqlite"
)

const envKeyedChild = "PARKWIRE_TEST_KEYED_CHILD_DATABASE"

func platformAt(t *testing.T, path string) *platform {
	t.Helper()
	store, err := sqlite.Open(sqlite.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return newPlatformOn(t, store)
}

// addUnderKey adds the spot that has the name of its key.
func (p *platform) addUnderKey(spotID string) int {
	return p.send("POST", "/api/v1/lots/l/spots", body{"spotId": spotID}, keyed, spotID).Code
}

// TestKeyedChild is no test but the process that the next one kills: it says what it is about to do, and does it.
func TestKeyedChild(t *testing.T) {
	path := os.Getenv(envKeyedChild)
	if path == "" {
		t.Skip("skipped: it is the process that another test starts")
	}
	p := platformAt(t, path)
	for i := 0; ; i++ {
		id := fmt.Sprintf("s-%d-%d", os.Getpid(), i)
		fmt.Println("doing " + id)
		if status := p.addUnderKey(id); status != 201 {
			t.Fatalf("%s is answered with %d", id, status)
		}
	}
}

// Whether the process died before the change or after it, whoever sends the request again under its key gets it done, once.
func TestAKilledProcessDoesNothingTwiceUnderAKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parking.db")
	p := platformAt(t, path)
	p.addLot(t, "l")
	var unanswered []string
	for round := range 6 {
		if err := p.store.Close(); err != nil {
			t.Fatal(err)
		}
		unanswered = append(unanswered, killed(t, path, 20+3*round))
		p = platformAt(t, path)
		for range 2 {
			for _, id := range unanswered {
				if status := p.addUnderKey(id); status != 201 {
					t.Errorf("sent again, %s is answered with %d", id, status)
				}
			}
		}
	}
	for _, id := range unanswered {
		if changes := p.changesOf(t, id); len(changes) != 1 {
			t.Errorf("%s was changed by %v", id, changes)
		}
	}
}

// killed runs the process until it is in the midst of a request, and returns the spot that the request is about.
func killed(t *testing.T, path string, requests int) (last string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKeyedChild$")
	cmd.Env = append(os.Environ(), envKeyedChild+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, n := bufio.NewScanner(out), 0
	for lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "doing ")
		if !ok {
			continue
		}
		last = id
		if n++; n == requests { // a request takes about a millisecond: some die before the commit, some after it
			time.AfterFunc(time.Duration(requests%5)*400*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait()
	if n < requests {
		t.Fatalf("the process ended by itself after %d requests", n)
	}
	return last
}
