package upgrade

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parkwire/test/e2e/stack"
)

// sums has a line for each migration that was ever published: its sum and its path.
const sums = "migrations.sums"

// migrations returns every migration of the tree, by path.
func migrations(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(filepath.Join(stack.Root(), "internal"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".sql" || !strings.Contains(path, "/migrations/") || strings.Contains(path, "/testdata/") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(stack.Root(), path)
		all[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d migrations were found: %v", len(all), err)
	}
	return all
}

// A database has seen a migration once and for all. One that is changed afterwards is two schemas under one number.
func TestAMigrationThatWasPublishedIsNeverChanged(t *testing.T) {
	text, err := os.ReadFile(sums)
	if err != nil && !*update {
		t.Fatal(err)
	}
	published := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, path, _ := strings.Cut(strings.TrimSpace(line), "  ")
		published[path] = sum
	}
	now := migrations(t)
	for path, sum := range published {
		switch text, there := now[path]; {
		case !there:
			t.Errorf("%s was published, and is gone: databases that have it would not know what they are", path)
		case fmt.Sprintf("%x", sha256.Sum256([]byte(text))) != sum:
			t.Errorf("%s was published, and is changed: add another migration", path)
		}
	}
	var lines strings.Builder
	added := false
	for _, path := range slices.Sorted(maps.Keys(now)) {
		if published[path] == "" {
			added = true
			if !*update {
				t.Errorf("%s is new: go test ./test/upgrade -run Migration -update adds its sum, with which it may not be changed any more", path)
			}
		}
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256([]byte(now[path])), path)
	}
	if *update && added && !t.Failed() {
		if err := os.WriteFile(sums, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// lossy finds what the version before would not survive: it goes on reading and writing what was there. A column that is added must have a default, or may
// be null, since that version does not know of it.
var lossy = regexp.MustCompile(`(?im)\bdrop\s+(table|column|view|schema|type)\b|\brename\s+(to|column)\b|\balter\s+(column\s+)?\w+\s+(type|set\s+not\s+null|set\s+data)\b|^\s*truncate\b|\bdelete\s+from\b`)

var addsColumn = regexp.MustCompile(`(?is)\badd\s+column\s+(\w+)([^;,]*)`)

func TestMigrationsGoForwardAndTheVersionBeforeSurvivesThem(t *testing.T) {
	first := regexp.MustCompile(`/00001_[^/]*$`)
	for path, text := range migrations(t) {
		up, _, _ := strings.Cut(text, "-- +goose Down") // which nothing ever runs
		bare := regexp.MustCompile(`--[^\n]*`).ReplaceAllString(up, "")
		if first.MatchString(path) {
			continue // there was nothing before
		}
		if found := lossy.FindString(bare); found != "" {
			t.Errorf("%s does %q, which the version before does not survive: do it in two releases (docs/upgrading.md)", path, found)
		}
		for _, column := range addsColumn.FindAllStringSubmatch(bare, -1) {
			if rest := strings.ToLower(column[2]); strings.Contains(rest, "not null") && !strings.Contains(rest, "default") {
				t.Errorf("%s adds the column %s without a default: the version before could not insert any more", path, column[1])
			}
		}
	}
}
