package sqldb

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// maxArrays bounds the rows of a statement, and so what it holds in memory.
const maxArrays = 20_000

// column is one column that is inserted into.
type column struct {
	kind  string // as it is written in SQL
	array func(values [][]any, n int) (any, error)
}

// insert sends each column as one array: a statement has few parameters then, and one plan, however many rows there are.
func (c *serverConn) insert(ctx context.Context, into string, rows [][]any, suffix string) error {
	columns, err := c.columns(ctx, into)
	if err != nil {
		return err
	}
	kinds := make([]string, len(columns))
	for i, column := range columns {
		kinds[i] = fmt.Sprintf("$%d::%s[]", i+1, column.kind)
	}
	query := "insert into " + into + " select * from unnest(" + strings.Join(kinds, ", ") + ") " + suffix
	args := make([]any, len(columns))
	for len(rows) > 0 {
		part := rows[:min(len(rows), maxArrays)]
		rows = rows[len(part):]
		for i, column := range columns {
			if args[i], err = column.array(part, i); err != nil {
				return err
			}
		}
		if _, err := c.one.Exec(ctx, query, args...); err != nil {
			return c.check(err)
		}
	}
	return nil
}

// columns asks once what the columns of a table are.
func (c *serverConn) columns(ctx context.Context, into string) ([]column, error) {
	if known, ok := c.server.queries.tables.Load(into); ok {
		return known.([]column), nil
	}
	table, names, err := target(into)
	if err != nil {
		return nil, err
	}
	rows, err := c.one.Query(ctx, "select "+strings.Join(names, ", ")+" from "+table+" limit 0")
	if err != nil {
		return nil, c.check(err)
	}
	fields := rows.FieldDescriptions()
	columns := make([]column, len(fields))
	for i, f := range fields {
		kind, known := kinds[f.DataTypeOID]
		if !known {
			rows.Close()
			return nil, fmt.Errorf("column %s is none of bigint, text, double precision, boolean, bytea", names[i])
		}
		columns[i] = kind
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, c.check(err)
	}
	c.server.queries.tables.Store(into, columns)
	return columns, nil
}

var kinds = map[uint32]column{
	pgtype.Int8OID:    {"bigint", arrayOf(toInt)},
	pgtype.Int4OID:    {"integer", arrayOf(toInt)},
	pgtype.TextOID:    {"text", arrayOf(toText)},
	pgtype.VarcharOID: {"text", arrayOf(toText)},
	pgtype.Float8OID:  {"double precision", arrayOf(toFloat)},
	pgtype.BoolOID:    {"boolean", arrayOf(toBool)},
	pgtype.ByteaOID:   {"bytea", arrayOf(toBytes)},
}

// arrayOf makes the array of the nth values of rows.
func arrayOf[T any](to func(any) (T, bool)) func([][]any, int) (any, error) {
	return func(rows [][]any, n int) (any, error) {
		all := make([]T, len(rows))
		for i, row := range rows {
			v, ok := to(row[n])
			if !ok {
				v, ok = to(plain(row[n]))
			}
			if !ok {
				return nil, fmt.Errorf("value %d of row %d is a %T, which the column does not take", n, i, row[n])
			}
			all[i] = v
		}
		return all, nil
	}
}

// plain returns what a pointer points to, and a value of a named type as one of the type behind it; nil for a nil pointer.
func plain(value any) any {
	v := reflect.ValueOf(value)
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
		return nil
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return int64(v.Uint())
	case v.CanFloat():
		return v.Float()
	case v.Kind() == reflect.String:
		return v.String()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return v.Bytes()
	}
	return value
}

func toInt(v any) (pgtype.Int8, bool) {
	switch v := v.(type) {
	case int64:
		return pgtype.Int8{Int64: v, Valid: true}, true
	case int:
		return pgtype.Int8{Int64: int64(v), Valid: true}, true
	case nil:
		return pgtype.Int8{}, true
	}
	return pgtype.Int8{}, false
}

func toText(v any) (pgtype.Text, bool) {
	switch v := v.(type) {
	case string:
		return pgtype.Text{String: v, Valid: true}, true
	case nil:
		return pgtype.Text{}, true
	}
	return pgtype.Text{}, false
}

func toFloat(v any) (pgtype.Float8, bool) {
	switch v := v.(type) {
	case float64:
		return pgtype.Float8{Float64: v, Valid: true}, true
	case int64:
		return pgtype.Float8{Float64: float64(v), Valid: true}, true
	case nil:
		return pgtype.Float8{}, true
	}
	return pgtype.Float8{}, false
}

func toBool(v any) (pgtype.Bool, bool) {
	switch v := v.(type) {
	case bool:
		return pgtype.Bool{Bool: v, Valid: true}, true
	case nil:
		return pgtype.Bool{}, true
	}
	return pgtype.Bool{}, false
}

func toBytes(v any) ([]byte, bool) {
	switch v := v.(type) {
	case []byte:
		return v, true
	case nil:
		return nil, true
	}
	return nil, false
}
