package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/postgres"
	"parkwire/internal/relay"
)

// ownServer starts a server that the test may kill. kit runs test/kit/postgres.sh for it.
func ownServer(t *testing.T) (address string, kit func(command string) string) {
	t.Helper()
	for _, program := range []string{"bash", "psql"} {
		if _, err := exec.LookPath(program); err != nil {
			absent(t, program+" is not installed, by which the test would run a server of its own")
		}
	}
	installed, _ := filepath.Glob("/usr/*/postgresql/*/bin/postgres")
	more, _ := filepath.Glob("/usr/local/lib/postgresql/*/bin/postgres")
	if len(installed)+len(more) == 0 && os.Getenv("PGBIN") == "" {
		absent(t, "PostgreSQL is not installed")
	}
	dir, err := os.MkdirTemp("", "parkwire-crash-") // not t.TempDir, which the server's user may not enter
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	kit = func(command string) string {
		t.Helper()
		cmd := exec.Command("../../../test/kit/postgres.sh", command)
		cmd.Env = append(os.Environ(), "KIT_DIR="+dir, "KIT_POSTGRES_PORT=")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("postgres.sh %s: %v", command, err)
		}
		return strings.TrimSpace(string(out))
	}
	t.Cleanup(func() {
		kit("wipe")
		os.RemoveAll(dir)
	})
	return kit("start"), kit
}

func TestNothingAcknowledgedIsLostWhenTheServerIsKilled(t *testing.T) {
	address, kit := ownServer(t)
	s := started(t, postgres.Options{URL: address})
	const writers = 6
	ids := make([]string, writers)
	for i := range ids {
		ids[i] = fmt.Sprint("s", i)
	}
	update(t, s, addLot("l"), addSpots(ids...))
	first := lead(t, s)
	within(t, 5*time.Second, "it leads", first.leads)

	var acknowledged [writers]atomic.Int64
	var refused atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	for i, id := range ids {
		acknowledged[i].Store(1)
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var version int64
				err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
					found, err := tx.Spots(ctx, []string{id})
					if err != nil {
						return err
					}
					spot := found[id]
					spot.Version++
					version = spot.Version
					return errors.Join(tx.SaveSpots(ctx, []parking.Spot{spot}), tx.Append(ctx,
						[]relay.OutboxRow{{SpotID: id, Value: strconv.AppendInt(nil, version, 10)}}, nil))
				})
				switch {
				case err == nil:
					acknowledged[i].Store(version)
				case errors.Is(err, parking.ErrUnavailable):
					refused.Add(1)
					time.Sleep(10 * time.Millisecond)
				default:
					t.Errorf("a transaction failed otherwise: %v", err)
					return
				}
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	kit("kill")
	within(t, 4*time.Second, "the leader is told", first.lost)
	time.Sleep(1500 * time.Millisecond)
	if err := s.Ready(); !errors.Is(err, parking.ErrUnavailable) {
		t.Errorf("ready without a server: %v", err)
	}
	kit("start")
	eventually(t, "it is ready again", s.Ready)
	time.Sleep(500 * time.Millisecond)
	close(stop)
	group.Wait()

	pending, err := s.Pending(t.Context(), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]int64{}
	for _, row := range pending {
		version, _ := strconv.ParseInt(string(row.Value), 10, 64)
		if version != max(last[row.SpotID], 1)+1 {
			t.Fatalf("spot %s: version %d after %d", row.SpotID, version, last[row.SpotID])
		}
		last[row.SpotID] = version
	}
	for i, id := range ids {
		spot, err := s.Spot(t.Context(), id)
		if err != nil || spot.Version != last[id] || spot.Version < acknowledged[i].Load() {
			t.Errorf("%s: state has version %d, outbox %d, acknowledged was %d (%v)", id, spot.Version, last[id], acknowledged[i].Load(), err)
		}
	}
	if refused.Load() == 0 {
		t.Error("no transaction was refused, so the server was not away")
	}
	t.Logf("%d commits, %d refused meanwhile", len(pending), refused.Load())
}
