package history

import (
	"bytes"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// Each measure is what docs/history.md says, and null where it cannot be said.
func TestMeasures(t *testing.T) {
	m := Metrics{
		Length: 2 * time.Hour, Arrivals: 5, Departures: 4, TotalSessions: 3, Dwell: 100 * time.Minute,
		Times: Times{Free: 2 * time.Hour, Occupied: 3 * time.Hour, Reserved: time.Hour, Closed: time.Hour, OutOfService: time.Hour, Unknown: 2 * time.Hour},
	}
	v := measuresOf(m, 30*time.Minute)
	for name, c := range map[string]struct{ got, want float64 }{
		"spots: all time by the length":                       {v.Spots, 5},
		"turnover: sessions an hour":                          {v.TurnoverPerHour, 1.5},
		"sessions per spot":                                   {*v.SessionsPerSpot, 0.6},
		"average dwell time: together by sessions":            {*v.AverageDwellTimeMinutes, 33.333},
		"median dwell time":                                   {*v.MedianDwellTimeMinutes, 30},
		"occupancy: of the time free, occupied or reserved":   {*v.Occupancy, 0.5},
		"silent share: of all time":                           {*v.SilentShare, 0.2},
		"time free is what was known to be free, no more":     {v.FreeSpotSeconds, 7200},
		"the time of silent sensors stands by itself":         {v.UnknownSpotSeconds, 7200},
		"closed time counts neither as free nor as something": {v.ClosedSpotSeconds, 3600},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	silent := measuresOf(Metrics{Length: time.Hour, Times: Times{Unknown: time.Hour}}, -1)
	if silent.Occupancy != nil || silent.SilentShare == nil || *silent.SilentShare != 1 || silent.AverageDwellTimeMinutes != nil || silent.MedianDwellTimeMinutes != nil {
		t.Errorf("of an hour in which nothing was known: %+v", silent)
	}
	nothing := measuresOf(Metrics{Length: time.Hour}, -1)
	if nothing.Occupancy != nil || nothing.SilentShare != nil || nothing.SessionsPerSpot != nil || nothing.Spots != 0 {
		t.Errorf("of an hour without spots: %+v", nothing)
	}
}

// A percentile is the length at its place in the order, in proportion between two; half is the median as everybody knows it.
func TestPercentiles(t *testing.T) {
	minute := time.Minute.Milliseconds()
	for _, c := range []struct {
		sorted []int64
		share  float64
		want   time.Duration
	}{
		{nil, 0.5, 0},
		{[]int64{7 * minute}, 0.9, 7 * time.Minute},
		{[]int64{10 * minute, 20 * minute}, 0.5, 15 * time.Minute},
		{[]int64{10 * minute, 20 * minute, 60 * minute}, 0.5, 20 * time.Minute},
		{[]int64{0, 10 * minute, 20 * minute, 30 * minute, 40 * minute}, 0.9, 36 * time.Minute},
		{[]int64{0, 10 * minute}, 1, 10 * time.Minute},
		{[]int64{3 * minute, 10 * minute}, 0, 3 * time.Minute},
	} {
		if got := percentile(c.sorted, c.share); got != c.want {
			t.Errorf("the %v percentile of %v is %v, want %v", c.share, c.sorted, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		lengths := rapid.SliceOfN(rapid.Int64Range(0, 1e9), 1, 50).Draw(t, "lengths")
		slices.Sort(lengths)
		share := rapid.Float64Range(0, 1).Draw(t, "share")
		got := percentile(lengths, share).Milliseconds()
		below := 0
		for _, l := range lengths {
			if l < got {
				below++
			}
		}
		if got < lengths[0] || got > lengths[len(lengths)-1] || float64(below) > share*float64(len(lengths)-1)+1 {
			t.Fatalf("the %v percentile of %v is %v", share, lengths, got)
		}
	})
}

// Of more lengths than are put in order none is known, and that is so for good.
func TestTooManyLengths(t *testing.T) {
	d := dwells{lengths: make([]int64, maxDwells-1)}
	d.add(1)
	if d.tooMany || d.median().length != 0 {
		t.Errorf("of %d lengths the median is %v", maxDwells, d.median())
	}
	d.add(1)
	d.add(1)
	if !d.tooMany || d.median().length != -1 || d.distribution() != nil {
		t.Errorf("of %d lengths the median is %v", maxDwells+2, d.median())
	}
}

func someRows(n int) []metricsRow {
	rows := make([]metricsRow, n)
	begin := time.Date(2026, time.October, 25, 1, 0, 0, 0, time.FixedZone("", 2*3600))
	share := 0.25
	for i := range rows {
		m := Metrics{Begin: begin.Add(time.Duration(i) * time.Hour), Length: time.Hour, Times: Times{Free: time.Duration(i) * time.Millisecond}}
		m.End = m.Begin.Add(time.Hour)
		rows[i] = rowOf(Scope{Lot: `central, "east"`, Zone: map[bool]string{true: "L1"}[i%2 == 0]}, m, -1)
		if i%3 == 0 {
			rows[i].Occupancy = &share
		}
	}
	return rows
}

func written[T any](t *testing.T, format string, pages ...[]T) []byte {
	t.Helper()
	var out bytes.Buffer
	f := newFile[T](format, &out)
	for _, page := range pages {
		if err := f.write(page); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.end(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// CSV is RFC 4180: lines end with CR LF, and what has commas and quotes is quoted. Nothing is an empty cell.
func TestCSV(t *testing.T) {
	text := written(t, formatCSV, someRows(2), someRows(1))
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 4 || bytes.Count(text, []byte("\r\n")) != 4 {
		t.Fatalf("there are not a header and 3 rows:\n%s", text)
	}
	column := func(name string) int { return slices.Index(rows[0], name) }
	for name, want := range map[string]string{
		"lotId": `central, "east"`, "zoneId": "L1", "begin": "2026-10-25T01:00:00.000+02:00", "utcOffsetMinutes": "120", "lengthSeconds": "3600", "ongoing": "false",
		"occupancy": "0.25", "medianDwellTimeMinutes": "", "freeSpotSeconds": "0",
	} {
		if column(name) < 0 || rows[1][column(name)] != want {
			t.Errorf("%s is %q in %q, want %q", name, rows[1], rows[0], want)
		}
	}
	if rows[2][column("zoneId")] != "" || rows[2][column("occupancy")] != "0" || rows[2][column("freeSpotSeconds")] != "0.001" {
		t.Errorf("the second row is %q", rows[2])
	}
}

// Parquet has a typed column for each of CSV, in the same order and by the same names, in groups that bound what is held in memory.
func TestParquet(t *testing.T) {
	rows := someRows(rowGroup + 5)
	text := written(t, formatParquet, rows[:3], rows[3:])
	f, err := parquet.OpenFile(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	if groups := len(f.RowGroups()); groups != 2 {
		t.Errorf("there are %d groups of rows; %d rows are 2", groups, len(rows))
	}
	header, _ := csv.NewReader(bytes.NewReader(written[metricsRow](t, formatCSV))).Read()
	var names []string
	types := map[string]string{}
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name())
		types[field.Name()] = field.Type().String()
	}
	if !slices.Equal(names, header) {
		t.Errorf("the columns are %q; those of CSV are %q", names, header)
	}
	for name, want := range map[string]string{
		"begin": "TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)", "lotId": "STRING", "totalSessions": "INT(64,true)", "occupancy": "DOUBLE", "ongoing": "BOOLEAN", "utcOffsetMinutes": "INT(32,true)",
	} {
		if types[name] != want {
			t.Errorf("the column %s is %s, want %s", name, types[name], want)
		}
	}
	read := parquet.NewGenericReader[metricsRow](f)
	defer read.Close()
	back := make([]metricsRow, len(rows)+1)
	n, err := read.Read(back)
	if n != len(rows) || err != nil && err != io.EOF {
		t.Fatalf("%d rows came back (%v) of %d", n, err, len(rows))
	}
	for i, row := range rows {
		got := back[i]
		if !got.Begin.Equal(row.Begin) || (got.ZoneID == nil) != (row.ZoneID == nil) || (got.Occupancy == nil) != (row.Occupancy == nil) || got.FreeSpotSeconds != row.FreeSpotSeconds {
			t.Fatalf("row %d is %+v, and came back as %+v", i, row, got)
		}
	}
	if empty := written[stayRow](t, formatParquet); len(empty) == 0 {
		t.Error("a file without rows is empty; it has its columns all the same")
	}
}
