package sqldb_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var sets = []sqldb.Set{sqldb.NewSet("things", os.DirFS("testdata"))}

const columns = "things (id, count, share, open, data, kind)"

func each(t *testing.T, run func(t *testing.T, open func() *sqldb.DB)) {
	t.Helper()
	sqldbtest.Each(t, sets, run)
}

func text(r sqldb.Row) (s string, err error)  { return s, r.Scan(&s) }
func number(r sqldb.Row) (n int64, err error) { return n, r.Scan(&n) }

// ids returns the ids that are committed.
func ids(t *testing.T, d *sqldb.DB) (all []string) {
	t.Helper()
	err := d.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = sqldb.All(ctx, tx, text, "select id from things order by id")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func put(id string) func(context.Context, *sqldb.Tx) error {
	return func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "insert into things (id, count) values (?, ?)", id, 1)
		return err
	}
}

func TestWhatIsCommittedIsThereAndWhatIsNotIsNot(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		d := open()
		if err := d.Update(t.Context(), put("a")); err != nil {
			t.Fatal(err)
		}
		refused := errors.New("refused")
		err := d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return errors.Join(put("b")(ctx, tx), refused)
		})
		if !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				_ = put("c")(ctx, tx)
				panic("a bug")
			})
		}()
		ended, cancel := context.WithCancel(t.Context())
		err = d.Update(ended, func(ctx context.Context, tx *sqldb.Tx) error {
			defer cancel()
			return put("d")(ctx, tx)
		})
		if !errors.Is(err, context.Canceled) || errors.Is(err, sqldb.ErrUnavailable) {
			t.Errorf("a transaction whose context ended: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := d.Update(t.Context(), put("e")); !errors.Is(err, sqldb.ErrUnavailable) {
			t.Errorf("a transaction of a closed database: %v", err)
		}
		if got := ids(t, open()); !slices.Equal(got, []string{"a"}) {
			t.Errorf("there are %v", got)
		}
	})
}

type kind string

func TestRowsAreReadAsTheyWereWritten(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		d := open()
		name, n := "pointed at", int64(-5)
		rows := [][]any{
			{"all", int64(1) << 60, 0.25, true, []byte{0, 1, 255}, kind("named")},
			{"none", 0, nil, nil, nil, nil},
			{"pointers", &n, (*float64)(nil), (*bool)(nil), []byte{}, &name},
		}
		err := d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return tx.Insert(ctx, columns, rows, "") })
		if err != nil {
			t.Fatal(err)
		}
		type thing struct {
			id    string
			count int64
			share *float64
			open  *bool
			data  []byte
			kind  *kind
		}
		var got []thing
		err = d.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
			got, err = sqldb.All(ctx, tx, func(r sqldb.Row) (v thing, err error) {
				return v, r.Scan(&v.id, &v.count, &v.share, &v.open, &v.data, &v.kind)
			}, "select id, count, share, open, data, kind from things where kind is null or kind <> ? order by id", "what's ? in quotes")
			return err
		})
		if err != nil || len(got) != 3 {
			t.Fatalf("got %v, %v", got, err)
		}
		all, none, pointers := got[0], got[1], got[2]
		if all.count != 1<<60 || *all.share != 0.25 || !*all.open || string(all.data) != "\x00\x01\xff" || *all.kind != "named" {
			t.Errorf("got %+v", all)
		}
		if none.share != nil || none.open != nil || none.data != nil || none.kind != nil {
			t.Errorf("got %+v", none)
		}
		if pointers.count != -5 || pointers.share != nil || *pointers.kind != "pointed at" {
			t.Errorf("got %+v", pointers)
		}
	})
}

func TestManyRowsAreWrittenWhateverTheirNumber(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		d := open()
		const n = 30_001 // more than a statement takes
		for round := range 2 {
			rows := make([][]any, n)
			for i := range rows {
				rows[i] = []any{fmt.Sprintf("%05d", i), round, nil, nil, nil, "x"}
			}
			err := d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
				return tx.Insert(ctx, columns, rows, "on conflict (id) do update set count = things.count + excluded.count + 1")
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		err := d.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			sum, ok, err := sqldb.One(ctx, tx, number, "select cast(sum(count) as bigint) from things")
			if sum != 2*n || !ok {
				t.Errorf("the sum is %d", sum)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return tx.Clear(ctx, "things") })
		if err != nil || len(ids(t, d)) > 0 {
			t.Errorf("%d rows are left, %v", len(ids(t, d)), err)
		}
	})
}

func TestAWrongRowIsNamed(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		d := open()
		for name, test := range map[string]struct {
			into string
			row  []any
			want string
		}{
			"too few values": {"things (id, count)", []any{"a"}, "1 values for 2 columns"},
			"no columns":     {"things", []any{"a"}, "does not name a table with its columns"},
		} {
			err := d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error { return tx.Insert(ctx, test.into, [][]any{test.row}, "") })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestAViewIsOneSnapshotAndCannotWrite(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		d := open()
		if err := d.Update(t.Context(), put("a")); err != nil {
			t.Fatal(err)
		}
		err := d.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			count := func() int64 {
				n, _, err := sqldb.One(ctx, tx, number, "select count(*) from things")
				if err != nil {
					t.Error(err)
				}
				return n
			}
			before := count()
			if err := d.Update(t.Context(), put("b")); err != nil {
				t.Error(err)
			}
			if after := count(); before != 1 || after != 1 {
				t.Errorf("%d rows, and then %d", before, after)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.View(t.Context(), put("c")); err == nil {
			t.Error("a view has written")
		}
		if got := ids(t, d); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("there are %v", got)
		}
	})
}

// Who began to read before everything was deleted must not find one table as it was and another one empty.
func TestAViewSeesNothingOfWhatIsClearedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		d := open()
		if err := d.Update(t.Context(), put("a")); err != nil {
			t.Fatal(err)
		}
		clearing := func(ctx context.Context, tx *sqldb.Tx) error { return tx.Clear(ctx, "things") }
		err := d.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if _, _, err := sqldb.One(ctx, tx, text, "select name from dialect"); err != nil { // of another table
				return err
			}
			if err := d.Update(t.Context(), clearing); err != nil {
				return err
			}
			n, _, err := sqldb.One(ctx, tx, number, "select count(*) from things")
			if n != 1 {
				t.Errorf("%d rows are seen, and there was one", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(t, d); len(got) > 0 {
			t.Errorf("there are %v", got)
		}
		// Neither does one wait for who reads it.
		if err := d.Update(t.Context(), put("b")); err != nil {
			t.Fatal(err)
		}
		err = d.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if _, _, err := sqldb.One(ctx, tx, text, "select id from things"); err != nil {
				return err
			}
			soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			return d.Update(soon, clearing)
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestATransactionThatOthersGetInTheWayOfLeavesTheDatabaseReady(t *testing.T) {
	o := sqldbtest.Postgres(t, sets) // SQLite has one who writes
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	d := sqldbtest.Open(t, o)
	d.BePatient(time.Millisecond)
	if err := d.Update(t.Context(), put("a")); err != nil {
		t.Fatal(err)
	}
	add := func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "update things set count = count + 1 where id = ?", "a")
		return err
	}
	tries := 0
	err := d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		tries++
		if _, _, err := sqldb.One(ctx, tx, number, "select count from things where id = ?", "a"); err != nil {
			return err
		}
		if err := d.Update(t.Context(), add); err != nil { // each time somebody is faster
			t.Error(err)
		}
		return add(ctx, tx)
	})
	if !errors.Is(err, sqldb.ErrConflict) || !errors.Is(err, sqldb.ErrUnavailable) || tries != sqldb.FewestTries {
		t.Errorf("after %d tries: %v", tries, err)
	}
	if err := d.Ready(); err != nil {
		t.Errorf("it is not ready: %v", err)
	}
	families, err := registry.Gather()
	if err != nil || !strings.Contains(fmt.Sprint(families), `"conflict"`) {
		t.Errorf("no conflict is counted: %v", err)
	}
}

func TestADamagedFileIsNotWaitedFor(t *testing.T) {
	o := sqldbtest.SQLite(t, sets)
	d := sqldbtest.Open(t, o)
	if err := d.Update(t.Context(), put("a")); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	file := strings.TrimPrefix(o.URL, "sqlite:")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	copy(data[100:4096], bytes.Repeat([]byte{0xff}, 4096)) // the first page without its header: the tables' names
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		o.ReadOnly = readOnly
		damaged, err := sqldb.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer damaged.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := damaged.Start(ctx); err == nil || ctx.Err() != nil || errors.Is(err, sqldb.ErrUnavailable) || !strings.Contains(err.Error(), "it is damaged") {
			t.Errorf("read only %v: %v", readOnly, err)
		}
	}
}

func TestATransactionThatIsReadHasNoOtherStatement(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		d := open()
		err := d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			if err := errors.Join(put("a")(ctx, tx), put("b")(ctx, tx)); err != nil {
				return err
			}
			err := sqldb.Each(ctx, tx, func(sqldb.Row) error { return put("c")(ctx, tx) }, "select id from things")
			if err == nil || !strings.Contains(err.Error(), "still being read") {
				t.Errorf("got %v", err)
			}
			return nil // what the function gives back ends the reading, not the transaction
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(t, d); !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("there are %v", got)
		}
	})
}

func TestTransactionsOfManyAreAsIfOneCameAfterTheOther(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		const writers, each = 4, 15
		first, second := open(), open() // as two processes would
		if err := first.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			return tx.Insert(ctx, "things (id, count)", [][]any{{"a", 0}, {"b", 0}}, "")
		}); err != nil {
			t.Fatal(err)
		}
		// Each adds one to the smaller of the two, by what it reads of both: together they never differ by more than one.
		add := func(ctx context.Context, tx *sqldb.Tx) error {
			id, _, err := sqldb.One(ctx, tx, text, "select id from things order by count, id limit 1")
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "update things set count = count + 1 where id = ?", id)
			return err
		}
		var group sync.WaitGroup
		for w := range writers {
			d := []*sqldb.DB{first, second}[w%2]
			group.Go(func() {
				for range each {
					// A conflict that goes on is for who asks to try again.
					for err := errors.New(""); err != nil; {
						if err = d.Update(t.Context(), add); err != nil && !errors.Is(err, sqldb.ErrUnavailable) {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		group.Wait()
		err := first.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			counts, err := sqldb.All(ctx, tx, number, "select count from things order by id")
			if len(counts) != 2 || counts[0] != writers*each/2 || counts[1] != writers*each/2 {
				t.Errorf("the counts are %v", counts)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestEachDatabaseHasItsOwnMigrations(t *testing.T) {
	each(t, func(t *testing.T, open func() *sqldb.DB) {
		d := open()
		open() // a second one finds everything made
		err := d.View(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
			name, _, err := sqldb.One(ctx, tx, text, "select name from dialect")
			if name != filepath.Base(t.Name()) {
				t.Errorf("the tables are those of %s", name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestManyProcessesMayStartAtOnce(t *testing.T) {
	sqldbtest.EachOptions(t, sets, func(t *testing.T, o sqldb.Options) {
		var group sync.WaitGroup
		for range 6 {
			d, err := sqldb.Open(o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			group.Go(func() {
				if err := d.Start(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
	})
}

func TestAReaderMakesNothing(t *testing.T) {
	sqldbtest.EachOptions(t, sets, func(t *testing.T, o sqldb.Options) {
		looks := o
		looks.ReadOnly, looks.Sets = true, nil
		if !strings.HasPrefix(o.URL, "sqlite:") { // a file that is not there is waited for
			sqldbtest.Open(t, o)
		} else {
			d, err := sqldb.Open(looks)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if err := d.Start(ctx); !errors.Is(err, context.DeadlineExceeded) || d.Ready() == nil {
				t.Errorf("a file that is not there: %v, %v", err, d.Ready())
			}
		}
		writer := sqldbtest.Open(t, o)
		if err := writer.Update(t.Context(), put("a")); err != nil {
			t.Fatal(err)
		}
		d := sqldbtest.Open(t, looks)
		if got := ids(t, d); !slices.Equal(got, []string{"a"}) {
			t.Errorf("there are %v", got)
		}
		if err := d.Update(t.Context(), put("b")); err == nil {
			t.Error("a database that is opened to be read was written")
		}
	})
}

func TestWhatCannotBeOpenedSaysWhy(t *testing.T) {
	for url, want := range map[string]string{
		"":                     "the URL of the database is empty",
		"sqlite:":              "the path of the SQLite file is empty",
		"mysql://host/x":       `begins with "mysql:"`,
		"postgres://[":         "the URL of the database",
		"postgres://localhost": "the schema",
	} {
		if _, err := sqldb.Open(sqldb.Options{URL: url}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", url, err)
		}
	}
	file := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := sqldb.Open(sqldb.Options{URL: "sqlite:" + file, Sets: sets})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Start(t.Context()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("start: %v", err)
	}
}

func TestTransactionsAndConnectionsAreMeasured(t *testing.T) {
	sqldbtest.EachOptions(t, sets, func(t *testing.T, o sqldb.Options) {
		registry := prometheus.NewRegistry()
		o.Registerer = registry
		d, err := sqldb.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if strings.HasPrefix(o.URL, "sqlite:") {
			if err := d.Update(t.Context(), put("a")); !errors.Is(err, sqldb.ErrUnavailable) || d.Ready() == nil {
				t.Errorf("before the start: %v, %v", err, d.Ready())
			}
		}
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second is refused: it is there
			_ = d.Update(t.Context(), put("a"))
		}
		if n := testutil.CollectAndCount(registry, "parkwire_database_update_duration_seconds"); n < 2 {
			t.Errorf("%d outcomes are counted", n)
		}
		if n := testutil.CollectAndCount(registry, "parkwire_database_connections"); n != 2 {
			t.Errorf("%d states of connections are shown", n)
		}
		if err := d.Ready(); err != nil {
			t.Error(err)
		}
	})
}
