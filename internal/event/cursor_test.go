package event_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"testing"

	"parkwire/internal/event"
)

var topic = event.TopicID{1, 2, 3, 15: 9}

func TestACursorComesBackAsItWas(t *testing.T) {
	for _, offsets := range []event.Offsets{
		nil, {0}, {event.None}, {event.None, 5, 1 << 40, 0}, {1<<62 - 1}, event.NewOffsets(10_000),
	} {
		c := event.Cursor{Topic: topic, Offsets: offsets}
		text := c.String()
		if strings.ContainsAny(text, "+/=\"\\ ") {
			t.Errorf("%v as %s needs escaping", offsets, text)
		}
		back, err := event.ParseCursor(text, topic)
		if err != nil || back.Topic != topic || !slices.Equal(back.Offsets, offsets) {
			t.Errorf("%v came back as %v, %v", offsets, back, err)
		}
	}
	year := slices.Repeat(event.Offsets{31_536_000_000}, 6)
	if text := (event.Cursor{Topic: topic, Offsets: year}).String(); len(text) > 60 {
		t.Errorf("a year-old log of six partitions takes %d characters", len(text))
	}
}

func TestACursorIntoAnotherLogIsToldFromOneThatIsNone(t *testing.T) {
	c := event.Cursor{Topic: event.TopicID{7}, Offsets: event.Offsets{1}}
	if _, err := event.ParseCursor(c.String(), topic); !errors.Is(err, event.ErrOtherTopic) {
		t.Errorf("got %v", err)
	}
	ours := event.Cursor{Topic: topic}.String()
	full := event.Cursor{Topic: topic, Offsets: event.Offsets{1, 2, 3}}.String()
	head, err := base64.RawURLEncoding.DecodeString(ours)
	if err != nil {
		t.Fatal(err)
	}
	damaged := func(tail ...byte) string { return summed(append(head[:len(head)-4:len(head)-4], tail...)) }
	for name, text := range map[string]string{
		"nothing":               "",
		"a word":                "latest",
		"no base64":             ours + "!",
		"padded":                ours + "=",
		"too short":             ours[:8],
		"another version":       "B" + ours[1:],
		"a varint cut short":    damaged(0x80),
		"a varint in two bytes": damaged(0x80, 0x00),
		"a line feed":           ours + "\n",
		"cut at an offset":      full[:len(full)-1],
		"an offset changed":     base64.RawURLEncoding.EncodeToString(append(head[:9:9], append([]byte{5}, head[9:]...)...)),
		"a varint over 64 bits": damaged(slices.Repeat([]byte{0xff}, 11)...),
		"an offset too large":   damaged(binary.AppendUvarint(nil, math.MaxUint64)...),
		"too many partitions":   damaged(make([]byte, 10_001)...),
		"megabytes":             strings.Repeat("A", 4<<20),
	} {
		if c, err := event.ParseCursor(text, topic); !errors.Is(err, event.ErrCursor) {
			t.Errorf("%s: got %d offsets, %v", name, len(c.Offsets), err)
		}
	}
}

// summed is the text of the bytes of a cursor, whose checksum it adds.
func summed(b []byte) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
}

// A cursor's text is the only one of its vector, whether it came from us or from somebody who can reckon checksums.
func FuzzParseCursor(f *testing.F) {
	good := event.Cursor{Topic: topic, Offsets: event.Offsets{3, event.None, 900}}.String()
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{good, good + "\n", good[:5] + "\r\n" + good[5:], good[:len(good)-1] + "_", "", "AQ", "Ag"} {
		f.Add(text, raw[:len(raw)-4])
	}
	f.Add("", append(raw[:9:9], 0x80, 0x00))
	f.Fuzz(func(t *testing.T, text string, raw []byte) {
		for _, text := range []string{text, summed(raw)} {
			c, err := event.ParseCursor(text, topic)
			if err != nil {
				continue
			}
			if c.String() != text || slices.ContainsFunc(c.Offsets, func(o int64) bool { return o < event.None }) {
				t.Fatalf("%q is read as %v, whose text is %q", text, c.Offsets, c)
			}
		}
	})
}

func TestOffsetsAreAVectorOfWhatWasSeen(t *testing.T) {
	var o event.Offsets
	if o.At(3) != event.None || o.Covers(3, 0) || !o.Contains(nil) || !o.Contains(event.NewOffsets(4)) {
		t.Error("an empty vector has seen something")
	}
	o = o.Advance(2, 7).Advance(2, 5).Advance(0, 0)
	if !slices.Equal(o, event.Offsets{0, event.None, 7}) {
		t.Errorf("got %v", o)
	}
	if !o.Covers(2, 7) || o.Covers(2, 8) || !o.Covers(0, 0) || o.Covers(1, 0) {
		t.Error("what is covered is not what was seen")
	}
	if !o.Contains(event.Offsets{0}) || o.Contains(event.Offsets{event.None, 0}) || o.Contains(event.Offsets{0, event.None, 7, 0}) {
		t.Error("contains more or less than was seen")
	}
	joined := o.Join(event.Offsets{5, event.None, 6, 1})
	if !slices.Equal(joined, event.Offsets{5, event.None, 7, 1}) || !slices.Equal(o, event.Offsets{0, event.None, 7}) {
		t.Errorf("joined to %v, from what is now %v", joined, o)
	}
}
