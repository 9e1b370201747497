package sqlite_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/sqlite"
	"parkwire/internal/relay"
)

const envChild = "PARKWIRE_TEST_CHILD_DATABASE"

var when = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func addLot(ctx context.Context, tx parking.Tx) error {
	return tx.AddLot(ctx, parking.Lot{ID: "l", CreatedAt: when, UpdatedAt: when})
}

// next gives the spot its next version, adding it where it is missing, with a row in the outbox.
func next(version *int64) func(context.Context, parking.Tx) error {
	return func(ctx context.Context, tx parking.Tx) error {
		found, err := tx.Spots(ctx, []string{"s"})
		if err != nil {
			return err
		}
		spot, ok := found["s"]
		if !ok {
			spot = parking.Spot{ID: "s", LotID: "l", Occupancy: parking.Vacant, AddedAt: when, ChangedAt: when}
		}
		spot.Version++
		*version = spot.Version
		return errors.Join(tx.SaveSpots(ctx, []parking.Spot{spot}),
			tx.Append(ctx, []relay.OutboxRow{{SpotID: "s", Value: strconv.AppendInt(nil, spot.Version, 10)}}, nil))
	}
}

// TestChild is no test but the process that the others start: it commits and prints each version that was
// acknowledged, until it is killed.
func TestChild(t *testing.T) {
	path := os.Getenv(envChild)
	if path == "" {
		t.Skip("skipped: it is the process that other tests start")
	}
	s := started(t, path)
	_ = s.Update(t.Context(), addLot) // it is there from the second time on
	for {
		var version int64
		if err := s.Update(t.Context(), next(&version)); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("committed %d\n", version)
	}
}

// child starts the process and returns its output from the first commit on.
func child(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), envChild+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "committed ") {
			return cmd, lines
		}
	}
	t.Fatal("the process ended before it committed anything")
	return nil, nil
}

func TestNothingAcknowledgedIsLostWhenTheProcessIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parkwire.db")
	for round := range 3 {
		cmd, lines := child(t, path)
		time.AfterFunc(time.Duration(100+round*50)*time.Millisecond, func() { _ = cmd.Process.Kill() })
		var acknowledged int64
		for lines.Scan() {
			if n, err := strconv.ParseInt(strings.TrimPrefix(lines.Text(), "committed "), 10, 64); err == nil {
				acknowledged = n
			}
		}
		_ = cmd.Wait()

		s := open(t, path)
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		spot, err := s.Spot(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		if spot.Version < acknowledged || spot.Version > acknowledged+1 {
			t.Errorf("version %d is stored, %d was acknowledged", spot.Version, acknowledged)
		}
		rows, err := s.Pending(t.Context(), 1_000_000)
		if err != nil || int64(len(rows)) != spot.Version {
			t.Errorf("%d rows for version %d, %v", len(rows), spot.Version, err)
		}
		for i, row := range rows {
			if string(row.Value) != strconv.Itoa(i+1) {
				t.Fatalf("row %d is of version %s", i, row.Value)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTwoProcessesDoNotShareAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parkwire.db")
	cmd, _ := child(t, path)
	s := open(t, path)
	err := s.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("start: %v", err)
	}
	if s.Ready() == nil {
		t.Error("it is ready")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := s.Start(t.Context()); err != nil {
		t.Errorf("after the other was killed: %v", err)
	}
}

func TestOtherProgramsReadTheFileMeanwhile(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("skipped: sqlite3 is not installed")
	}
	path := filepath.Join(t.TempDir(), "parkwire.db")
	s := started(t, path)
	if err := s.Update(t.Context(), addLot); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		out, err := exec.Command("sqlite3", "-readonly", path, "select id from lots").CombinedOutput()
		if err != nil {
			t.Errorf("sqlite3: %v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if got := read(); got != "l" {
		t.Errorf("read %q", got)
	}
	err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
		err := tx.RemoveLot(ctx, "l")
		if got := read(); got != "l" {
			t.Errorf("read %q in the middle of a transaction", got)
		}
		return err
	})
	if got := read(); err != nil || got != "" {
		t.Errorf("read %q afterwards, %v", got, err)
	}
}

func TestNothingTouchesTheDiskBeforeStart(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "new", "folder ?&%41 ü", "parkwire.db"))
	if s.Ready() == nil {
		t.Error("it is ready")
	}
	if err := s.Update(t.Context(), addLot); !errors.Is(err, parking.ErrUnavailable) {
		t.Errorf("a transaction before the start: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("there are %v, %v", entries, err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "new", "folder ?&%41 ü", "parkwire.db")); err != nil {
		t.Error(err)
	}
}

func TestAPathThatCannotBeUsedIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "file", "parkwire.db")
	s := open(t, path)
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("start: %v", err)
	}
	if _, err := sqlite.Open(sqlite.Options{}); err == nil {
		t.Error("an empty path is accepted")
	}
}

func TestAFileThatIsNoDatabaseIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parkwire.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Start(t.Context()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("start: %v", err)
	}
}

func TestStartWaitsWhileAnotherProgramHasTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "parkwire.db")
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	for _, query := range []string{"create table theirs (x)", "begin exclusive"} {
		if _, err := other.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := s.Start(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("start: %v", err)
	}
	if s.Ready() == nil {
		t.Error("it is ready")
	}
	time.AfterFunc(300*time.Millisecond, func() { _, _ = other.Exec("rollback") })
	if err := s.Start(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Ready(); err != nil {
		t.Error(err)
	}
}
