package history

import (
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"parkwire/internal/rest"
)

// The ways to write a report.
const (
	formatJSON    = "json"
	formatCSV     = "csv"
	formatParquet = "parquet"
)

var offers = []rest.Offer{
	{Name: formatJSON, Kinds: []string{rest.TypeJSON}},
	{Name: formatCSV, Kinds: []string{"text/csv"}},
	{Name: formatParquet, Kinds: []string{"application/vnd.apache.parquet"}},
}

var kinds = map[string]string{
	formatCSV:     "text/csv; charset=utf-8; header=present",
	formatParquet: "application/vnd.apache.parquet",
}

// A file takes rows of one kind, and holds a bounded number of them in memory.
type file[T any] interface {
	write(rows []T) error
	end() error
}

// newFile begins a file. Its columns are the fields of T that have a tag "parquet", by the names there; those that are pointers may be absent.
func newFile[T any](format string, w io.Writer) file[T] {
	if format == formatParquet {
		return &parquetFile[T]{parquet.NewGenericWriter[T](w,
			parquet.Compression(&parquet.Snappy), // which every reader knows
			parquet.MaxRowsPerRowGroup(rowGroup),
			parquet.CreatedBy("parkwire", "", ""),
		)}
	}
	f := &csvFile[T]{out: csv.NewWriter(w)}
	f.out.UseCRLF = true // RFC 4180
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if name, _, _ := strings.Cut(field.Tag.Get("parquet"), ","); name != "" {
			f.fields = append(f.fields, field.Index)
			f.cells = append(f.cells, name)
		}
	}
	_ = f.out.Write(f.cells) // what was wrong is kept, and told by end
	return f
}

// rowGroup is how many rows a Parquet file gathers before it writes them: readers skip whole groups by what their footers say, and a group
// is what an export holds in memory, some megabytes.
const rowGroup = 20_000

type parquetFile[T any] struct{ out *parquet.GenericWriter[T] }

func (f *parquetFile[T]) write(rows []T) error {
	_, err := f.out.Write(rows)
	return err
}

func (f *parquetFile[T]) end() error { return f.out.Close() }

type csvFile[T any] struct {
	out    *csv.Writer
	fields [][]int
	cells  []string
}

func (f *csvFile[T]) write(rows []T) error {
	for i := range rows {
		row := reflect.ValueOf(&rows[i]).Elem()
		for at, field := range f.fields {
			f.cells[at] = cellOf(row.FieldByIndex(field))
		}
		if err := f.out.Write(f.cells); err != nil {
			return err
		}
	}
	return nil
}

func (f *csvFile[T]) end() error {
	f.out.Flush()
	return f.out.Error()
}

// cellOf writes a value; nothing where it is absent.
func cellOf(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time:
		return x.Format(timeFormat)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return fmt.Sprint(v.Interface())
}

// timeFormat is how times are written in files: with milliseconds, and the offset that holds in the lot.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// download answers with a file. Its rows come in pages, of which the first is read before anything is answered, so that what is wrong is
// still said as a problem. Behind the last one comes an empty one.
func download[T any](format, name string, next func() ([]T, error)) (rest.Answer, error) {
	rows, err := next()
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Kind: kinds[format], File: name + "." + format, Cache: notCached, Stream: func(w io.Writer) error {
		out := newFile[T](format, w)
		for len(rows) > 0 {
			if err := out.write(rows); err != nil {
				return err
			}
			if rows, err = next(); err != nil {
				return err
			}
		}
		return out.end()
	}}, nil
}
