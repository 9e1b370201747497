package audit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"parkwire/internal/kafkalog"
	"parkwire/internal/sqldb"
)

// exported is an export in one of the formats.
func (w *world) exported(format string, q Query) string {
	w.Helper()
	var out bytes.Buffer
	q.Limit = exportedAtOnce
	var first []Entry
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		first, err = find(ctx, tx, q)
		return err
	})
	if err := export(w.Context(), w.db, q, exportFormats[format].writer(&out), first); err != nil {
		w.Fatal(err)
	}
	return out.String()
}

// strange are records whose bytes are not easily written down.
func strange() []kafkalog.Record {
	return []kafkalog.Record{
		{Key: []byte{}, Value: []byte{}}, {Value: nil}, {Key: []byte{0xff, 0}, Value: []byte("\x00\xfe")},
		{Key: []byte("a,\"b\"\n"), Value: []byte("{\r\n \"spotId\": \"Z\\u0000\\r\\n<&>\u2028ü\",\r\n\"status\":\"free\"}\n")}, {Value: []byte("  \n")}, {Key: []byte("=1+1"), Value: []byte(`"'`)},
	}
}

func TestAnExportVerifiesByItself(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(30)
		w.apply(&w.events, strange()...)
		w.fill(10)
		h := w.head()
		for _, format := range []string{formatNDJSON, formatCSV} {
			for name, c := range map[string]struct {
				q         Query
				records   int64
				stretches int64
			}{
				"everything":         {Query{Order: BySequence, Repetitions: true}, 50, 1},
				"everything by time": {Query{Order: Newest, Repetitions: true}, 50, 1},
				"a part":             {Query{Order: BySequence, Repetitions: true, After: position{Sequence: 10, Set: true}, UpTo: 25}, 15, 1},
				"one spot":           {Query{Order: Oldest, Spot: "A-1"}, 11, 11},
				"nothing":            {Query{Order: Oldest, Spot: "none"}, 0, 0},
			} {
				text := w.exported(format, c.q)
				r, err := VerifyFile(strings.NewReader(text), Verification{})
				if err != nil || !r.OK || r.Records != c.records || r.Stretches != c.stretches && name != "one spot" {
					t.Errorf("%s of %s is judged %+v, %v", format, name, r, err)
				}
			}
			whole := w.exported(format, Query{Order: BySequence, Repetitions: true})
			if r, err := VerifyFile(strings.NewReader(whole), Verification{Notes: []Note{{h.Sequence, h.Hash}}}); err != nil || !r.OK || *r.Hash != h.Hash {
				t.Errorf("%s with its head is judged %+v, %v", format, r, err)
			}
		}
	})
}

func TestWhatIsDoneToAnExportIsFound(t *testing.T) {
	w := newWorld(t, sqliteDB(t))
	w.fill(30)
	w.apply(&w.events, strange()...)
	for _, format := range []string{formatNDJSON, formatCSV} {
		lines := strings.SplitAfter(w.exported(format, Query{Order: BySequence, Repetitions: true, UpTo: 33}), "\n")
		skip := 0 // of a header
		if format == formatCSV {
			skip = 1
		}
		line := func(sequence int) *string { return &lines[sequence-1+skip] }
		original := slices.Clone(lines)
		for name, c := range map[string]struct {
			hand func()
			at   int64
			what string
		}{
			"a value":          {func() { *line(17) = strings.Replace(*line(17), "sensor", "sens0r", 1) }, 17, "its content is not what was hashed"},
			"a field":          {func() { *line(11) = strings.Replace(*line(11), "203.0.113.7", "203.0.113.8", 1) }, 11, "client was"},
			"a row removed":    {func() { *line(17) = "" }, 0, ""},
			"a row twice":      {func() { *line(17) += *line(17) }, 17, "it stands in the file twice"},
			"a row of another": {func() { *line(17) = strings.Replace(*line(18), "18", "17", 1) }, 17, "its content is not"},
			"rows cut off":     {func() { lines = lines[:20] }, 33, "is not in the file"},
		} {
			lines = slices.Clone(original)
			c.hand()
			r, err := VerifyFile(strings.NewReader(strings.Join(lines, "")), Verification{Notes: []Note{{33, w.all()[32].Hash}}})
			if err != nil {
				t.Errorf("%s, %s: %v", format, name, err)
				continue
			}
			if name == "a row removed" { // which is no lie: it may have been searched for others
				if !r.OK || r.Stretches != 2 {
					t.Errorf("%s, %s: it is judged %+v", format, name, r)
				}
				continue
			}
			if r.OK || !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Sequence == c.at && strings.Contains(f.What, c.what) }) {
				t.Errorf("%s, %s: it is judged %v", format, name, r.Findings)
			}
		}
	}
}

// What stands in a line for people to read, and is not hashed, is not believed.
func TestWhatIsSaidBesideTheValueMustBeWhatItSays(t *testing.T) {
	w := newWorld(t, sqliteDB(t))
	w.fill(10)
	lines := strings.SplitAfter(w.exported(formatNDJSON, Query{Order: BySequence}), "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, `"kind":"change"`) })
	for said, fine := range map[string]bool{
		`"after":{"closed":true, "spotId":"A-1"}`: true, // as another program writes it
		`"after":{"closed":false,"spotId":"A-1"}`: false,
		`"before":{"spotId":"A-1"}`:               false,
	} {
		told := slices.Clone(lines)
		told[at] = strings.Replace(told[at], "{", "{"+said+",", 1)
		r, err := VerifyFile(strings.NewReader(strings.Join(told, "")), Verification{})
		if fine != (err == nil && r.OK) || !fine && !strings.Contains(fmt.Sprint(err), fmt.Sprintf("line %d: before or after is not what the value says", at+1)) {
			t.Errorf("with %s it is judged %+v, %v", said, r, err)
		}
	}
}

func TestAFileThatIsNoExportIsRefusedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\":1}\n":   "line 1",
		"{}\n":          "no export",
		"hello\n":       "the column \"sequence\" is missing",
		"\x00\x01\x02":  "no export",
		"{\"sequence\"": "line 1",
		strings.Join(csvColumns, ",") + "\nx" + strings.Repeat(",", len(csvColumns)-1) + "\n": "line 2",
		strings.Join(csvColumns, ",") + "\n1,2\n":                                             "record on line 2",
	} {
		if _, err := VerifyFile(strings.NewReader(text), Verification{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is answered with %v; %q was to be said", text, err, want)
		}
	}
	if r, err := VerifyFile(strings.NewReader(""), Verification{}); err != nil || !r.OK {
		t.Errorf("an empty file is judged %+v, %v", r, err)
	}
	if _, err := VerifyFile(io.MultiReader(strings.NewReader("{"), broken{}), Verification{}); err == nil {
		t.Error("a file that cannot be read to its end is taken")
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, fmt.Errorf("the disk is gone") }
