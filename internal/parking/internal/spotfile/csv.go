package spotfile

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxHeader bounds the first line of a table.
const maxHeader = 64 << 10

// ReadCSV reads a table with a header line, in UTF-8: separated by comma, semicolon or tab, whichever the header has most of;
// quoted as RFC 4180 says; its lines ended by LF or CRLF. Columns that have no known name are left out. It calls take for each row
// and ends with the error of take where there is one.
func ReadCSV(body io.Reader, take func(*Record) error) ([]Column, error) {
	buffered := bufio.NewReaderSize(body, maxHeader)
	comma, err := separator(buffered)
	if err != nil {
		return nil, err
	}
	table := csv.NewReader(buffered)
	table.Comma, table.FieldsPerRecord, table.ReuseRecord = comma, -1, true
	header, err := table.Read()
	if err != nil {
		return nil, headerError(err)
	}
	header = append([]string(nil), header...)
	of := columns(header)
	described := describe(header, of)
	if of[SpotID] < 0 {
		return described, &Error{fmt.Sprintf("No column says which spot a row is about. Name one spotId; the header has %s.", Shorten(strings.Join(header, string(comma))))}
	}
	for {
		cells, err := table.Read()
		var wrong *csv.ParseError
		switch {
		case err == io.EOF:
			return described, nil
		case errors.As(err, &wrong):
			err = take(&Record{Place: wrong.StartLine, Fault: quoteFault(wrong)})
		case err != nil:
			return described, err
		case blank(cells):
		default:
			line, _ := table.FieldPos(0)
			err = take(row(line, cells, len(header), of, comma))
		}
		if err != nil {
			return described, err
		}
	}
}

// separator looks at the header line, of which it takes away nothing but a byte order mark.
func separator(body *bufio.Reader) (rune, error) {
	start, err := body.Peek(maxHeader)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return 0, err
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		start = start[3:]
		_, _ = body.Discard(3)
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return 0, &Error{"The file is in UTF-16. Save it as UTF-8."}
	}
	line, _, _ := bytes.Cut(start, []byte("\n"))
	if len(bytes.TrimSpace(line)) == 0 && len(bytes.TrimSpace(start)) == 0 {
		return 0, &Error{"The file is empty; its first line must name the columns."}
	}
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := unquoted(line, byte(c)); n > most {
			best, most = c, n
		}
	}
	return best, nil
}

func unquoted(line []byte, c byte) (n int) {
	quoted := false
	for _, b := range line {
		switch {
		case b == '"':
			quoted = !quoted
		case b == c && !quoted:
			n++
		}
	}
	return n
}

func headerError(err error) error {
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return &Error{"The first line, which must name the columns, cannot be read: " + wrong.Err.Error() + "."}
	}
	return err
}

func quoteFault(wrong *csv.ParseError) *Fault {
	return &Fault{"", fmt.Sprintf("Line %d is no row: %v.", wrong.Line, wrong.Err), `Put a cell that has quotes in it into quotes, and write each of them twice: "say ""hello""".`}
}

func blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

func row(line int, cells []string, want int, of [fields]int, comma rune) *Record {
	r := &Record{Place: line}
	for f, i := range of {
		if i >= 0 && i < len(cells) {
			r.set(Field(f), cells[i])
		}
	}
	if len(cells) != want {
		r.Fault = &Fault{"", fmt.Sprintf("The row has %d cells, and the header %d.", len(cells), want),
			fmt.Sprintf("Put cells that have a %q in them into quotes, and leave none out.", comma)}
		return r
	}
	if comma != ',' { // where numbers have a comma, tables are separated by something else
		for _, f := range []Field{Lat, Lon} {
			r.texts[f] = strings.Replace(r.texts[f], ",", ".", 1)
		}
	}
	r.locate()
	return r
}
