package directory

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// entry is what is known of one thing: its description, and the record that said so.
type entry[T described] struct {
	value   T
	record  string // its id; "": nothing is known
	removed bool
	changed bool // in this batch
}

// kind is what the three have in common.
type kind[T described] struct {
	read func(json.RawMessage) (T, error)
	// id names the thing that a description is of.
	id func(T) string
}

// check returns why a record does not describe what it names.
func (k kind[T]) check(r record) error {
	_, err := k.fold(entry[T]{}, r)
	return err
}

// fold takes a record into what is known, and returns an error where it does not describe what it names.
func (k kind[T]) fold(known entry[T], r record) (entry[T], error) {
	next, err := k.read(r.describes())
	if err != nil {
		return known, fmt.Errorf("the description cannot be read: %w", err)
	}
	if k.id(next) != r.Resource.ID {
		return known, fmt.Errorf("the record of %s %q describes %q", r.Resource.Type, r.Resource.ID, k.id(next))
	}
	continues, err := k.continues(known, r)
	if err != nil || !r.newer(known.record, continues) {
		return known, err
	}
	return entry[T]{value: next, record: r.ID, removed: r.removed(), changed: true}, nil
}

// continues reports whether what the record says was before is what is known.
func (k kind[T]) continues(known entry[T], r record) (bool, error) {
	if len(r.Before) == 0 {
		return known.record == "" || known.removed, nil
	}
	before, err := k.read(r.Before)
	if err != nil {
		return false, fmt.Errorf("the description before cannot be read: %w", err)
	}
	return known.record != "" && !known.removed && reflect.DeepEqual(before, known.value), nil
}
