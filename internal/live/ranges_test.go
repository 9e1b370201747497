//go:build linux

package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"pgregory.net/rapid"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

// Whoever asks for what, in whatever order, while the log breaks off and forgets: each gets exactly what the log has from
// its offset on, or hears that it is gone.
func TestABlockHasExactlyWhatTheLogHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rapid.SyncTest(t, func(t *rapid.T) {
			log := &roughLog{fakeLog: newFakeLog(2)}
			ctx, cancel := context.WithCancel(context.Background())
			shared := newShared(ctx, log, int64(rapid.SampledFrom([]int{1, 10 * entryOverhead, 1 << 20}).Draw(t, "kept")), newMetrics(nil, nil, nil).logReads)
			shared.ranges.size = blockSize{rapid.Int64Range(1, 12).Draw(t, "offsets"), rapid.Int64Range(1, 8*entryOverhead).Draw(t, "bytes")}
			defer shared.errands.wait()
			defer cancel()
			var askers sync.WaitGroup
			defer askers.Wait()
			heads := func() event.Offsets { o, _ := log.newest(true); return o }
			t.Repeat(map[string]func(*rapid.T){
				"records come": func(t *rapid.T) {
					p := rapid.IntRange(0, 1).Draw(t, "partition")
					for range rapid.IntRange(1, 8).Draw(t, "records") {
						value := fmt.Sprintf(`{"spotId":"s","n":%q}`, strings.Repeat("x", rapid.SampledFrom([]int{0, 3 * entryOverhead}).Draw(t, "size")))
						log.append(p, rapid.SampledFrom([]string{value, value, "no event"}).Draw(t, "value"))
					}
				},
				"the log forgets": func(t *rapid.T) {
					p := rapid.IntRange(0, 1).Draw(t, "partition")
					to := rapid.Int64Range(log.tails[p], heads()[p]).Draw(t, "up to")
					log.set(func() { log.tails[p] = to })
				},
				"the log gets worse": func(t *rapid.T) {
					log.latency.Store(int64(rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second}).Draw(t, "latency")))
					log.breakOff.Store(rapid.Int64Range(0, 5).Draw(t, "break off"))
				},
				"time passes": func(t *rapid.T) {
					time.Sleep(rapid.SampledFrom([]time.Duration{time.Microsecond, time.Millisecond, 3 * time.Second}).Draw(t, "time"))
				},
				"somebody asks": func(t *rapid.T) {
					p := int32(rapid.IntRange(0, 1).Draw(t, "partition"))
					newest := heads()[p]
					if newest < 0 {
						t.Skip("there is nothing")
					}
					offset := rapid.Int64Range(0, newest).Draw(t, "offset")
					askers.Go(func() {
						b, err := shared.ranges.get(ctx, p, offset, newest)
						log.mu.Lock()
						defer log.mu.Unlock()
						switch {
						case errors.Is(err, errAway), ctx.Err() != nil:
						case errors.Is(err, errCursorExpired):
							if log.tails[p] < offset {
								t.Errorf("offset %d is said to be gone; the log has all behind %d", offset, log.tails[p])
							}
						case err != nil:
							t.Error(err)
						case b.last < offset || b.last >= int64(len(log.partitions[p])):
							t.Errorf("a block up to %d for offset %d", b.last, offset)
						default:
							var got, want []string
							for _, e := range b.after(offset - 1) {
								got = append(got, fmt.Sprint(e.partition, e.offset, string(e.value)))
							}
							for _, r := range log.partitions[p][offset : b.last+1] {
								if value := string(r.Value); value != "no event" {
									want = append(want, fmt.Sprint(r.Partition, r.Offset, value))
								}
							}
							if !slices.Equal(got, want) {
								t.Errorf("from %d to %d it has %v, the log %v", offset, b.last, got, want)
							}
						}
					})
				},
				"": func(t *rapid.T) {
					r := shared.ranges
					r.mu.Lock()
					defer r.mu.Unlock()
					if r.bytes > r.max && r.used.Len() > 1 || len(r.blocks) != r.used.Len() {
						t.Errorf("%d bytes in %d blocks are kept, %d listed", r.bytes, r.used.Len(), len(r.blocks))
					}
				},
			})
			synctest.Wait()
		})
	})
}

// What ten thousand lack, each from a place of its own, is read once.
func TestManyWhoLackAboutTheSameShareItsReading(t *testing.T) {
	log := newFakeLog(1)
	for i := range 3 * blockOffsets {
		log.append(0, fmt.Sprintf(`{"spotId":"s","version":%d}`, i+1))
	}
	ctx, cancel := context.WithCancel(t.Context())
	m := newMetrics(nil, nil, nil)
	shared := newShared(ctx, log, 64<<20, m.logReads)
	defer shared.errands.wait()
	defer cancel()
	var all sync.WaitGroup
	for n := range 10_000 {
		all.Go(func() {
			for offset, newest := int64(n%5000), int64(3*blockOffsets-1); offset <= newest; {
				b, err := shared.ranges.get(ctx, 0, offset, newest)
				if err != nil || int64(len(b.after(offset-1))) != b.last-offset+1 {
					t.Errorf("from %d on: %v", offset, err)
					return
				}
				offset = b.last + 1
			}
		})
	}
	all.Wait()
	records, tails := testutil.ToFloat64(m.logReads.WithLabelValues("records")), testutil.ToFloat64(m.logReads.WithLabelValues("tails"))
	if records != 3 || tails > 3 {
		t.Errorf("it took %v reads and %v questions", records, tails)
	}
}

// A question that was asked before somebody wanted the answer does not count for them; one that is yet to come does for all.
func TestAQuestionIsAskedOnceForAllWhoComeBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := int64(0)
		q := &question{every: time.Second, asked: func() {}, errands: &errands{ctx: t.Context()}, turn: make(chan struct{}, 1), ask: func(ctx context.Context) (event.Offsets, error) {
			n++
			answer := event.Offsets{n}
			time.Sleep(100 * time.Millisecond)
			if n == 4 {
				return nil, errAway
			}
			return answer, nil
		}}
		var all sync.WaitGroup
		ask := func(want int64, after time.Duration) {
			all.Go(func() {
				began := time.Now()
				offsets, err := q.fresh(t.Context())
				if want == 0 && err == nil || want > 0 && (err != nil || offsets[0] != want) || time.Since(began) != after {
					t.Errorf("%v, %v came after %v; %d was to come after %v", offsets, err, time.Since(began), want, after)
				}
			})
		}
		ask(1, 100*time.Millisecond)
		synctest.Wait()
		for range 100 {
			ask(2, 1100*time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		ask(2, 1050*time.Millisecond)
		time.Sleep(980 * time.Millisecond)
		ask(3, 1070*time.Millisecond) // the second is being asked
		all.Wait()
		if offsets, err := q.recent(t.Context(), time.Second); err != nil || offsets[0] != 3 || n != 3 {
			t.Errorf("recent is %v, %v", offsets, err)
		}
		time.Sleep(time.Minute)
		ask(0, 100*time.Millisecond)
		all.Wait()
		if q.known()[0] != 3 {
			t.Errorf("after an error %v is known", q.known())
		}
		ask(5, time.Second)
		all.Wait()
	})
}

var _ Log = (*fakeLog)(nil)
var _ Log = (*kafkalog.Log)(nil)
