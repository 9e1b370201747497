package consumer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(childTopic) != "" {
		if err := runChild(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

var testSets = []sqldb.Set{Migrations(), sqldb.NewSet("chains", os.DirFS("testdata"))}

// chain is an effect that shows whether every record was applied once, in order, on what was committed before: for each partition it counts the records, and the
// sum of each is made of the one before and the record. It remembers the sums, so that it goes wrong where it is not made to load them again.
type chain struct {
	name string

	mu     sync.Mutex
	sums   map[int32]link
	loads  int
	faults func(kafkalog.Record) error // what comes of a record, beside its effect
}

type link struct {
	records int64
	sum     string
}

func (l link) with(r kafkalog.Record) link {
	h := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %s", l.sum, r.Offset, r.Key, r.Value))
	return link{l.records + 1, fmt.Sprintf("%x", h[:8])}
}

func (c *chain) Load(ctx context.Context, tx *sqldb.Tx) error {
	sums, err := readLinks(ctx, tx, c.name)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sums, c.loads = sums, c.loads+1
	return err
}

func readLinks(ctx context.Context, tx *sqldb.Tx, name string) (map[int32]link, error) {
	sums := map[int32]link{}
	err := sqldb.Each(ctx, tx, func(r sqldb.Row) error {
		var p int64
		var l link
		err := r.Scan(&p, &l.records, &l.sum)
		sums[int32(p)] = l
		return err
	}, "select partition, records, sum from chains where name = ?", name)
	return sums, err
}

func (c *chain) Apply(ctx context.Context, tx *sqldb.Tx, records []kafkalog.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := map[int32]bool{}
	for i, r := range records {
		c.sums[r.Partition], changed[r.Partition] = c.sums[r.Partition].with(r), true
		if c.faults == nil {
			continue
		}
		if err := c.faults(r); err != nil { // after the memory was changed
			if errors.Is(err, errRefused) {
				err = Refuse(i, err)
			}
			return err
		}
	}
	var rows [][]any
	for p := range changed {
		rows = append(rows, []any{c.name, p, c.sums[p].records, c.sums[p].sum})
	}
	return tx.Insert(ctx, "chains (name, partition, records, sum)", rows,
		"on conflict (name, partition) do update set records = excluded.records, sum = excluded.sum")
}

func (c *chain) Reset(ctx context.Context, tx *sqldb.Tx) error {
	_, err := tx.Exec(ctx, "delete from chains where name = ?", c.name)
	return err
}

func (c *chain) Gap(ctx context.Context, tx *sqldb.Tx, g Gap) error {
	_, err := tx.Exec(ctx, "insert into gaps (name, partition, first, last, replaced) values (?, ?, ?, ?, ?)", c.name, g.Partition, g.From, g.To, g.Replaced)
	return err
}

var errRefused = errors.New("refused")

// world is a log and a database of the test's own.
type world struct {
	t       testing.TB
	brokers []string
	log     *kafkalog.Log
	open    func() *sqldb.DB
	db      *sqldb.DB
	written []int64 // records of each partition
}

const testName = "test"

// everywhere runs test on each kind of broker with each kind of database.
func everywhere(t *testing.T, test func(w *world)) {
	t.Helper()
	logtest.Each(t, func(t *testing.T, brokers []string) {
		sqldbtest.Each(t, testSets, func(t *testing.T, open func() *sqldb.DB) { test(newWorld(t, brokers, open)) })
	})
}

// eachDatabase is everywhere on the embedded broker.
func eachDatabase(t *testing.T, test func(w *world)) {
	t.Helper()
	sqldbtest.Each(t, testSets, func(t *testing.T, open func() *sqldb.DB) {
		test(newWorld(t, []string{logtest.Broker(t, "").Addr()}, open))
	})
}

func newWorld(t testing.TB, brokers []string, open func() *sqldb.DB) *world {
	t.Helper()
	o := logtest.Options(t, brokers)
	o.GroupPrefix = o.Topic + "-"
	l := logtest.Open(t, o)
	logtest.Ensure(t, l)
	t.Cleanup(func() {
		client := logtest.Client(t, brokers)
		defer client.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_, _ = kadm.NewClient(client).DeleteGroups(ctx, l.Group(testName))
	})
	return &world{t: t, brokers: brokers, log: l, open: open, db: open(), written: make([]int64, 3)}
}

func (w *world) write(n int) {
	w.t.Helper()
	var records []*kgo.Record
	for range n {
		for p := range w.written {
			records = append(records, &kgo.Record{Topic: w.log.Topic(), Partition: int32(p), Value: fmt.Appendf(nil, "record %d of %d", w.written[p], p)})
			w.written[p]++
		}
	}
	logtest.Write(w.t, w.brokers, records...)
}

// quick are the times of tests.
var quick = patience{retry: 5 * time.Millisecond, longest: 100 * time.Millisecond, look: 50 * time.Millisecond, abandon: 5 * time.Second, truncate: 500 * time.Millisecond, end: logtest.Patience}

func (w *world) consumer(effect Effect, change ...func(*Options)) *Consumer {
	o := Options{Name: testName, Log: w.log, DB: w.db, Effect: effect, Logger: logtest.Logger(), Registerer: prometheus.NewRegistry()}
	for _, c := range change {
		c(&o)
	}
	c := New(o)
	c.patience = quick
	return c
}

// running runs a consumer until stop is called, or the test ends.
func (w *world) running(c *Consumer) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("it ended with %v", err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

func (w *world) eventually(what string, done func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(3 * logtest.Patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// links are what the chain has made.
func (w *world) links() (sums map[int32]link) {
	w.t.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		sums, err = readLinks(ctx, tx, testName)
		return err
	})
	return sums
}

func (w *world) view(do func(ctx context.Context, tx *sqldb.Tx) error) {
	w.t.Helper()
	if err := w.db.View(w.t.Context(), do); err != nil {
		w.t.Fatal(err)
	}
}

// expected is what the chain must have made of the log without the records that are left out.
func (w *world) expected(left func(kafkalog.Record) bool) map[int32]link {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), logtest.Patience)
	defer cancel()
	stand, err := w.log.Stand(ctx, w.log.Topic())
	if err != nil {
		w.t.Fatal(err)
	}
	from, to := event.NewOffsets(len(stand.End)), event.NewOffsets(len(stand.End))
	for p := range stand.End {
		from[p], to[p] = stand.Begin[p]-1, stand.End[p]-1
	}
	want := map[int32]link{}
	err = w.log.RangeOf(ctx, w.log.Topic(), from, to, func(r kafkalog.Record) error {
		if left == nil || !left(r) {
			want[r.Partition] = want[r.Partition].with(r)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return want
}

// reaches waits until the chain is as it must be.
func (w *world) reaches(what string, left func(kafkalog.Record) bool) {
	w.t.Helper()
	want := w.expected(left)
	var n int64
	for _, l := range want {
		n += l.records
	}
	var got map[int32]link
	deadline := time.Now().Add(3 * logtest.Patience)
	for {
		got = w.links()
		var have int64
		for _, l := range got {
			have += l.records
		}
		if have >= n {
			break
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: %d records of %d were applied", what, have, n)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Fatalf("%s: records were lost, repeated or applied to something else\n got %v\nwant %v", what, got, want)
	}
}

// rejected are the records that were set aside, as PARTITION@OFFSET: REASON.
func (w *world) rejected() (all []string) {
	w.t.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = sqldb.All(ctx, tx, func(r sqldb.Row) (string, error) {
			var p, offset int64
			var reason string
			err := r.Scan(&p, &offset, &reason)
			reason, _, _ = strings.Cut(reason, "\n")
			return fmt.Sprintf("%d@%d: %s", p, offset, reason), err
		}, "select partition, record_offset, reason from rejected_records order by partition, record_offset")
		return err
	})
	return all
}

func (w *world) gaps() (all []string) {
	w.t.Helper()
	w.view(func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = sqldb.All(ctx, tx, func(r sqldb.Row) (string, error) {
			var p, first, last int64
			var replaced bool
			err := r.Scan(&p, &first, &last, &replaced)
			return fmt.Sprintf("%d: %d to %d, replaced %v", p, first, last, replaced), err
		}, "select partition, first, last, replaced from gaps order by partition, first")
		return err
	})
	return all
}

func (w *world) same(what string, got, want []string) {
	w.t.Helper()
	if !slices.Equal(got, want) {
		w.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// metric returns a value of a consumer's metrics.
func (w *world) metric(c *Consumer, name string, labels ...string) float64 {
	w.t.Helper()
	families, err := c.options.Registerer.(*prometheus.Registry).Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "parkwire_consumer_"+name {
			continue
		}
		for _, m := range f.GetMetric() {
			has := map[string]string{}
			for _, l := range m.GetLabel() {
				has[l.GetName()] = l.GetValue()
			}
			match := true
			for i := 0; i+1 < len(labels); i += 2 {
				match = match && has[labels[i]] == labels[i+1]
			}
			if match {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	w.t.Fatalf("there is no metric %s %v", name, labels)
	return 0
}
