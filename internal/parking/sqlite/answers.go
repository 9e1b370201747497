package sqlite

import (
	"context"
	"fmt"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

const keptAnswer = "select " + storage.AnswerColumns + " from answers where subject = ? and key = ? and kept_at >= ?"

// Answer implements [parking.Store].
func (s *Store) Answer(ctx context.Context, key parking.AnswerKey, since time.Time) (parking.KeptAnswer, error) {
	return storage.Single(look(ctx, s, storage.ScanAnswer, keptAnswer, key.Subject, key.Key, since.UnixMilli()))("the answer under the key", key.Key)
}

// ClaimAnswer never finds the key claimed: one transaction runs at a time.
func (t *tx) ClaimAnswer(ctx context.Context, key parking.AnswerKey, since time.Time) (parking.KeptAnswer, error) {
	return storage.Single(read(ctx, t.w, storage.ScanAnswer, keptAnswer, key.Subject, key.Key, since.UnixMilli()))("the answer under the key", key.Key)
}

func (t *tx) KeepAnswer(ctx context.Context, a parking.KeptAnswer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := t.w.exec("insert or replace into answers ("+storage.AnswerColumns+") values (?, ?, ?, ?, ?, ?, ?, ?)",
		a.Subject, a.Key, a.Fingerprint, a.Status, a.Location, a.ETag, a.Body, a.KeptAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("keeping the answer under the key %q: %w", a.Key, err)
	}
	return nil
}

// PruneAnswers implements [parking.Store].
func (s *Store) PruneAnswers(ctx context.Context, t time.Time, limit int) (removed int, err error) {
	err = s.write(ctx, func(w *writer) error {
		removed, err = w.affect(`delete from answers where rowid in
			(select rowid from answers where kept_at < ? order by kept_at limit ?)`, t.UnixMilli(), limit)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("pruning the answers: %w", err)
	}
	return removed, nil
}
