package delivery

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

// A webhook is given another address between the look at its host and the claim.
func TestAHostThatChangesMeanwhileCostsNoSlot(t *testing.T) {
	sqldbtest.Each(t, []sqldb.Set{Migrations()}, func(t *testing.T, open func() *sqldb.DB) {
		now := time.Now()
		s, err := New(Options{DB: open(), Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		c := channel{ID: "c", Subject: "anna", Kind: KindWebhook, Target: "https://one.example/", State: stateActive, CreatedAt: now}
		save := func(target string) {
			c.Target, c.Host = target, hostOf(target)
			if err := s.options.DB.Update(t.Context(), c.save); err != nil {
				t.Fatal(err)
			}
		}
		save("https://one.example/")
		one := "host " + c.Host
		err = s.options.DB.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			_, err := Enqueue(ctx, tx, now, []Alert{{
				DecisionID: uuid.NewString(), RuleID: "r", Subject: "anna", Channels: []string{"c"}, Type: TypeFired, At: now, Data: json.RawMessage(`{}`),
			}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range opensAfter {
			s.circuits.end(one, false, now.Add(-s.options.Sending.Rest))
		}
		var page []lane
		err = s.options.DB.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
			page, err = lanes(ctx, tx, "")
			return err
		})
		if err != nil || len(page) != 1 {
			t.Fatalf("lanes %v, %v", page, err)
		}
		n := s.permits(page[0], now)
		if lets, _ := s.circuits.lets(one, now); n != 1 || lets {
			t.Fatalf("a host that is to be tried gets %d slots, and lets others: %v", n, lets)
		}
		save("https://two.example/")
		got, err := s.take(t.Context(), []claim{{page[0], n}}, nil, now)
		if err != nil || len(got) != 0 {
			t.Fatalf("claimed is %v, %v", got, err)
		}
		if lets, _ := s.circuits.lets(one, now); !lets || len(s.slots.taken) != 0 || s.slots.busy() != 0 {
			t.Errorf("the host lets others: %v; taken is %v", lets, s.slots.taken)
		}
		got, _, err = s.round(t.Context(), &sweep{})
		if err != nil || len(got) != 1 || got[0].host != hostOf("https://two.example/") || got[0].channelOf.Target != "https://two.example/" {
			t.Fatalf("the next round claims %v, %v", got, err)
		}
		s.slots.give(got[0].lane, 1)
		if len(s.slots.taken) != 0 || s.slots.busy() != 0 {
			t.Errorf("taken is %v", s.slots.taken)
		}
	})
}

// However many lanes there are, and wherever it begins, a sweep looks at each once.
func TestASweepLooksAtEachLaneOnce(t *testing.T) {
	for _, n := range []int{0, 1, lanesAtOnce - 1, lanesAtOnce, lanesAtOnce + 1, 3*lanesAtOnce + 7} {
		var all []lane
		for i := range n {
			all = append(all, lane{channel: string([]byte{'c', byte('0' + i/100), byte('0' + i/10%10), byte('0' + i%10)})})
		}
		for _, begin := range []string{"", "c000", "c100", "c255", "c256", "c257", "b", "d"} {
			w := from(begin, time.Time{})
			var seen []string
			for pages := 0; ; pages++ {
				i := slices.IndexFunc(all, func(l lane) bool { return l.channel > w.at })
				if i < 0 {
					i = n
				}
				page, more := w.read(all[i:min(i+lanesAtOnce, n)])
				for _, l := range page {
					seen = append(seen, l.channel)
				}
				if !more {
					break
				}
				if pages > n/lanesAtOnce+3 {
					t.Fatalf("of %d lanes, begun behind %q: it does not end", n, begin)
				}
			}
			first := ""
			if len(seen) > 0 {
				first = seen[0]
			}
			if n > 0 && begin < all[n-1].channel && first <= begin {
				t.Errorf("of %d lanes, begun behind %q: the first is %s", n, begin, first)
			}
			slices.Sort(seen)
			if !slices.EqualFunc(seen, all, func(id string, l lane) bool { return id == l.channel }) {
				t.Errorf("of %d lanes, begun behind %q: %d are looked at", n, begin, len(seen))
			}
		}
	}
}
