package verify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"parkwire/internal/client"
	"parkwire/internal/event"
)

// spot is what writers tell the clients of a spot.
type spot struct {
	id           string
	acknowledged atomic.Int64 // the newest version that the platform answered for; all below it are too, as versions have no hole
	asked        atomic.Int64 // the newest version that a request was made for
	begun        []atomic.Int64
	answered     []atomic.Int64 // when versions were acknowledged
}

// answer notes when a version was acknowledged, before it counts as such.
func (s *spot) answer(version int64, at time.Duration) {
	s.answered[version&int64(len(s.answered)-1)].Store(int64(at))
}

// acknowledgedAt is when a version was; 0 where it was not yet, or is not remembered.
func (s *spot) acknowledgedAt(version int64) time.Duration {
	newest := s.acknowledged.Load()
	at := time.Duration(s.answered[version&int64(len(s.answered)-1)].Load())
	if version > newest || version <= newest-int64(len(s.answered)) {
		return 0
	}
	return at
}

// begin notes when the request was made that is to make a version.
func (s *spot) begin(version int64, at time.Duration) {
	s.begun[version&int64(len(s.begun)-1)].Store(int64(at))
	atLeast(&s.asked, version)
}

// began is when the request for a version was made. known is false where that is not remembered: then it was earlier than at,
// or nobody asked for the version.
func (s *spot) began(version int64) (at time.Duration, known bool) {
	newest := s.asked.Load()
	return time.Duration(s.begun[version&int64(len(s.begun)-1)].Load()), version <= newest && version > newest-int64(len(s.begun))
}

const (
	// remembered is how long it is remembered when a request began. A frame that comes later has no latency, but counts as late.
	remembered = 15 * time.Minute
	addAtOnce  = 5000
	removeWith = 8 // requests at a time
)

// makeSpots makes the spots of a new lot, not yet at the platform. Their memory is bounded by the rate.
func makeSpots(lot string, n int, rate float64) []*spot {
	history := 1 << bits.Len(uint(math.Ceil(rate*remembered.Seconds()/float64(n)))+15)
	spots := make([]*spot, n)
	for i := range spots {
		spots[i] = &spot{id: fmt.Sprintf("%s-%05d", lot, i+1), begun: make([]atomic.Int64, history), answered: make([]atomic.Int64, history)}
	}
	return spots
}

func newLotID() string { return "verify-" + strings.ToLower(rand.Text()[:10]) }

// addLot adds the lot and its spots, and returns a cursor from before: a client that begins there sees every version
// from the first one on.
func (v *verifier) addLot(ctx context.Context) (cursor string, err error) {
	if cursor, err = v.position(ctx); err != nil {
		return "", err
	}
	v.asked = true
	if err := v.patient.AddLot(ctx, client.Lot{ID: v.lot, Name: "parkwire verify, removed at its end"}); err != nil && !taken(err) {
		return "", err
	}
	for rest := v.spots; len(rest) > 0; rest = rest[min(addAtOnce, len(rest)):] {
		var added []client.NewSpot
		for _, s := range rest[:min(addAtOnce, len(rest))] {
			s.begin(1, v.now())
			added = append(added, client.NewSpot{SpotID: s.id, Status: event.Free})
		}
		if err := v.patient.AddSpots(ctx, v.lot, added); err != nil && !taken(err) {
			return "", err
		}
	}
	for _, s := range v.spots {
		s.acknowledged.Store(1)
	}
	return cursor, nil
}

// taken reports that something is there already: a request was made twice, since nobody else knows our ids.
func taken(err error) bool { return client.Status(err) == http.StatusConflict }

// position asks for a cursor until the platform has one to give, which it has not while no live instance can be reached.
func (v *verifier) position(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		cursor, err := v.patient.Position(ctx)
		if cursor != "" {
			return cursor, nil
		}
		if status := client.Status(err); status == http.StatusUnauthorized || status == http.StatusForbidden {
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(fmt.Errorf("the platform at %s gives no cursor to begin at", v.URL), err)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// removeLot removes what addLot added, as far as it came.
func (v *verifier) removeLot(ctx context.Context) error {
	if !v.asked {
		return nil
	}
	gone := func(err error) error {
		if client.Status(err) == http.StatusNotFound {
			return nil
		}
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(removeWith)
	for _, s := range v.spots {
		if s.asked.Load() > 0 {
			group.Go(func() error { return gone(v.patient.RemoveSpot(ctx, s.id)) })
		}
	}
	err := group.Wait()
	if err == nil {
		err = gone(v.patient.RemoveLot(context.WithoutCancel(ctx), v.lot))
	}
	if err != nil {
		return fmt.Errorf("the lot %s was left behind: %w", v.lot, err)
	}
	return nil
}
