package audit

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"parkwire/internal/sqldb"
)

// exportedAtOnce is how many records of an export are read in one snapshot.
const exportedAtOnce = 2000

// A writer writes records down: write for each of them, end once.
type writer interface {
	write(e *Entry) error
	end() error
}

// export writes all records that match, as they are read.
func export(ctx context.Context, db *sqldb.DB, q Query, w writer, first []Entry) error {
	q.Limit = exportedAtOnce
	for entries := first; ; {
		for i := range entries {
			if err := w.write(&entries[i]); err != nil {
				return err
			}
		}
		if len(entries) < exportedAtOnce {
			return w.end()
		}
		q.After = entries[len(entries)-1].position()
		err := db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			entries, err = find(ctx, tx, q)
			return err
		})
		if err != nil {
			return err
		}
	}
}

// lines writes JSON, a record a line.
type lines struct {
	w       *bufio.Writer
	encoder *json.Encoder
}

func newLines(w io.Writer) writer {
	l := lines{w: bufio.NewWriter(w)}
	l.encoder = json.NewEncoder(l.w)
	l.encoder.SetEscapeHTML(false)
	return l
}

func (l lines) write(e *Entry) error {
	if err := l.encoder.Encode(viewOf(e)); err != nil {
		return fmt.Errorf("writing record %d: %w", e.Sequence, err)
	}
	return nil
}

func (l lines) end() error { return l.w.Flush() }

// table writes CSV.
type table struct {
	w   *csv.Writer
	row []string
}

func newTable(w io.Writer) writer {
	t := &table{w: csv.NewWriter(w), row: make([]string, 0, len(csvColumns))}
	t.w.UseCRLF = true // RFC 4180
	_ = t.w.Write(csvColumns)
	return t
}

func (t *table) write(e *Entry) error {
	key, how1 := csvBytes("key", e.Key)
	value, how2 := csvBytes("value", e.Value)
	partition, offset, repeats := "", "", ""
	if e.Topic != "" {
		partition, offset = strconv.FormatInt(e.Partition, 10), strconv.FormatInt(e.Offset, 10)
	}
	if e.Repeats != 0 {
		repeats = strconv.FormatInt(e.Repeats, 10)
	}
	t.row = append(t.row[:0], strconv.FormatInt(e.Sequence, 10), timeText(e.RecordedAt), timeText(e.Time), string(e.Kind), e.Topic, partition, offset, key,
		e.ID, e.Subject, e.Client, e.RequestID, e.ResourceType, e.ResourceID, e.SpotID, e.LotID, e.Action, repeats, value,
		strings.TrimSpace(how1+" "+how2), e.Previous.String(), e.Hash.String())
	return t.w.Write(t.row)
}

func (t *table) end() error {
	t.w.Flush()
	return t.w.Error()
}
