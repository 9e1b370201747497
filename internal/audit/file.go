package audit

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// A row of an export that cannot be read is an error with its line: then nothing can be told of the file.
type rowError struct {
	line int
	err  error
}

func (e rowError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e rowError) Unwrap() error { return e.err }

// A file that is no export is refused with this.
var errNoExport = errors.New("the file is no export of the audit chain: the first line of CSV has to name the columns, and every line of NDJSON is a record with its hash")

// VerifyFile checks an export, of everything or of what was searched for, in whatever order. Each record is compared with its hash; records of which the one
// before is in the file, too, with the hash of that. So a file without holes is one stretch, and one of a single spot many of one record each.
func VerifyFile(from io.Reader, v Verification) (Report, error) {
	in := bufio.NewReaderSize(from, 1<<20)
	f := &file{notes: v.Notes, progress: v.Progress, begins: map[int64]*stretch{}, ends: map[int64]*stretch{}}
	f.walk.find = f.findings.add
	var err error
	switch first, peekErr := in.Peek(1); {
	case peekErr != nil && !errors.Is(peekErr, io.EOF):
		return Report{}, fmt.Errorf("reading the export: %w", peekErr)
	case len(first) == 1 && first[0] == '{':
		err = eachLine(in, f.record)
	case len(first) == 1:
		err = eachRow(in, f.record)
	}
	if err != nil {
		return Report{}, fmt.Errorf("reading the export: %w", err)
	}
	f.end()
	return f.report, nil
}

// A stretch is records of which each follows the one before it.
type stretch struct {
	first, last int64
	before      Hash // what the first follows
	hash        Hash // of the last
}

// file is one run. What it keeps is as much as there are stretches.
type file struct {
	notes    []Note
	progress func(done, total int64)
	walk     walk
	findings findings
	report   Report
	begins   map[int64]*stretch // by first
	ends     map[int64]*stretch // by last
}

func (f *file) record(e *Entry) {
	f.report.Records++
	f.report.First = min(f.report.First, e.Sequence)
	if f.report.Records == 1 {
		f.report.First = e.Sequence
	}
	if e.Repeats != 0 {
		f.report.Repetitions++
	}
	if e.Kind == KindGap {
		f.report.Gaps++
	}
	f.walk.content(e)
	for _, n := range f.notes {
		if n.Sequence == e.Sequence && n.Hash != e.Hash {
			f.findings.add(Finding{Sequence: e.Sequence, What: "it is another one than the head that was noted", Expected: n.Hash.String(), Found: e.Hash.String()})
		}
	}
	f.place(&stretch{e.Sequence, e.Sequence, e.Previous, e.Hash})
	if f.progress != nil && f.report.Records%verifiedAtOnce == 0 {
		f.progress(f.report.Records, 0)
	}
}

// place joins a record to the stretches beside it.
func (f *file) place(s *stretch) {
	if f.begins[s.first] != nil || f.ends[s.first] != nil {
		f.findings.add(Finding{Sequence: s.first, What: "it stands in the file twice"})
		return
	}
	if before := f.ends[s.first-1]; before != nil {
		f.walk.link(s.first, before.hash, s.before)
		delete(f.ends, before.last)
		delete(f.begins, before.first)
		s.first, s.before = before.first, before.before
	}
	if behind := f.begins[s.last+1]; behind != nil {
		f.walk.link(behind.first, s.hash, behind.before)
		delete(f.ends, behind.last)
		delete(f.begins, behind.first)
		s.last, s.hash = behind.last, behind.hash
	}
	f.begins[s.first], f.ends[s.last] = s, s
}

func (f *file) end() {
	all := make([]*stretch, 0, len(f.begins))
	for _, s := range f.begins {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *stretch) int { return int(min(1, max(-1, a.first-b.first))) })
	for i := 1; i < len(all); i++ {
		if all[i].first <= all[i-1].last {
			f.findings.add(Finding{Sequence: all[i].first, What: "it stands in the file twice"})
		}
	}
	if f.report.Stretches = int64(len(all)); len(all) > 0 {
		last := all[len(all)-1]
		f.report.First, f.report.Last, f.report.Hash = all[0].first, last.last, new(last.hash)
	}
	for _, n := range f.notes {
		if !slices.ContainsFunc(all, func(s *stretch) bool { return s.first <= n.Sequence && n.Sequence <= s.last }) {
			f.findings.add(Finding{Sequence: n.Sequence, What: "it was the head once, as was noted, and is not in the file", Expected: n.Hash.String()})
		}
	}
	f.report.conclude(f.findings)
}

// eachLine reads NDJSON.
func eachLine(in *bufio.Reader, each func(*Entry)) error {
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			var v view
			d := json.NewDecoder(bytes.NewReader(line))
			d.DisallowUnknownFields()
			if err := d.Decode(&v); err != nil {
				return rowError{n, err}
			}
			if v.Sequence < 1 {
				return rowError{n, errNoExport}
			}
			e, err := v.entry()
			if err == nil && !v.repeatsValue(&e) {
				err = errors.New("before or after is not what the value says")
			}
			if err != nil {
				return rowError{n, err}
			}
			each(&e)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// eachRow reads CSV, with the columns in any order.
func eachRow(in *bufio.Reader, each func(*Entry)) error {
	rows := csv.NewReader(in)
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return fmt.Errorf("%w: %w", errNoExport, err)
	}
	place := map[string]int{}
	for i, name := range header {
		place[name] = i
	}
	for _, name := range csvColumns {
		if _, there := place[name]; !there {
			return fmt.Errorf("%w: the column %q is missing", errNoExport, name)
		}
	}
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e, err := entryOfRow(func(name string) string { return row[place[name]] })
		if err != nil {
			line, _ := rows.FieldPos(0)
			return rowError{line, err}
		}
		each(&e)
	}
}

func entryOfRow(cell func(string) string) (e Entry, err error) {
	number := func(name string) (n int64) {
		text := cell(name)
		if text == "" || err != nil {
			return 0
		}
		if n, err = strconv.ParseInt(text, 10, 64); err != nil {
			err = fmt.Errorf("%s is %q, which is no whole number", name, cut(text, 80))
		}
		return n
	}
	at := func(name string) (t int64) {
		if err == nil {
			t, err = parseTime(cell(name))
		}
		return t
	}
	raw := func(name string) (value []byte) {
		if err == nil {
			value, err = fromCSVBytes(name, cell(name), cell("encoding"))
		}
		return value
	}
	hash := func(name string, to *Hash) {
		if err == nil {
			err = to.UnmarshalText([]byte(cell(name)))
		}
	}
	e = Entry{
		Sequence: number("sequence"), RecordedAt: at("recordedAt"), Time: at("time"), Kind: Kind(cell("kind")), Topic: cell("topic"),
		Partition: number("partition"), Offset: number("offset"), Key: raw("key"), Value: raw("value"), Repeats: number("repeats"),
	}
	for i, text := range e.texts() {
		*text = cell(textNames[i])
	}
	hash("previous", &e.Previous)
	hash("hash", &e.Hash)
	if err == nil && e.Sequence < 1 {
		err = errNoExport
	}
	return e, err
}
