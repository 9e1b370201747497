package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"parkwire/internal/parking"
	"parkwire/internal/relay"
)

func accessRow(kind, id string, until time.Time) parking.AccessRow {
	return parking.AccessRow{Kind: kind, ID: id, Value: fmt.Appendf(nil, `{"of":%q}`, id), KeptUntil: until}
}

// grant saves rows, each under a revision of its own, and returns them with these.
func grant(t *testing.T, s parking.Store, rows ...parking.AccessRow) []parking.AccessRow {
	t.Helper()
	for i := range rows {
		update(t, s, func(ctx context.Context, tx parking.Tx) (err error) {
			if rows[i].Revision, err = tx.NextAccessRevision(ctx); err != nil {
				return err
			}
			return tx.SaveAccess(ctx, rows[i])
		})
	}
	return rows
}

var accessPromises = []promise{
	{"come back as they were, of each kind by themselves, page by page", func(t *testing.T, s parking.Store) {
		all := grant(t, s, accessRow("key", "b", noon), accessRow("key", "a", time.Time{}), accessRow("revocation", "a", noon), accessRow("key", "é", noon), accessRow("key", "B", noon))
		equal(t, "the first page", ok(s.AccessRows(t.Context(), "key", "", 3))(t), []parking.AccessRow{all[4], all[1], all[0]})
		equal(t, "the second", ok(s.AccessRows(t.Context(), "key", "b", 3))(t), []parking.AccessRow{all[3]})
		equal(t, "a revocation", ok(s.AccessRow(t.Context(), "revocation", "a"))(t), all[2])
		_, err := s.AccessRow(t.Context(), "revocation", "b")
		failsWith(t, "one that is not there", err, parking.ErrNotFound)
		update(t, s, func(ctx context.Context, tx parking.Tx) error {
			equal(t, "a key", ok(tx.AccessRow(ctx, "key", "a"))(t), all[1])
			_, err := tx.AccessRow(ctx, "key", "no")
			failsWith(t, "one that is not there", err, parking.ErrNotFound)
			return nil
		})
	}},
	{"are told by revision, what changed anew", func(t *testing.T, s parking.Store) {
		equal(t, "the revision of nothing", ok(s.AccessRevision(t.Context()))(t), int64(0))
		all := grant(t, s, accessRow("key", "a", noon), accessRow("key", "b", noon), accessRow("revocation", "c", noon))
		equal(t, "the revision", ok(s.AccessRevision(t.Context()))(t), all[2].Revision)
		equal(t, "all", ok(s.AccessSince(t.Context(), 0, 9))(t), all)
		equal(t, "the first two", ok(s.AccessSince(t.Context(), 0, 2))(t), all[:2])
		equal(t, "what came later", ok(s.AccessSince(t.Context(), all[1].Revision, 9))(t), all[2:])
		changed := grant(t, s, accessRow("key", "a", time.Time{}))
		equal(t, "all then", ok(s.AccessSince(t.Context(), 0, 9))(t), []parking.AccessRow{all[1], all[2], changed[0]})
		equal(t, "what changed", ok(s.AccessSince(t.Context(), all[2].Revision, 9))(t), changed)
		equal(t, "nothing more", len(ok(s.AccessSince(t.Context(), changed[0].Revision, 9))(t)), 0)
	}},
	{"are counted on from the time, so that a backup does not count again what was counted since", func(t *testing.T, s parking.Store) {
		const clocks = time.Minute // that may differ
		all := grant(t, s, accessRow("key", "a", noon), accessRow("key", "b", noon), accessRow("key", "c", noon))
		if began := time.Now().Add(-clocks).UnixMilli(); all[0].Revision < began {
			t.Errorf("the first revision is %d, and of the time %d", all[0].Revision, began)
		}
		if all[1].Revision <= all[0].Revision || all[2].Revision <= all[1].Revision {
			t.Errorf("the revisions are %d, %d and %d", all[0].Revision, all[1].Revision, all[2].Revision)
		}
	}},
	{"are repeated as they were said last, behind what waits and before what comes", func(t *testing.T, s parking.Store) {
		repeat := func() {
			t.Helper()
			if err := s.RepeatAccess(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		repeat() // nothing
		equal(t, "records of nothing", len(ok(s.PendingRecords(t.Context(), 9))(t)), 0)
		all := grant(t, s, accessRow("key", "b", time.Time{}), accessRow("revocation", "ü", noon), accessRow("key", "a", noon))
		again := accessRow("key", "b", noon)
		again.Value = []byte(`{"said":"again"}`)
		again = grant(t, s, again)[0]
		waiting, coming := relay.Record{Topic: relay.Access, Key: "key:b", Value: []byte("{}")}, relay.Record{Topic: relay.Access, Key: "key:a", Value: []byte("{}")}
		tell(t, s, waiting)
		repeat()
		tell(t, s, coming)
		equal(t, "records", bare(ok(s.PendingRecords(t.Context(), 9))(t)), []relay.Record{
			waiting, {Topic: relay.Access, Key: "revocation:ü", Value: all[1].Value}, {Topic: relay.Access, Key: "key:a", Value: all[2].Value},
			{Topic: relay.Access, Key: "key:b", Value: again.Value}, coming,
		})
		equal(t, "what there is", ok(s.AccessSince(t.Context(), 0, 9))(t), []parking.AccessRow{all[1], all[2], again})
	}},
	{"are repeated in their order while 6 write", func(t *testing.T, s parking.Store) {
		const writers, each = 6, 12
		var writing, repeating errgroup.Group
		written := make(chan struct{})
		repeating.Go(func() error {
			for {
				if err := s.RepeatAccess(t.Context()); err != nil {
					return err
				}
				select {
				case <-written:
					return nil
				default:
				}
			}
		})
		for w := range writers {
			writing.Go(func() error {
				for range each {
					err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
						row := accessRow("key", fmt.Sprint(w%3), time.Time{})
						var err error
						if row.Revision, err = tx.NextAccessRevision(ctx); err != nil {
							return err
						}
						row.Value = fmt.Append(nil, row.Revision)
						record := relay.Record{Topic: relay.Access, Key: "key:" + row.ID, Value: row.Value}
						return errors.Join(tx.SaveAccess(ctx, row), tx.AppendRecords(ctx, []relay.Record{record}))
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		err := writing.Wait()
		close(written)
		if err := errors.Join(err, repeating.Wait()); err != nil {
			t.Fatal(err)
		}
		newest := map[string]string{}
		for _, r := range ok(s.PendingRecords(t.Context(), 100_000))(t) {
			if value := string(r.Value); value < newest[r.Key] { // as long as each other
				t.Errorf("%s of %s stands behind %s", value, r.Key, newest[r.Key])
			} else {
				newest[r.Key] = value
			}
		}
		equal(t, "keys", len(newest), 3)
	}},
	{"are dropped when nobody needs them, and told so once", func(t *testing.T, s parking.Store) {
		all := grant(t, s, accessRow("key", "for ever", time.Time{}), accessRow("key", "over", noon), accessRow("revocation", "over", noon.Add(time.Second)), accessRow("key", "later", noon.Add(time.Minute)))
		drop := func(limit int) (dropped []parking.AccessRow) {
			update(t, s, func(ctx context.Context, tx parking.Tx) (err error) {
				dropped, err = tx.DropAccess(ctx, noon.Add(time.Minute), limit)
				return err
			})
			return dropped
		}
		equal(t, "the first", drop(1), all[1:2])
		equal(t, "the rest", drop(9), all[2:3])
		equal(t, "nothing more", len(drop(9)), 0)
		equal(t, "what is left", ok(s.AccessSince(t.Context(), 0, 9))(t), []parking.AccessRow{all[0], all[3]})
		equal(t, "the revision", ok(s.AccessRevision(t.Context()))(t), all[3].Revision)
	}},
	{"are saved with their revision or not at all", func(t *testing.T, s parking.Store) {
		broken := errors.New("broken off")
		err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
			revision, err := tx.NextAccessRevision(ctx)
			if err != nil {
				return err
			}
			row := accessRow("key", "a", noon)
			row.Revision = revision
			return errors.Join(tx.SaveAccess(ctx, row), broken)
		})
		failsWith(t, "the transaction", err, broken)
		equal(t, "the revision", ok(s.AccessRevision(t.Context()))(t), int64(0))
		equal(t, "rows", len(ok(s.AccessSince(t.Context(), 0, 9))(t)), 0)
	}},
	{"are missed by nobody who goes by the revision while 6 write", func(t *testing.T, s parking.Store) {
		const writers, each = 6, 12
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		heard, read := map[string]bool{}, make(chan error)
		go func() {
			var known int64
			for len(heard) < writers*each {
				rows, err := s.AccessSince(ctx, known, 3)
				if err != nil {
					read <- err
					return
				}
				for _, r := range rows {
					heard[r.ID], known = true, r.Revision
				}
			}
			read <- nil
		}()
		var g errgroup.Group
		for w := range writers {
			g.Go(func() error {
				for i := range each {
					err := s.Update(ctx, func(ctx context.Context, tx parking.Tx) error {
						row := accessRow("key", fmt.Sprint(w, "-", i), time.Time{})
						var err error
						if row.Revision, err = tx.NextAccessRevision(ctx); err != nil {
							return err
						}
						return tx.SaveAccess(ctx, row)
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-read:
			equal(t, "the reading", err, nil)
		case <-time.After(30 * time.Second):
			cancel()
			<-read
			t.Errorf("%d of %d were heard of", len(heard), writers*each)
		}
	}},
}
