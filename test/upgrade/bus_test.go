package upgrade

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
)

func metadata(ctx context.Context, client *kgo.Client, topic string) (event.TopicID, error) {
	found, err := kadm.NewClient(client).Metadata(ctx, topic)
	return event.TopicID(found.Topics[topic].ID), errors.Join(err, found.Topics[topic].Err)
}

// During a rolling update bridges of one version publish to instances of the other, and clients come back with cursors of the other. The file has, line by
// line, messages as they stood on the bus, and a cursor with what it says.
func TestMessagesAndCursorsOfEveryVersionAreUnderstood(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(published, "v*", "bus.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are %d files: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			switch kind {
			case "message":
				value, p, ok := event.CutLogPosition([]byte(rest))
				if e, err := event.Decode(value); !ok || err != nil || e.SpotID != "A-1" || p.Partition != 3 || p.Offset != 41 || p.After != 40 {
					t.Errorf("%s: %s is read as %+v of %s, %v, %v", file, rest, p, value, ok, err)
				}
				again := event.AppendLogPosition(nil, value, p)
				if filepath.Base(filepath.Dir(file)) == "v1" && string(again) != rest {
					t.Errorf("%s: what was %s is written as %s", file, rest, again)
				}
			case "cursor":
				topic := event.TopicID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
				c, err := event.ParseCursor(rest, topic)
				if err != nil || len(c.Offsets) != 3 || c.Offsets[0] != 7 || c.Offsets[1] != event.None || c.Offsets[2] != 1_000_000 {
					t.Errorf("%s: the cursor %s is read as %v, %v", file, rest, c.Offsets, err)
				}
				if again := (event.Cursor{Topic: topic, Offsets: event.Offsets{7, event.None, 1_000_000}}).String(); again != rest {
					t.Errorf("%s: what was the cursor %s is written as %s", file, rest, again)
				}
			default:
				t.Errorf("%s: %q is no kind of line", file, kind)
			}
		}
	}
}
