package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

// classify marks the errors that come from the server or the way to it rather than from what was asked. ctx is
// the caller's: when it has ended, that is the reason.
func (s *Store) classify(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case s.closing.Err() != nil:
		return errClosed
	case hasCode(err, invalidText):
		return fmt.Errorf("%w: %w", parking.ErrNotFound, err)
	case unreachable(err):
		return storage.Unavailable(err)
	}
	return err
}

// possible returns the ids that PostgreSQL can store. Others it would refuse, and with them the whole query.
func possible(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return strings.Contains(id, "\x00") || !utf8.ValidString(id) })
}

func unreachable(err error) bool {
	var connecting *pgconn.ConnectError // wrong passwords too: whoever runs the server can mend that
	var network net.Error               // context.DeadlineExceeded too
	var server *pgconn.PgError
	switch {
	case errors.As(err, &connecting):
		return true
	case errors.As(err, &server):
		switch server.Code[:2] {
		case "08", "53", "57", "58": // connection lost, no resources, an operator's intervention, a failure of the system
			return true
		}
		// A server that became a standby; a conflict that went on.
		return server.Code == "25006" || server.Code == "25P03" || server.Code == "55P03" || conflict(err)
	case errors.As(err, &network), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	}
	return pgconn.SafeToRetry(err) || pgconn.Timeout(err)
}

// conflict reports whether the server could not order a transaction among others, so that it may succeed
// when it is run again: a deadlock, or a serialization failure where the server's default isolation is stricter.
func conflict(err error) bool { return hasCode(err, "40001") || hasCode(err, "40P01") }

const (
	invalidText         = "22021" // an id with a zero byte, or that is not UTF-8: nothing has such a one
	foreignKeyViolation = "23503"
	uniqueViolation     = "23505"
)

func hasCode(err error, code string) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == code
}

// wrote says what became of a statement that was to write rows and wrote n.
func wrote(doing, what, id string) func(n int, err error) error {
	return func(n int, err error) error {
		switch {
		case hasCode(err, uniqueViolation):
			err = fmt.Errorf("%w: %w", parking.ErrTaken, err)
		case hasCode(err, foreignKeyViolation):
			err = fmt.Errorf("what it belongs to: %w: %w", parking.ErrNotFound, err)
		case err == nil && n == 0:
			err = parking.ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("%s %s %q: %w", doing, what, id, err)
		}
		return nil
	}
}
