package replay

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestRowsAreReadByTheNamesOfTheirColumns(t *testing.T) {
	r, err := newRows(strings.NewReader("\ufeffNote,Status ,spot_id,LOCAL_TIME\r\n" +
		"x,Present,a,2012-12-07T09:00:00\r\n" +
		"\r\n" +
		"\"x, y\",free,\"b\",2012-12-07 09:05:00.250\r\n" +
		",0,c,2012-12-07 09:10\r\n" +
		",TAKEN,d,2012-12-07T09:00:00-05:00"))
	if err != nil {
		t.Fatal(err)
	}
	want := []row{
		{2, time.Date(2012, 12, 7, 9, 0, 0, 0, time.UTC), false, "a", true},
		{4, time.Date(2012, 12, 7, 9, 5, 0, 250e6, time.UTC), false, "b", false},
		{5, time.Date(2012, 12, 7, 9, 10, 0, 0, time.UTC), false, "c", false},
		{6, time.Date(2012, 12, 7, 14, 0, 0, 0, time.UTC), true, "d", true},
	}
	for _, w := range want {
		got, err := r.next()
		if err != nil || got.line != w.line || !got.wall.Equal(w.wall) || got.exact != w.exact || got.spotID != w.spotID || got.occupied != w.occupied {
			t.Errorf("%+v, %v; want %+v", got, err, w)
		}
	}
	if _, err := r.next(); err != io.EOF {
		t.Errorf("%v; the end was expected", err)
	}
}

func TestABadRowIsToldAndTheNextOneIsRead(t *testing.T) {
	for name, bad := range map[string]string{
		"needs at least 3":       "2012-12-07T09:00:00,a",
		"local_time":             "yesterday,a,free",
		"spot_id is empty":       "2012-12-07T09:00:00,,free",
		"free or occupied":       "2012-12-07T09:00:00,a,perhaps",
		"quotes":                 `2012-12-07T09:00:00,"a,free`,
		"longer than":            strings.Repeat("x", maxLine+1),
		"2012-12-07T09:00:00 wo": "2012-12-07T09:61:00,a,free",
	} {
		t.Run(name, func(t *testing.T) {
			r, err := newRows(strings.NewReader("local_time,spot_id,status\n" + bad + "\n2012-12-07T09:00:00,b,free\n"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.next()
			var e rowError
			if !errors.As(err, &e) || e.line != 2 || !strings.Contains(err.Error(), name) {
				t.Errorf("%v; line 2 and %q were expected", err, name)
			}
			if next, err := r.next(); err != nil || next.spotID != "b" || next.line != 3 {
				t.Errorf("then %+v, %v; the reading of b was expected", next, err)
			}
		})
	}
}

func TestAHeaderThatLacksAColumnNamesIt(t *testing.T) {
	for input, want := range map[string]string{
		"":                              "empty",
		"time,spot_id,status\n":         "local_time",
		"local_time;spot_id;status\n":   "local_time",
		"local_time,spot_id,occupied\n": "status",
	} {
		if _, err := newRows(strings.NewReader(input)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; it should name %q", input, err, want)
		}
	}
}

func TestLocalTimesBecomeInstants(t *testing.T) {
	for _, c := range []struct{ name, zone, wall, last, want string }{
		{"winter", "Europe/Berlin", "2026-01-10T12:00:00", "", "2026-01-10T11:00:00Z"},
		{"summer", "Europe/Berlin", "2026-07-10T12:00:00", "", "2026-07-10T10:00:00Z"},
		{"a zone without summer time", "Asia/Tokyo", "2026-07-10T12:00:00", "", "2026-07-10T03:00:00Z"},
		{"UTC", "UTC", "2026-07-10T12:00:00", "", "2026-07-10T12:00:00Z"},
		{"before the hour that is left out", "Europe/Berlin", "2026-03-29T01:59:59", "", "2026-03-29T00:59:59Z"},
		{"in it: the clock was not put forward", "Europe/Berlin", "2026-03-29T02:30:00", "", "2026-03-29T01:30:00Z"},
		{"behind it", "Europe/Berlin", "2026-03-29T03:00:00", "", "2026-03-29T01:00:00Z"},
		{"west of Greenwich, left out", "America/Sao_Paulo", "2012-10-21T00:30:00", "", "2012-10-21T03:30:00Z"},
		{"a repeated hour: its first pass", "Europe/Berlin", "2026-10-25T02:30:00", "", "2026-10-25T00:30:00Z"},
		{"still the first", "Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:25:00Z", "2026-10-25T00:30:00Z"},
		{"the same reading again", "Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z"},
		{"the second pass", "Europe/Berlin", "2026-10-25T02:00:00", "2026-10-25T00:55:00Z", "2026-10-25T01:00:00Z"},
		{"behind both", "Europe/Berlin", "2026-10-25T03:00:00", "", "2026-10-25T02:00:00Z"},
		{"west of Greenwich, the second pass", "America/Sao_Paulo", "2013-02-16T23:10:00", "2013-02-17T01:55:00Z", "2013-02-17T02:10:00Z"},
		{"half an hour", "Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:50:00Z", "2026-04-04T15:15:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		wall, _, err := parseTime(c.wall)
		if err != nil {
			t.Fatal(err)
		}
		var last time.Time
		if c.last != "" {
			if last, _, err = parseTime(c.last); err != nil {
				t.Fatal(err)
			}
		}
		if got := instant(wall, zone, last).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%s: %s in %s is %s; it should be %s", c.name, c.wall, c.zone, got, c.want)
		}
	}
}
