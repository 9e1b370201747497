package postgres

import (
	"context"
	"fmt"
	"time"

	"parkwire/internal/parking"
	"parkwire/internal/parking/internal/storage"
)

const keptAnswer = "select " + storage.AnswerColumns + " from answers where subject = $1 and key = $2 and kept_at >= $3"

// Answer implements [parking.Store].
func (s *Store) Answer(ctx context.Context, key parking.AnswerKey, since time.Time) (parking.KeptAnswer, error) {
	return storage.Single(look(ctx, s, storage.ScanAnswer, keptAnswer, key.Subject, key.Key, instant(since)))("the answer under the key", key.Key)
}

// ClaimAnswer takes an advisory lock that ends with the transaction, however that ends: a process that dies leaves nothing
// behind. The answer is read after the lock was taken, and so is there if whoever had it before committed.
func (t *tx) ClaimAnswer(ctx context.Context, key parking.AnswerKey, since time.Time) (parking.KeptAnswer, error) {
	claimed, err := read(ctx, t, func(r storage.Row) (got bool, err error) { return got, r.Scan(&got) },
		"select pg_try_advisory_xact_lock(hashtextextended($1, hashtextextended($2, 7)))", key.Subject, key.Key)
	if err == nil && !claimed[0] {
		err = parking.ErrClaimed
	}
	if err != nil {
		return parking.KeptAnswer{}, fmt.Errorf("claiming the key %q: %w", key.Key, err)
	}
	return storage.Single(read(ctx, t, storage.ScanAnswer, keptAnswer, key.Subject, key.Key, instant(since)))("the answer under the key", key.Key)
}

func (t *tx) KeepAnswer(ctx context.Context, a parking.KeptAnswer) error {
	_, err := t.affect(ctx, "insert into answers ("+storage.AnswerColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (subject, key) do update set fingerprint = excluded.fingerprint, status = excluded.status,
		location = excluded.location, etag = excluded.etag, body = excluded.body, kept_at = excluded.kept_at`,
		a.Subject, a.Key, a.Fingerprint, a.Status, a.Location, a.ETag, a.Body, instant(a.KeptAt))
	if err != nil {
		return fmt.Errorf("keeping the answer under the key %q: %w", a.Key, err)
	}
	return nil
}

// PruneAnswers implements [parking.Store]. Processes that prune at the same time take different answers.
func (s *Store) PruneAnswers(ctx context.Context, t time.Time, limit int) (int, error) {
	bound, cancel := s.bound(ctx)
	defer cancel()
	tag, err := s.pool.Exec(bound, `delete from answers where ctid = any (array
		(select ctid from answers where kept_at < $1 order by kept_at limit $2 for update skip locked))`, instant(t), limit)
	if err != nil {
		return 0, fmt.Errorf("pruning the answers: %w", s.classify(ctx, err))
	}
	return int(tag.RowsAffected()), nil
}
