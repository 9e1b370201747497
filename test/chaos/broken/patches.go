package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A breakage is a defect that somebody might make, as small as possible, and the scenario that must find it.
type breakage struct {
	name     string
	what     string
	scenario string
	patches  []patch
}

// patch replaces a text that stands in a file exactly once.
type patch struct{ file, old, new string }

var breakages = []breakage{
	{
		name: "duplicates", what: "live instances do not drop what they have already, by partition and offset", scenario: "bridge-rebalance",
		patches: []patch{
			{"internal/live/follow.go", "case position.Offset <= head:", "case position.Offset < 0:"},
			{"internal/live/deliver.go", "if s.heads.Covers(partition, offset) {", "if offset < 0 {"},
		},
	},
	{
		name: "holes", what: "live instances do not look for what the bus lost", scenario: "redis-flushall",
		patches: []patch{
			{"internal/live/follow.go", "case position.Offset > head+1:", "case position.Offset < 0:"},
			{"internal/live/follow.go", `s.catch(ctx, before, "heads")`, `s.catch(ctx, before[:0], "heads")`},
			{"internal/live/follow.go", `s.catch(ctx, now.heads, "")`, `s.catch(ctx, now.heads[:0], "")`},
		},
	},
	{
		name: "early", what: "the relay removes rows before Kafka has acknowledged them", scenario: "relay-killed",
		patches: []patch{{"internal/relay/relay.go", "	l.waits(true)\n", `	var early []int64
	for _, row := range rows {
		early = append(early, row.ID)
	}
	if err := l.options.Outbox.Done(ctx, early, l.upTo(l.covered)); err != nil {
		return err
	}
	l.metrics.carried.Add(float64(len(early)))
	l.waits(true)
`}},
	},
	{
		name: "again", what: "a new leader of the relay does not look which rows are in Kafka already", scenario: "relay-killed",
		patches: []patch{{"internal/relay/relay.go", "waits[string(id)] && !twice {", "waits[string(id)] && !twice && len(id) == 0 {"}},
	},
}

// overlay writes the patched files into dir, and a file for "go build -overlay" that puts them in the place of the real ones.
func (b breakage) overlay(root, dir string) (string, error) {
	texts, err := b.apply(root)
	if err != nil {
		return "", err
	}
	if root, err = filepath.Abs(root); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for file, text := range texts {
		path := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
		replace[filepath.Join(root, file)] = path
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o644)
}

// apply returns the patched files. It fails where a text is not there exactly once: then the code has changed, and
// whoever changed it says anew how it would be broken.
func (b breakage) apply(root string) (map[string]string, error) {
	texts := map[string]string{}
	for _, p := range b.patches {
		text, read := texts[p.file]
		if !read {
			bytes, err := os.ReadFile(filepath.Join(root, p.file))
			if err != nil {
				return nil, err
			}
			text = string(bytes)
		}
		if n := strings.Count(text, p.old); n != 1 {
			return nil, fmt.Errorf("the breakage %q: %q stands %d times in %s instead of once; say in test/chaos/broken/patches.go how to break the present code",
				b.name, p.old, n, p.file)
		}
		texts[p.file] = strings.Replace(text, p.old, p.new, 1)
	}
	return texts, nil
}
