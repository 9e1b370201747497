package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/internal/sqldb"
)

// Whatever somebody does to the store who has it and knows how it is made, short of computing the whole rest anew, is found, and where it is.
func TestWhatIsDoneToTheStoreByHandIsFoundAndLocated(t *testing.T) {
	for name, c := range map[string]struct {
		hand  func(w *world) []string
		at    []int64 // where something is found
		what  string  // what is said of it
		hash  bool    // expected and found hash are said
		notes func(w *world) []Note
	}{
		"one byte of a value": {
			hand: func(w *world) []string { return []string{flip(w, "value", 17)} },
			at:   []int64{17}, what: "its content is not what was hashed", hash: true,
		},
		"one byte of a key": {
			hand: func(w *world) []string { return []string{flip(w, "record_key", 17)} },
			at:   []int64{17}, what: "its content is not what was hashed", hash: true,
		},
		"a field to search by": {
			hand: func(*world) []string { return []string{"update audit_records set subject = 'eve' where sequence = 11"} },
			at:   []int64{11}, what: `subject was "anna" and is "eve"`, hash: true,
		},
		"a field to search by that is gone": {
			hand: func(*world) []string { return []string{"update audit_records set spot_id = null where sequence = 12"} },
			at:   []int64{12}, what: `spotId was "A-2" and is ""`, hash: true,
		},
		"the time of a record": {
			hand: func(*world) []string {
				return []string{"update audit_records set time = time - 60000 where sequence = 11"}
			},
			at: []int64{11}, what: "time was 2026-11-24T12:00:00.000Z and is 2026-11-24T11:59:00.000Z", hash: true,
		},
		"a place in Kafka": {
			hand: func(*world) []string {
				return []string{"update audit_records set place = place + 1 where sequence = 11"}
			},
			at: []int64{11}, what: "its content is not what was hashed", hash: true,
		},
		"a hash": {
			hand: func(w *world) []string { return []string{flip(w, "hash", 17)} },
			at:   []int64{17, 18}, what: "it does not follow the record before it", hash: true,
		},
		"a value and its hash": {
			hand: func(w *world) []string { return forge(w, 17, false) },
			at:   []int64{18}, what: "it does not follow the record before it", hash: true,
		},
		"a byte behind a hash": {
			hand: func(w *world) []string {
				return []string{fmt.Sprintf("update audit_records set hash = %s where sequence = 17", w.literal(append(w.all()[16].Hash[:], 0)))}
			},
			at: []int64{17, 18}, what: "it does not follow the record before it", hash: true,
		},
		"the high bytes of a partition": {
			hand: func(*world) []string {
				return []string{"update audit_records set part = part + 4294967296 where sequence = 17"}
			},
			at: []int64{17}, what: "its content is not what was hashed", hash: true,
		},
		"the time of the head": {
			hand: func(*world) []string { return []string{"update audit_head set recorded_at = recorded_at + 1000"} },
			at:   []int64{33}, what: "and the head of the chain says 20",
		},
		"a row removed in the middle": {
			hand: func(*world) []string { return []string{"delete from audit_records where sequence = 17"} },
			at:   []int64{17, 18}, what: "it is missing, and no checkpoint stands for it", hash: false,
		},
		"rows removed in the middle": {
			hand: func(*world) []string { return []string{"delete from audit_records where sequence between 17 and 19"} },
			at:   []int64{17, 20}, what: "it is missing, with all up to 19",
		},
		"rows swapped": {
			hand: func(*world) []string {
				return []string{"update audit_records set sequence = -17 where sequence = 17", "update audit_records set sequence = 17 where sequence = 18", "update audit_records set sequence = 18 where sequence = -17"}
			},
			at: []int64{17, 18, 19}, what: "it does not follow the record before it", hash: true,
		},
		"a row inserted, with those behind it moved": {
			hand: func(*world) []string {
				return []string{
					"update audit_records set sequence = -1 - sequence where sequence >= 17", "update audit_records set sequence = -sequence where sequence < 0",
					"insert into audit_records select 17, previous, hash, recorded_at, time, kind, topic, part, place, record_key, value, record_id, subject, client, request_id, resource_type, resource_id, spot_id, lot_id, action, repeats from audit_records where sequence = 5",
					"update audit_head set sequence = sequence + 1",
				}
			},
			at: from(17, 34), what: "it does not follow the record before it", hash: true,
		},
		"a row inserted behind the head": {
			hand: func(*world) []string {
				return []string{"insert into audit_records select 34, previous, hash, recorded_at, time, kind, topic, part, place, record_key, value, record_id, subject, client, request_id, resource_type, resource_id, spot_id, lot_id, action, repeats from audit_records where sequence = 5"}
			},
			at: []int64{34}, what: "it stands behind the head of the chain, which is at 33",
		},
		"the tail cut off": {
			hand: func(*world) []string { return []string{"delete from audit_records where sequence > 25"} },
			at:   []int64{26}, what: "those up to 33, where its head is, were cut off",
		},
		"the tail cut off, and the head moved back": {
			hand: func(*world) []string {
				return []string{"delete from audit_records where sequence > 25", "update audit_head set sequence = 25, hash = (select hash from audit_records where sequence = 25), recorded_at = (select recorded_at from audit_records where sequence = 25)"}
			},
			notes: func(w *world) []Note { h := w.head(); return []Note{{h.Sequence, h.Hash}} },
			at:    []int64{33}, what: "it was the head once, as was noted, and is missing: the chain ends at 25",
		},
		"everything computed anew from a record on": {
			hand:  func(w *world) []string { return forge(w, 17, true) },
			notes: func(w *world) []Note { h := w.head(); return []Note{{h.Sequence, h.Hash}} },
			at:    []int64{33}, what: "it is another one than the head that was noted", hash: true,
		},
		"the first ones cut off": {
			hand: func(*world) []string { return []string{"delete from audit_records where sequence <= 10"} },
			at:   []int64{1, 11}, what: "it is missing, with all up to 10, and no checkpoint stands for them",
		},
		"everything removed": {
			hand: func(*world) []string { return []string{"delete from audit_records", "delete from audit_head"} },
			at:   []int64{0}, what: "it has no head",
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				w.fill(30)
				if h := w.head(); h.Sequence != 33 {
					t.Fatalf("the chain has %d records of 33", h.Sequence)
				}
				var v Verification
				if c.notes != nil {
					v.Notes = c.notes(w)
				}
				if r := w.verify(v); !r.OK || r.Records != 33 {
					t.Fatalf("before anything was done to it the chain is judged %+v", r)
				}
				w.byHand(c.hand(w)...)
				w.expect(w.verify(v), c.at, c.what, c.hash)
			})
		})
	}
}

// from are the numbers from one to another.
func from(first, last int64) (all []int64) {
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

// expect compares findings with where they must be and what one of them must say.
func (w *world) expect(r Report, at []int64, what string, hashes bool) {
	w.Helper()
	var found []int64
	said := false
	for _, f := range r.Findings {
		found = append(found, f.Sequence)
		if strings.Contains(f.What, what) && f.Sequence >= at[0] {
			said = true
			if hashes && (len(f.Expected) != 64 || len(f.Found) != 64 || f.Expected == f.Found) {
				w.Errorf("expected and found hash are %q and %q", f.Expected, f.Found)
			}
		}
	}
	slices.Sort(found)
	if r.OK || !said || !slices.Equal(slices.Compact(found), at) {
		w.Errorf("it is found at %v, and said so: %v; %v with %q was right", found, r.Findings, at, what)
	}
}

// flip changes one byte of a column of a record.
func flip(w *world, column string, sequence int64) string {
	w.Helper()
	var e Entry
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		e, _, err = one(ctx, tx, sequence)
		return err
	})
	bytes := map[string][]byte{"value": e.Value, "record_key": e.Key, "hash": e.Hash[:]}[column]
	bytes[len(bytes)/2] ^= 1
	return fmt.Sprintf("update audit_records set %s = %s where sequence = %d", column, w.literal(bytes), sequence)
}

// literal are bytes in SQL.
func (w *world) literal(bytes []byte) string {
	if strings.Contains(w.Name(), "/postgres") {
		return fmt.Sprintf(`'\x%x'::bytea`, bytes)
	}
	return fmt.Sprintf("x'%x'", bytes)
}

// forge changes the value of a record and computes its hash anew, and where the rest is wanted those of all behind it and the head.
func forge(w *world, sequence int64, rest bool) (statements []string) {
	w.Helper()
	var sum hasher
	var previous Hash
	for _, e := range w.all() {
		if e.Sequence < sequence || e.Sequence > sequence && !rest {
			continue
		}
		if e.Sequence == sequence {
			e.Value = []byte(strings.Replace(string(e.Value), "central", "outside", 1))
		} else {
			e.Previous = previous
		}
		previous = sum.record(&e)
		statements = append(statements, fmt.Sprintf("update audit_records set value = %s, previous = %s, hash = %s where sequence = %d",
			w.literal(e.Value), w.literal(e.Previous[:]), w.literal(previous[:]), e.Sequence))
	}
	if rest {
		statements = append(statements, fmt.Sprintf("update audit_head set hash = %s", w.literal(previous[:])))
	}
	return statements
}

// What retention removed is as safe as what is left.
func TestWhatIsDoneToCheckpointsIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		hand string
		what string
	}{
		"a checkpoint that stands for more":      {"update audit_checkpoints set last_sequence = last_sequence + 1 where number = 2", "its content is not what was hashed"},
		"a checkpoint that says another time":    {"update audit_checkpoints set first_time = 0 where number = 1", "its content is not what was hashed"},
		"the first checkpoint removed":           {"delete from audit_checkpoints where number = 1", "between them some are missing"},
		"the last checkpoint removed":            {"delete from audit_checkpoints where number = 2", "no checkpoint stands for"},
		"records removed behind the checkpoints": {"delete from audit_records where sequence <= (select max(last_sequence) + 1 from audit_checkpoints)", "it is missing, and no checkpoint stands for it"},
	} {
		t.Run(name, func(t *testing.T) {
			eachWorld(t, func(w *world) {
				w.fill(30)
				first, second := w.removeOld(noon.Add(3*time.Second)), w.removeOld(noon.Add(5*time.Second))
				if r := w.whole(); first == 0 || second == 0 || r.Checkpoints != 2 || r.Removed != first+second || r.First != r.Removed+1 {
					t.Fatalf("retention removed %d and %d, and verification says %+v", first, second, r)
				}
				w.byHand(c.hand)
				r := w.verify(Verification{})
				if r.OK || !slices.ContainsFunc(r.Findings, func(f Finding) bool { return strings.Contains(f.What, c.what) }) {
					t.Errorf("it is found as %v; %q was to be said", r.Findings, c.what)
				}
			})
		})
	}
}

// Somebody removes the beginning and puts a checkpoint in its place, as retention does, but without the record that tells of it.
func TestACheckpointOfWhichTheChainDoesNotTellIsFound(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(30)
		all, head := w.all(), w.head()
		c := Checkpoint{
			Number: 1, Previous: head.beginning(), First: 1, Last: 10, FirstTime: all[0].RecordedAt, LastTime: all[9].RecordedAt,
			Before: head.beginning(), LastHash: all[9].Hash, RemovedAt: w.now.UnixMilli(), Entry: 20,
		}
		c.Hash = c.hash()
		w.byHand("delete from audit_records where sequence <= 10", fmt.Sprintf("insert into audit_checkpoints (%s) values (1, %s, 1, 10, %d, %d, %s, %s, %d, 20, %s)", checkpointColumns,
			w.literal(c.Previous[:]), c.FirstTime, c.LastTime, w.literal(c.Before[:]), w.literal(c.LastHash[:]), c.RemovedAt, w.literal(c.Hash[:])))
		w.expect(w.verify(Verification{}), []int64{20}, "it should tell of checkpoint 1, and does not", false)
	})
}
