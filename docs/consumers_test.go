package docs

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// blocks are the blocks of a document that name a file.
func blocks(t *testing.T, file string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, found := range regexp.MustCompile("(?ms)^```\\w+ (\\S+)\n(.*?)^```$").FindAllStringSubmatch(read(t, file), -1) {
		all[found[1]] = found[2]
	}
	return all
}

// buildFourth compiles the service of consumers.md as if its files were in the tree, and returns the program.
func buildFourth(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay := map[string]map[string]string{"Replace": {}}
	places := map[string]string{
		"counts.go": "internal/counts/counts.go", "00001_counts.sql": "internal/counts/migrations/00001_counts.sql", "main.go": "cmd/counts/main.go",
	}
	files := blocks(t, "consumers.md")
	for name, place := range places {
		if files[name] == "" {
			t.Fatalf("consumers.md has no block for %s", name)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(files[name]), 0o644); err != nil {
			t.Fatal(err)
		}
		overlay["Replace"][filepath.Join(root, place)] = path
	}
	if lines := strings.Count(files["counts.go"][strings.Index(files["counts.go"], "//go:embed"):], "\n"); lines > 25 {
		t.Errorf("the service has %d lines", lines)
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "counts")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, "-o", program, "./cmd/counts")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("what consumers.md shows does not compile: %v\n%s", err, out)
	}
	return program
}

func TestTheFourthServiceOfTheDocumentCountsEachChangeOnce(t *testing.T) {
	program := buildFourth(t)
	broker := logtest.Broker(t, "").Addr()
	o := sqldbtest.SQLite(t, nil)
	start := func() *exec.Cmd {
		t.Helper()
		cmd := exec.Command(program, broker, o.URL)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd
	}
	service := start()
	// The topics are there when the service has made them.
	client := logtest.Client(t, []string{broker}, kgo.UnknownTopicRetries(-1))
	defer client.Close()
	written := 0
	write := func(n int) {
		t.Helper()
		for range n {
			value, err := event.Encode(event.Event{SpotID: "A", LotID: "central", Change: event.ChangeOccupied, Status: event.Occupied})
			if err != nil {
				t.Fatal(err)
			}
			client.Produce(t.Context(), &kgo.Record{Topic: "parking-events", Key: []byte("A"), Value: value}, nil)
			written++
		}
		client.Produce(t.Context(), &kgo.Record{Topic: "parking-events", Key: []byte("A"), Value: []byte("nothing")}, nil)
		if err := client.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	count := func(query string) (n int64) {
		looks := o
		looks.ReadOnly = true
		db := sqldbtest.Open(t, looks)
		defer db.Close()
		err := db.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
			n, _, err = sqldb.One(ctx, tx, func(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }, query)
			return err
		})
		if err != nil {
			return -1 // its tables are not there yet
		}
		return n
	}
	reaches := func(what, query string, want int64) {
		t.Helper()
		var n int64
		for deadline := time.Now().Add(3 * logtest.Patience); ; time.Sleep(20 * time.Millisecond) {
			if n = count(query); n == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d, not %d", what, n, want)
			}
		}
	}
	changes := "select coalesce(sum(n), 0) from counts where lot_id = 'central' and change = 'occupied'"
	write(500)
	reaches("changes", changes, int64(written))
	write(2000)
	_ = service.Process.Kill()
	_ = service.Wait()
	service = start()
	write(100)
	reaches("changes after it was killed", changes, int64(written))
	reaches("records that are no events", "select count(*) from rejected_records", 3)
	if err := service.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := service.Wait(); err != nil {
		t.Error(fmt.Errorf("it ended with %w", err))
	}
}
