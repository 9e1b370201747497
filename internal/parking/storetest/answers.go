package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"parkwire/internal/parking"
)

var answerKey = parking.AnswerKey{Subject: "anna", Key: "k-1"}

func kept(key parking.AnswerKey, at time.Time) parking.KeptAnswer {
	return parking.KeptAnswer{
		AnswerKey: key, Fingerprint: []byte{0, 1, 255}, Status: 201, Location: "/there", ETag: `"1"`, Body: []byte(`{"a":"ä"}`), KeptAt: at,
	}
}

func keep(t *testing.T, s parking.Store, a parking.KeptAnswer) {
	t.Helper()
	update(t, s, func(ctx context.Context, tx parking.Tx) error { return tx.KeepAnswer(ctx, a) })
}

// claim returns what a transaction of its own finds under a key.
func claim(t *testing.T, s parking.Store, key parking.AnswerKey, since time.Time) (found parking.KeptAnswer, err error) {
	t.Helper()
	err = s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) (err error) {
		found, err = tx.ClaimAnswer(ctx, key, since)
		return err
	})
	return found, err
}

var answerPromises = []promise{
	{"come back as they were, inside a transaction and outside", func(t *testing.T, s parking.Store) {
		full := kept(answerKey, noon)
		bare := parking.KeptAnswer{AnswerKey: parking.AnswerKey{Key: "bare"}, Fingerprint: []byte{1}, Status: 200, Body: []byte("{}"), KeptAt: noon}
		for _, a := range []parking.KeptAnswer{full, bare} {
			keep(t, s, a)
			equal(t, "what was kept", ok(s.Answer(t.Context(), a.AnswerKey, noon))(t), a)
			equal(t, "what is claimed", ok(claim(t, s, a.AnswerKey, noon))(t), a)
		}
	}},
	{"are of one subject and one key", func(t *testing.T, s parking.Store) {
		keep(t, s, kept(answerKey, noon))
		for _, other := range []parking.AnswerKey{{Subject: "bert", Key: "k-1"}, {Subject: "anna", Key: "k-2"}, {Subject: "anna", Key: "K-1"}} {
			_, err := s.Answer(t.Context(), other, noon)
			failsWith(t, fmt.Sprint(other), err, parking.ErrNotFound)
			_, err = claim(t, s, other, noon)
			failsWith(t, fmt.Sprint(other), err, parking.ErrNotFound)
		}
	}},
	{"are not there any more when they are too old, and are replaced", func(t *testing.T, s parking.Store) {
		keep(t, s, kept(answerKey, noon))
		later := noon.Add(time.Millisecond)
		_, err := s.Answer(t.Context(), answerKey, later)
		failsWith(t, "the old answer", err, parking.ErrNotFound)
		_, err = claim(t, s, answerKey, later)
		failsWith(t, "the old answer", err, parking.ErrNotFound)
		renewed := kept(answerKey, later)
		renewed.Status, renewed.Fingerprint = 200, []byte{9}
		keep(t, s, renewed)
		equal(t, "the new answer", ok(s.Answer(t.Context(), answerKey, noon))(t), renewed)
	}},
	{"are kept with the change or not at all", func(t *testing.T, s parking.Store) {
		broken := errors.New("broken off")
		err := s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
			if err := errors.Join(tx.AddLot(ctx, newLot("l")), tx.KeepAnswer(ctx, kept(answerKey, noon))); err != nil {
				return err
			}
			return broken
		})
		failsWith(t, "the transaction", err, broken)
		_, err = s.Answer(t.Context(), answerKey, noon)
		failsWith(t, "the answer", err, parking.ErrNotFound)
		_, err = s.Lot(t.Context(), "l")
		failsWith(t, "the lot", err, parking.ErrNotFound)
	}},
	{"lets one of those who claim a key at once do it", func(t *testing.T, s parking.Store) {
		const claimers = 8
		did, found, ended := 0, 0, make(chan error)
		for range claimers {
			go func() {
				ended <- s.Update(t.Context(), func(ctx context.Context, tx parking.Tx) error {
					_, err := tx.ClaimAnswer(ctx, answerKey, noon)
					if err == nil {
						return errFound
					}
					if !errors.Is(err, parking.ErrNotFound) {
						return err
					}
					return tx.KeepAnswer(ctx, kept(answerKey, noon))
				})
			}()
		}
		for range claimers {
			switch err := <-ended; {
			case err == nil:
				did++
			case errors.Is(err, errFound), errors.Is(err, parking.ErrClaimed):
				found++
			default:
				t.Error(err)
			}
		}
		equal(t, "who did it", did, 1)
		equal(t, "who was told that it is done, or being done", found, claimers-1)
	}},
	{"may be claimed again after a transaction that failed", func(t *testing.T, s parking.Store) {
		for range 3 {
			_, err := claim(t, s, answerKey, noon)
			failsWith(t, "the claim", err, parking.ErrNotFound)
		}
	}},
	{"are pruned in batches, the old and no more", func(t *testing.T, s parking.Store) {
		for i := range 25 {
			keep(t, s, kept(parking.AnswerKey{Subject: "anna", Key: fmt.Sprint(i)}, noon.Add(time.Duration(i)*time.Second)))
		}
		for i, want := range []int{10, 10, 2, 0} {
			equal(t, fmt.Sprintf("removed by batch %d", i), ok(s.PruneAnswers(t.Context(), noon.Add(22*time.Second), 10))(t), want)
		}
		_, err := s.Answer(t.Context(), parking.AnswerKey{Subject: "anna", Key: "21"}, noon)
		failsWith(t, "a pruned answer", err, parking.ErrNotFound)
		ok(s.Answer(t.Context(), parking.AnswerKey{Subject: "anna", Key: "22"}, noon))(t)
	}},
}

var errFound = errors.New("an answer was found")
