package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"parkwire/internal/database"
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
	case database.HasCode(err, invalidText):
		return fmt.Errorf("%w: %w", parking.ErrNotFound, err)
	case database.Unreachable(err):
		return storage.Unavailable(s.server.Explain(err))
	}
	return err
}

// possible returns the ids that PostgreSQL can store. Others it would refuse, and with them the whole query.
func possible(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return strings.Contains(id, "\x00") || !utf8.ValidString(id) })
}

const (
	invalidText         = "22021" // an id with a zero byte, or that is not UTF-8: nothing has such a one
	foreignKeyViolation = "23503"
	uniqueViolation     = "23505"
)

// wrote says what became of a statement that was to write rows and wrote n.
func wrote(doing, what, id string) func(n int, err error) error {
	return func(n int, err error) error {
		switch {
		case database.HasCode(err, uniqueViolation):
			err = fmt.Errorf("%w: %w", parking.ErrTaken, err)
		case database.HasCode(err, foreignKeyViolation):
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
