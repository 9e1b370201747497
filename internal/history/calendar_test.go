package history

import (
	"testing"
	"time"
	_ "time/tzdata"

	"pgregory.net/rapid"
)

func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// The days on which clocks are changed are as long as they are, and their hours are told apart by their offsets.
func TestDaysOnWhichClocksAreChanged(t *testing.T) {
	for _, c := range []struct {
		name, zone, day string
		hours           time.Duration
		begins          []string // of some of its hours: the third to the sixth
	}{
		{"put forward in Berlin", "Europe/Berlin", "2026-03-29", 23 * time.Hour,
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T04:00:00+02:00"}},
		{"put back in Berlin", "Europe/Berlin", "2026-10-25", 25 * time.Hour,
			[]string{"2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T03:00:00+01:00"}},
		{"put back in Melbourne", "Australia/Melbourne", "2026-04-05", 25 * time.Hour,
			[]string{"2026-04-05T02:00:00+11:00", "2026-04-05T02:00:00+10:00"}},
		{"put forward in Melbourne", "Australia/Melbourne", "2026-10-04", 23 * time.Hour,
			[]string{"2026-10-04T03:00:00+11:00"}},
		{"by half an hour, back", "Australia/Lord_Howe", "2026-04-05", 24*time.Hour + 30*time.Minute,
			[]string{"2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30"}},
		{"by half an hour, forward", "Australia/Lord_Howe", "2026-10-04", 23*time.Hour + 30*time.Minute,
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00"}},
		{"a day without a midnight", "America/Sao_Paulo", "2012-10-21", 23 * time.Hour, nil},
		{"a day with its last hour twice", "America/Sao_Paulo", "2013-02-16", 25 * time.Hour, nil},
		{"a day with midnight twice", "America/Havana", "2026-11-01", 25 * time.Hour, nil},
		{"three quarters of an hour from full ones", "Asia/Kathmandu", "2026-11-24", 24 * time.Hour, []string{"2026-11-24T02:00:00+05:45"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone := zoneNamed(t, c.zone)
			date, err := time.Parse(time.DateOnly, c.day)
			if err != nil {
				t.Fatal(err)
			}
			begin := midnight(date.Year(), date.Month(), date.Day(), zone)
			if begin.Format(time.DateOnly) != c.day {
				t.Fatalf("%s begins at %v", c.day, begin)
			}
			if before := begin.Add(-time.Millisecond); before.Format(time.DateOnly) == c.day {
				t.Errorf("%v is of that day and before its begin, %v", before, begin)
			}
			end := Day.Next(begin)
			if end.Sub(begin) != c.hours {
				t.Errorf("%s is %v long, from %v to %v; it has %v", c.day, end.Sub(begin), begin, end, c.hours)
			}
			borders, _ := Hour.Borders(begin, end, zone, 100)
			if first, last := borders[0], borders[len(borders)-1]; !first.Equal(begin) || !last.Equal(end) {
				t.Errorf("its hours go from %v to %v; the day from %v to %v", first, last, begin, end)
			}
			all := map[string]bool{}
			for _, b := range borders {
				all[b.Format(time.RFC3339)] = true
			}
			for _, want := range c.begins {
				if !all[want] {
					t.Errorf("no hour begins at %s: %v", want, borders)
				}
			}
		})
	}
}

// Samoa went from the 29th to the 31st of December 2011.
func TestADayThatIsMissing(t *testing.T) {
	zone := zoneNamed(t, "Pacific/Apia")
	begin := midnight(2011, time.December, 29, zone)
	if next := Day.Next(begin); next.Format(time.RFC3339) != "2011-12-31T00:00:00+14:00" || next.Sub(begin) != 24*time.Hour {
		t.Errorf("behind the 29th, which begins at %v, comes %v", begin, next)
	}
	if of := Day.Begin(time.Date(2011, time.December, 31, 12, 0, 0, 0, zone), zone); of.Format(time.DateOnly) != "2011-12-31" {
		t.Errorf("the noon of the 31st belongs to the day that begins at %v", of)
	}
}

// Wherever and whenever: buckets follow one another without a hole, each moment is in the one that begins before it, and every border of an hour or a day
// is a quarter of an hour, which is what rollups are kept by.
func TestBucketsCoverTimeOnce(t *testing.T) {
	names := []string{
		"UTC", "Europe/Berlin", "Australia/Melbourne", "Australia/Lord_Howe", "America/Sao_Paulo", "America/Havana", "America/St_Johns", "Asia/Kathmandu",
		"Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca", "Asia/Gaza", "America/Asuncion", "Antarctica/Troll", "Asia/Tehran", "Atlantic/Azores", "Asia/Beirut",
	}
	zones := make([]*time.Location, len(names))
	for i, name := range names {
		zones[i] = zoneNamed(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		interval := rapid.SampledFrom(lengthsOfBuckets).Draw(t, "interval")
		at := time.Unix(rapid.Int64Range(time.Date(1995, 1, 1, 0, 0, 0, 0, time.UTC).Unix(), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC).Unix()).Draw(t, "at"), 0).In(zone)
		if _, change := at.ZoneBounds(); !change.IsZero() && rapid.Bool().Draw(t, "near a change") {
			at = change.Add(time.Duration(rapid.Int64Range(-7200, 7200).Draw(t, "by")) * time.Second)
		}
		begin := interval.Begin(at, zone)
		end := interval.Next(begin)
		if begin.After(at) || !end.After(at) {
			t.Fatalf("%v is in the %s from %v to %v", at, interval, begin, end)
		}
		if again := interval.Begin(begin, zone); !again.Equal(begin) {
			t.Fatalf("the %s of %v begins at %v, and that of its begin at %v", interval, at, begin, again)
		}
		if of := interval.Begin(end.Add(-time.Millisecond), zone); !of.Equal(begin) {
			t.Fatalf("the last moment of the %s from %v is in that from %v", interval, begin, of)
		}
		if of := interval.Begin(end, zone); !of.Equal(end) {
			t.Fatalf("the %s behind that from %v begins at %v, and not at its end, %v", interval, begin, of, end)
		}
		if interval != Minute && (begin.Unix()%900 != 0 || end.Unix()%900 != 0) {
			t.Fatalf("the %s from %v to %v is not made of quarters of an hour", interval, begin, end)
		}
		if interval == Day && (end.Sub(begin) < 22*time.Hour || end.Sub(begin) > 26*time.Hour) && zone.String() != "Antarctica/Troll" {
			t.Fatalf("a day from %v to %v", begin, end)
		}
	})
}

// A range has the buckets that overlap it, and no more than are wanted.
func TestBordersOfARange(t *testing.T) {
	zone := zoneNamed(t, "Europe/Berlin")
	from := time.Date(2026, time.November, 24, 8, 20, 0, 0, zone)
	borders, more := Hour.Borders(from, from.Add(2*time.Hour), zone, 10)
	if more || len(borders) != 4 || borders[0].Format("15:04") != "08:00" || borders[3].Format("15:04") != "11:00" {
		t.Errorf("the hours from 8:20 to 10:20 have the borders %v (more: %v)", borders, more)
	}
	if borders, more := Day.Borders(from, from.Add(20*24*time.Hour), zone, 10); !more || len(borders) != 11 {
		t.Errorf("of 21 days with 10 wanted there are %d borders (more: %v)", len(borders), more)
	}
	if borders, more := Minute.Borders(from, from, zone, 10); more || len(borders) != 1 {
		t.Errorf("no time at all has the borders %v (more: %v)", borders, more)
	}
}
