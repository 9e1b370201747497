package audit

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"parkwire/internal/sqldb"
)

func TestWhatIsOldIsReplacedByCheckpointsThatAreOfTheChain(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(30)
		before := w.all()
		if n := w.removeOld(noon.Add(time.Second)); n != 0 || w.head().Sequence != 33 {
			t.Errorf("%d records were removed though none is old", n)
		}
		if n := w.removeOld(noon.Add(4 * time.Second)); n != 21 {
			t.Errorf("%d records were removed of 21 that are old", n)
		}
		r := w.whole()
		if r.Checkpoints != 1 || r.Removed != 21 || r.First != 22 || r.Last != 34 || r.Records != 13 {
			t.Errorf("verification says %+v", r)
		}
		after := w.all()
		if told := after[len(after)-1]; told.Kind != KindCheckpoint || !strings.Contains(string(told.Value), `"first":1,"last":21,"count":21,"firstTime":"2026-11-24T12:00:01.000Z","lastTime":"2026-11-24T12:00:03.000Z"`) {
			t.Errorf("the chain tells of it by %+v: %s", told, told.Value)
		}
		for i, e := range after[:12] {
			if e.Hash != before[21+i].Hash {
				t.Errorf("record %d was changed", e.Sequence)
			}
		}
		// The record that tells of the first checkpoint is removed in its turn; the checkpoints stay.
		w.fill(10)
		w.removeOld(w.now)
		w.fill(10)
		if r := w.whole(); r.Checkpoints != 2 || r.Removed < 34 || r.First != r.Removed+1 {
			t.Errorf("after more was removed verification says %+v", r)
		}
	})
}

func TestHeadsThatWereNotedBeforeARemovalAreComparedWhereTheCheckpointsKnowThem(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(30)
		all := w.all()
		w.removeOld(noon.Add(4 * time.Second))
		note := func(sequence int64) Note { return Note{sequence, all[sequence-1].Hash} }
		if r := w.verify(Verification{Notes: []Note{note(21), note(22), note(33)}}); !r.OK {
			t.Errorf("heads that are right are judged %v", r.Findings)
		}
		wrong := note(21)
		wrong.Hash[0] ^= 1
		w.expect(w.verify(Verification{Notes: []Note{wrong}}), []int64{21}, "it is another one than the head that was noted", true)
		w.expect(w.verify(Verification{Notes: []Note{note(9)}}), []int64{9}, "whether it is the head that was noted cannot be shown", false)
	})
}

// Else whoever changed a record had only to wait.
func TestNothingIsRemovedThatIsNotWhole(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(30)
		w.byHand(flip(w, "value", 7))
		err := w.db.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := remove(ctx, tx, noon.Add(4*time.Second).UnixMilli(), w.now.UnixMilli(), removedAtOnce)
			return err
		})
		if !errors.Is(err, errNotWhole) || !strings.Contains(err.Error(), "record 7") {
			t.Errorf("retention says %v", err)
		}
		if len(w.all()) != 33 {
			t.Error("records were removed")
		}
	})
}

// Verification reads piece by piece, and what is removed meanwhile is no hole.
func TestRecordsThatAreRemovedWhileTheChainIsVerifiedAreNotMissed(t *testing.T) {
	eachWorld(t, func(w *world) {
		w.fill(30)
		run := &verifier{told: map[int64]Checkpoint{}, notes: map[int64][]Note{}}
		run.walk.find = run.findings.add
		w.view(run.begin)
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			e, _, err := one(ctx, tx, 1)
			run.record(&e)
			return err
		})
		w.removeOld(noon.Add(4 * time.Second))
		w.view(func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := run.page(ctx, tx)
			return err
		})
		run.end()
		if len(run.findings.shown) > 0 {
			t.Errorf("it found %v", run.findings.shown)
		}
	})
}
