package decide

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
)

func location(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// window reads "mon,tue 08:00-10:00".
func window(t testing.TB, days []Day, from, to string) Window {
	t.Helper()
	w := Window{Days: AllDays}
	ok := true
	if days != nil {
		w.Days, ok = ParseDays(days)
	}
	var okFrom, okTo bool
	w.From, okFrom = ParseTimeOfDay(from)
	w.To, okTo = ParseTimeOfDay(to)
	if !ok || !okFrom || !okTo {
		t.Fatalf("%v %s-%s is no window", days, from, to)
	}
	return w
}

func TestHoursAreThoseOfTheClockOnTheWall(t *testing.T) {
	berlin, melbourne := location(t, "Europe/Berlin"), location(t, "Australia/Melbourne")
	morning := window(t, []Day{"mon", "tue", "wed", "thu", "fri"}, "08:00", "10:00")
	night := window(t, []Day{"fri"}, "22:00", "06:00")
	half := window(t, nil, "02:15", "02:45")
	until := window(t, []Day{"sun"}, "20:00", "24:00")
	for _, c := range []struct {
		what   string
		window Window
		zone   *time.Location
		at     string // UTC
		in     bool
	}{
		{"a weekday in winter", morning, berlin, "2026-01-05T07:00:00Z", true},
		{"a minute before", morning, berlin, "2026-01-05T06:59:59Z", false},
		{"its last second", morning, berlin, "2026-01-05T08:59:59Z", true},
		{"its end", morning, berlin, "2026-01-05T09:00:00Z", false},
		{"the same weekday in summer", morning, berlin, "2026-07-06T06:00:00Z", true},
		{"in summer by the hours of winter", morning, berlin, "2026-07-06T08:30:00Z", false},
		{"Saturday", morning, berlin, "2026-01-10T07:30:00Z", false},
		{"Friday night", night, berlin, "2026-01-09T22:00:00Z", true},
		{"Saturday before six is Friday's night", night, berlin, "2026-01-10T04:59:00Z", true},
		{"Saturday at six", night, berlin, "2026-01-10T05:00:00Z", false},
		{"Friday before six is Thursday's night", night, berlin, "2026-01-09T04:00:00Z", false},
		{"the hour that is there twice, first", half, berlin, "2026-10-25T00:30:00Z", true},
		{"the hour that is there twice, again", half, berlin, "2026-10-25T01:30:00Z", true},
		{"between the two", half, berlin, "2026-10-25T01:00:00Z", false},
		{"the hour that is skipped, where it would be", half, berlin, "2026-03-29T01:30:00Z", false},
		{"twice in Melbourne, first", half, melbourne, "2026-04-04T15:30:00Z", true},
		{"twice in Melbourne, again", half, melbourne, "2026-04-04T16:30:00Z", true},
		{"skipped in Melbourne", half, melbourne, "2026-10-03T16:30:00Z", false},
		{"up to midnight", until, melbourne, "2026-10-04T12:59:59Z", true},
		{"midnight", until, melbourne, "2026-10-04T13:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if in := within([]Window{c.window}, at.In(c.zone)); in != c.in {
			t.Errorf("%s (%s): within is %v", c.what, at.In(c.zone), in)
		}
	}
}

func TestTheNextTimeIsFoundAcrossChangesOfTheClock(t *testing.T) {
	berlin := location(t, "Europe/Berlin")
	for _, c := range []struct {
		what, from string
		windows    []Window
		wanted     bool
		next       string // "": never
	}{
		{"within already", "2026-01-05T07:30:00Z", []Window{window(t, nil, "08:00", "10:00")}, true, "2026-01-05T07:30:00Z"},
		{"later today", "2026-01-05T05:12:34Z", []Window{window(t, nil, "08:00", "10:00")}, true, "2026-01-05T07:00:00Z"},
		{"tomorrow, an hour earlier by UTC", "2026-03-28T12:00:00Z", []Window{window(t, nil, "08:00", "10:00")}, true, "2026-03-29T06:00:00Z"},
		{"next week", "2026-01-05T12:00:00Z", []Window{window(t, []Day{"mon"}, "08:00", "10:00")}, true, "2026-01-12T07:00:00Z"},
		{"the window that the clock jumps over comes the week after", "2026-03-28T12:00:00Z", []Window{window(t, []Day{"sun"}, "02:15", "02:45")}, true, "2026-04-05T00:15:00Z"},
		{"where the clock jumps into the window", "2026-03-29T00:30:00Z", []Window{window(t, nil, "02:30", "04:00")}, true, "2026-03-29T01:00:00Z"},
		{"where it is set back into the window", "2026-10-25T00:50:00Z", []Window{window(t, nil, "02:00", "02:45")}, true, "2026-10-25T01:00:00Z"},
		{"the end of the night", "2026-01-09T23:00:00Z", []Window{window(t, []Day{"fri"}, "22:00", "06:00")}, false, "2026-01-10T05:00:00Z"},
		{"the end of the night that is an hour longer", "2026-10-24T21:00:00Z", []Window{window(t, nil, "22:00", "06:00")}, false, "2026-10-25T05:00:00Z"},
		{"of windows that meet, the end of the last", "2026-01-05T07:00:00Z", []Window{window(t, nil, "08:00", "09:00"), window(t, nil, "09:00", "11:00")}, false, "2026-01-05T10:00:00Z"},
		{"outside of all hours", "2026-01-05T07:00:00Z", []Window{window(t, nil, "00:00", "24:00")}, false, ""},
	} {
		from, _ := time.Parse(time.RFC3339, c.from)
		got := next(c.windows, from, berlin, c.wanted)
		text := ""
		if !got.IsZero() {
			text = got.UTC().Format(time.RFC3339)
		}
		if text != c.next {
			t.Errorf("%s: %q, want %q", c.what, text, c.next)
		}
	}
}

func TestTheNextTimeIsTheOneThatIsFoundMinuteByMinute(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	zones := []*time.Location{time.UTC, location(t, "Europe/Berlin"), location(t, "Australia/Melbourne"), location(t, "Australia/Lord_Howe"), location(t, "Asia/Kathmandu")}
	begins := []time.Time{
		time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 3, 20, 0, 0, 0, time.UTC), time.Date(2026, 10, 2, 20, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC), time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC),
	}
	for i := range 400 {
		windows := randomWindows(random, 1+random.IntN(3))
		zone, wanted := zones[random.IntN(len(zones))], random.IntN(2) == 0
		from := begins[random.IntN(len(begins))].Add(time.Duration(random.IntN(48*60)) * time.Minute)
		want := time.Time{}
		for at := from; at.Before(from.Add(9 * 24 * time.Hour)); at = at.Add(time.Minute) {
			if within(windows, at.In(zone)) == wanted {
				want = at
				break
			}
		}
		got := next(windows, from, zone, wanted)
		if !want.IsZero() && !got.Equal(want) || want.IsZero() && !got.IsZero() && got.Before(from.Add(9*24*time.Hour)) {
			t.Fatalf("case %d: %+v in %s from %s, wanted %v: %s, want %s", i, windows, zone, from, wanted, got, want)
		}
	}
}

func randomWindows(random *rand.Rand, n int) []Window {
	windows := make([]Window, n)
	for i := range windows {
		w := Window{Days: uint8(1 + random.IntN(int(AllDays))), From: random.IntN(24) * 60, To: 15 * (1 + random.IntN(96))}
		if w.To == w.From {
			w.To = 24 * 60
		}
		windows[i] = w
	}
	return windows
}

func TestWindowsAreWrittenAsTheyAreRead(t *testing.T) {
	w := window(t, []Day{"sun", "mon", "fri"}, "22:00", "24:00")
	text, err := json.Marshal(w)
	if err != nil || string(text) != `{"days":["mon","fri","sun"],"from":"22:00","to":"24:00"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var again Window
	if err := json.Unmarshal(text, &again); err != nil || again != w {
		t.Errorf("%+v, %v", again, err)
	}
	for _, wrong := range []string{`{"days":["fr"],"from":"22:00","to":"24:00"}`, `{"days":["fri","fri"],"from":"22:00","to":"24:00"}`, `{"days":[],"from":"2:00","to":"24:00"}`, `{"days":[],"from":"22:00","to":"24:01"}`, `{"days":[],"from":"22:60","to":"23:00"}`} {
		if json.Unmarshal([]byte(wrong), &again) == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}
