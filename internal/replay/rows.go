package replay

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The columns that are read. Others may be there too, in any order.
var columns = []string{"local_time", "spot_id", "status"}

// occupied says what the words of recordings mean, in lower case.
var occupied = map[string]bool{
	"occupied": true, "present": true, "taken": true, "1": true, "true": true,
	"free": false, "unoccupied": false, "vacant": false, "0": false, "false": false,
}

// row is one reading as it was recorded.
type row struct {
	line int
	// wall is the time on the clock of the place, in the fields of UTC; with exact it is the very instant.
	wall     time.Time
	exact    bool
	spotID   string
	occupied bool
}

// rowError is a row that cannot be used. The next one may be.
type rowError struct {
	line   int
	reason string
}

func (e rowError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.reason) }

// rows reads a recording row by row. A quoted field holds no line break, so that a stray quote spoils
// one row and not the rest of the file.
type rows struct {
	in     *bufio.Reader
	line   int
	column []int // where each of columns stands
}

const maxLine = 64 << 10

// newRows reads the header.
func newRows(in io.Reader) (*rows, error) {
	r := &rows{in: bufio.NewReaderSize(in, maxLine)}
	header, err := r.fields()
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("the input is empty; a header with %s was expected", strings.Join(columns, ","))
	case err != nil:
		return nil, err
	}
	for i := range header {
		header[i] = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(header[i], "\ufeff")))
	}
	for _, name := range columns {
		at := slices.Index(header, name)
		if at < 0 {
			return nil, fmt.Errorf("the header has no column %q; it names %q and must name %s", name, header, strings.Join(columns, ", "))
		}
		r.column = append(r.column, at)
	}
	return r, nil
}

// fields returns the fields of the next line that is not empty.
func (r *rows) fields() ([]string, error) {
	for {
		text, more, err := r.in.ReadLine()
		if err != nil {
			return nil, err
		}
		r.line++
		if more {
			for more && err == nil {
				_, more, err = r.in.ReadLine()
			}
			return nil, rowError{r.line, fmt.Sprintf("the line is longer than %d bytes", maxLine)}
		}
		line := strings.TrimSpace(string(text))
		switch {
		case line == "":
			continue
		case !strings.Contains(line, `"`):
			return strings.Split(line, ","), nil
		}
		fields, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil {
			return nil, rowError{r.line, "the quotes of the line do not match"}
		}
		return fields, nil
	}
}

// next returns the next reading, a [rowError], or io.EOF.
func (r *rows) next() (row, error) {
	fields, err := r.fields()
	if err != nil {
		return row{}, err
	}
	bad := func(format string, args ...any) (row, error) {
		return row{}, rowError{r.line, fmt.Sprintf(format, args...)}
	}
	if need := slices.Max(r.column); len(fields) <= need {
		return bad("it has %d fields and needs at least %d", len(fields), need+1)
	}
	var value [3]string // of columns
	for i, at := range r.column {
		value[i] = strings.TrimSpace(fields[at])
	}
	one := row{line: r.line, spotID: value[1]}
	if one.wall, one.exact, err = parseTime(value[0]); err != nil {
		return bad("local_time is %.40q; 2012-12-07T09:00:00 would be a time", value[0])
	}
	if one.spotID == "" {
		return bad("spot_id is empty")
	}
	var known bool
	if one.occupied, known = occupied[strings.ToLower(value[2])]; !known {
		return bad("status is %.40q; it must be free or occupied", value[2])
	}
	return one, nil
}

// parseTime reads a local time, with T or a space before the hour, with seconds, parts of them, or
// without; or an exact time, as RFC 3339 has it.
func parseTime(s string) (t time.Time, exact bool, err error) {
	if len(s) > len("2006-01-02") && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	if t, err = time.Parse("2006-01-02T15:04:05", s); err == nil { // takes parts of seconds too
		return t, false, nil
	}
	if t, err = time.Parse("2006-01-02T15:04", s); err == nil {
		return t, false, nil
	}
	t, err = time.Parse(time.RFC3339, s)
	return t, true, err
}

// instant returns when it was wall (in the fields of UTC) on the clocks of zone. Twice a year that
// is not one moment:
//
//   - An hour that is repeated means its first pass, unless the spot was read later than that already (last):
//     then it is the second pass.
//   - An hour that is left out was written by a clock that had not been put forward yet.
func instant(wall time.Time, zone *time.Location, last time.Time) time.Time {
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	offset := func(t time.Time) time.Duration {
		_, seconds := t.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	// The offsets that hold around that time, the earlier first.
	offsets := []time.Duration{offset(at)}
	start, end := at.ZoneBounds()
	if !start.IsZero() {
		offsets = append([]time.Duration{offset(start.Add(-1))}, offsets...)
	}
	if !end.IsZero() {
		offsets = append(offsets, offset(end))
	}
	var passes []time.Time
	for _, o := range offsets {
		t := wall.Add(-o)
		if offset(t) == o && !slices.ContainsFunc(passes, t.Equal) {
			passes = append(passes, t)
		}
	}
	slices.SortFunc(passes, time.Time.Compare)
	switch {
	case len(passes) == 0: // left out
		if !start.IsZero() && at.Sub(start) < end.Sub(at) || end.IsZero() {
			return wall.Add(-offset(start.Add(-1)))
		}
		return wall.Add(-offset(at))
	case len(passes) > 1 && passes[0].Before(last):
		return passes[1]
	}
	return passes[0]
}
