package load

import (
	"testing"

	"pgregory.net/rapid"
)

// TestTheBookCountsWhatHappened lets a server lose, repeat and reorder at random, and counts beside the book in the simplest way.
func TestTheBookCountsWhatHappened(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook(false)
		base := uint32(rapid.IntRange(0, 20).Draw(t, "published before"))
		var p place
		b.subscribed(&p, base)
		total := base + uint32(rapid.IntRange(0, 60).Draw(t, "published"))
		early := uint32(rapid.IntRange(0, int(min(base, 3))).Draw(t, "under way at the subscription"))
		var order []uint32
		for n := base - early + 1; n <= total; n++ {
			switch rapid.SampledFrom([]string{"comes", "comes", "comes", "lost", "twice", "swapped"}).Draw(t, "fate") {
			case "comes":
				order = append(order, n)
			case "twice":
				order = append(order, n, n)
			case "swapped":
				if order = append(order, n); len(order) > 1 && n > base+2 && order[len(order)-2] > base+1 {
					order[len(order)-1], order[len(order)-2] = order[len(order)-2], order[len(order)-1]
				}
			}
		}
		seen, newest := map[uint32]bool{}, uint32(0)
		first := uint32(0)
		var want tally
		for _, n := range order {
			b.seen(1, &p, n)
			switch {
			case seen[n] || newest > 0 && n < first && n <= base: // what was before the first is not owed
				want.Repeated++
			default:
				if first == 0 {
					first = min(n, base+1)
				}
				if n < newest {
					want.OutOfOrder++
				}
				want.Delivered++
			}
			seen[n], newest = true, max(newest, n)
		}
		owed := base + 1
		if first > 0 {
			owed = min(first, owed)
		}
		for n := owed; n <= total; n++ {
			if !seen[n] {
				want.Lost++
			}
		}
		if newest == 0 {
			newest = base
		}
		if b.position != uint64(newest) {
			t.Fatalf("after %v the place is %d", order, b.position)
		}
		b.end(1, p, total)
		want.Expected = want.Delivered + want.Lost
		if got := b.total(); got != want {
			t.Fatalf("subscribed at %d of %d, got %v: %+v instead of %+v", base, total, order, got, want)
		}
	})
}

func TestWhoComesBackWithoutACursorMissesWhatPassed(t *testing.T) {
	for name, c := range map[string]struct {
		lost bool
		got  []uint32 // after events 1 and 2, and a return when 5 were published; 7 in all
		want tally
	}{
		"in order":                      {false, []uint32{6, 7}, tally{Delivered: 4, Expected: 4, Missed: 3}},
		"one was under way":             {false, []uint32{5, 6, 7}, tally{Delivered: 5, Expected: 5, Missed: 2}},
		"one was known already":         {false, []uint32{2, 3, 4, 5, 6, 7}, tally{Delivered: 7, Expected: 7}},
		"one is lost":                   {false, []uint32{7}, tally{Delivered: 3, Expected: 4, Lost: 1, Missed: 3}},
		"its cursor had expired":        {true, []uint32{6, 7}, tally{Delivered: 4, Expected: 7, Lost: 3}},
		"expired, and one is under way": {true, []uint32{5, 6, 7}, tally{Delivered: 5, Expected: 7, Lost: 2}},
	} {
		b, p := newBook(false), place{}
		b.subscribed(&p, 0)
		b.seen(1, &p, 1)
		b.seen(1, &p, 2)
		b.subscribedAgain(1, &p, 5, c.lost)
		for _, n := range c.got {
			b.seen(1, &p, n)
		}
		b.end(1, p, 7)
		if got := b.total(); got != c.want {
			t.Errorf("%s: %+v instead of %+v", name, got, c.want)
		}
	}
}

func TestVeryManyHolesStayCounted(t *testing.T) {
	b, p := newBook(false), place{}
	b.subscribed(&p, 0)
	for n := uint32(2); n <= 1000; n += 2 {
		b.seen(1, &p, n)
	}
	b.end(1, p, 1000)
	if got := b.total(); got.Lost != 500 || len(b.holes[1]) > maxHoles {
		t.Errorf("of 500 lost it counts %d, with %d holes", got.Lost, len(b.holes[1]))
	}
}

func TestCursorsAreThoseOfTheirEvents(t *testing.T) {
	c := newCursors(plain, 1)
	c.size = 8
	for n := uint32(3); n <= 30; n++ {
		if !c.wants(1, n) {
			t.Errorf("the cursor of %d is not wanted", n)
		}
		c.put(1, n, []byte{byte(n)})
		if c.wants(1, n) {
			t.Errorf("the cursor of %d is wanted again", n)
		}
	}
	for n := uint32(0); n <= 31; n++ {
		want := ""
		if n > 22 && n <= 30 {
			want = string(rune(n))
		}
		if got := c.at(1, n); got != want {
			t.Errorf("the cursor of %d is %q instead of %q", n, got, want)
		}
	}
	if without := newCursors(socketIO, 1); without.wants(1, 1) || without.at(1, 1) != "" {
		t.Error("Socket.IO has cursors")
	}
	for text, want := range map[string]string{`{"a":1,"cursor":"xy"}`: "xy", `{"cursor":"xy","a":"b"}`: "", `{"a":"cursor"}`: "", "": "", `{"cursor":"xy"} `: "xy"} {
		if got := string(cursorOf([]byte(text))); got != want {
			t.Errorf("the cursor of %s is %q", text, got)
		}
	}
}
