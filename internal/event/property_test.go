package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parkwire/internal/event"
)

func vectors() *rapid.Generator[event.Offsets] {
	offset := rapid.OneOf(rapid.Int64Range(event.None, 3), rapid.Int64Range(event.None, 1<<62-1))
	return rapid.Map(rapid.SliceOfN(offset, 0, 8), func(o []int64) event.Offsets { return o })
}

// seenBy is the model of a vector: a vector has seen all up to an offset, of partitions it does not have nothing.
func seenBy(o event.Offsets, p int32) int64 {
	if int(p) < len(o) {
		return o[p]
	}
	return event.None
}

const beyond = 10 // more partitions than any vector here has

func TestVectorsAreOrderedByWhatTheyHaveSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := vectors().Draw(t, "a"), vectors().Draw(t, "b"), vectors().Draw(t, "c")
		kept := [][]int64{slices.Clone(a), slices.Clone(b)}
		contains, joined := true, a.Join(b)
		for p := range int32(beyond) {
			contains = contains && seenBy(b, p) <= seenBy(a, p)
			if a.At(p) != seenBy(a, p) || joined.At(p) != max(seenBy(a, p), seenBy(b, p)) {
				t.Fatalf("of partition %d %v has seen %d, and %v what it and %v have", p, a, a.At(p), joined, b)
			}
		}
		if a.Contains(b) != contains {
			t.Fatalf("that %v contains %v is not %v", a, b, a.Contains(b))
		}
		same := func(x, y event.Offsets) bool { return x.Contains(y) && y.Contains(x) }
		if !same(joined, b.Join(a)) || !same(a.Join(a), a) || !same(joined.Join(c), a.Join(b.Join(c))) {
			t.Fatal("the order matters in which vectors are joined, or how often")
		}
		if joined.Contains(c) != (c == nil || joined.Join(c).Contains(c) && same(joined.Join(c), joined)) {
			t.Fatalf("%v contains %v, which adds to it", joined, c)
		}
		p, offset := rapid.Int32Range(0, beyond-1).Draw(t, "partition"), rapid.Int64Range(0, 1<<61).Draw(t, "offset")
		if a.Covers(p, offset) != (offset <= seenBy(a, p)) {
			t.Fatalf("that %v covers %d of partition %d is not %v", a, offset, p, a.Covers(p, offset))
		}
		advanced := slices.Clone(a).Advance(p, offset)
		if !advanced.Contains(a) || !advanced.Covers(p, offset) || advanced.At(p) != max(a.At(p), offset) {
			t.Fatalf("%v advanced to %d of partition %d is %v", a, offset, p, advanced)
		}
		if !slices.Equal(a, kept[0]) || !slices.Equal(b, kept[1]) {
			t.Fatal("to ask a vector changed it")
		}
	})
}

// Every vector comes back from its text as it was; damaged, it is refused, or is the vector that the damaged text means:
// two vectors never have the same text, and no vector has two.
func TestACursorsTextMeansOneVector(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var id event.TopicID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "topic"))
		c := event.Cursor{Topic: id, Offsets: vectors().Draw(t, "offsets")}
		text := c.String()
		if got := c.Append([]byte("kept")); string(got) != "kept"+text {
			t.Fatalf("appended %s", got)
		}
		back, err := event.ParseCursor(text, id)
		if err != nil || back.Topic != id || !slices.Equal(back.Offsets, c.Offsets) {
			t.Fatalf("%v came back as %v, %v", c, back, err)
		}
		other := id
		other[rapid.IntRange(0, 15).Draw(t, "byte")] ^= rapid.ByteMin(1).Draw(t, "change")
		if _, err := event.ParseCursor(text, other); !errors.Is(err, event.ErrOtherTopic) {
			t.Fatalf("in another log the cursor is %v", err)
		}
		damaged := []byte(text)
		at := rapid.IntRange(0, len(damaged)-1).Draw(t, "at")
		switch rapid.IntRange(0, 3).Draw(t, "damage") {
		case 0:
			damaged = damaged[:at]
		case 1:
			damaged[at] = rapid.Byte().Draw(t, "to")
		case 2:
			damaged = slices.Insert(damaged, at, rapid.Byte().Draw(t, "new"))
		default:
			damaged = slices.Delete(damaged, at, at+1)
		}
		read, err := event.ParseCursor(string(damaged), id)
		switch {
		case err == nil && read.String() != string(damaged):
			t.Fatalf("%q is read as %v, whose text is %q", damaged, read.Offsets, read)
		case err != nil && !errors.Is(err, event.ErrCursor) && !errors.Is(err, event.ErrOtherTopic):
			t.Fatalf("%q is refused with %v", damaged, err)
		}
	})
}

// What is taken for a message of the bridge is one: the event in it is whole, and the bridge would write it the same.
func FuzzCutLogPosition(f *testing.F) {
	for _, s := range []string{
		`{"spotId":"A","logTopic":"00000000000000ff","log":{"partition":1,"offset":2,"after":1}}`, `{"logTopic":"00000000000000ff","log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A","log":{"partition":1,"offset":2,"after":1}}`, `{"log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A", "log":{"partition":1,"offset":2,"after":1}}`, `{"spotId":"A""log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A","log":{"partition":1,"offset":2,"after":1,"after":0}}`, `{"spotId":"A","log":{"partition":1,"Offset":2,"after":-1} }`,
		`{"spotId":"A","x":{"log":{"partition":1,"offset":2,"after":1}}}`, `{"spotId":"A","x":{"y":1,"log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A","note":"\"log\":{\"partition\":1","log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A","logTopic":"00000000000000ff","logTrace":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","log":{"partition":1,"offset":2,"after":1}}`,
		`{"spotId":"A","logTrace":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","log":{"partition":1,"offset":2,"after":1}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		given := bytes.Clone(message)
		value, p, ok := event.CutLogPosition(message)
		if !bytes.Equal(message, given) || !ok && !bytes.Equal(value, given) {
			t.Fatalf("%q was changed", given)
		}
		if !ok {
			return
		}
		if again := event.AppendLogPosition(nil, value, p); !bytes.Equal(again, message) {
			t.Fatalf("%q is taken for %+v of %q, which the bridge writes as %q", message, p, value, again)
		}
		if json.Valid(message) != json.Valid(value) {
			t.Fatalf("%q and %q in it are not both JSON", message, value)
		}
	})
}
