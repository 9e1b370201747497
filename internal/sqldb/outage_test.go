package sqldb_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"parkwire/internal/sqldb"
	"parkwire/internal/sqldb/sqldbtest"
	"parkwire/test/e2e/stack"
)

// behindProxy opens a database on PostgreSQL behind a proxy, which is open.
func behindProxy(t *testing.T, silence time.Duration) (*sqldb.DB, *stack.Proxy) {
	t.Helper()
	o := sqldbtest.Postgres(t, sets)
	u, err := url.Parse(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := stack.NewProxy(t, u.Host)
	proxy.Open(t)
	u.Host = proxy.Addr
	o.URL = u.String()
	d, err := sqldb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	d.GiveUpAfter(silence)
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d, proxy
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(sqldbtest.Patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestAServerThatGoesAwayIsToldAndUsedAgain(t *testing.T) {
	d, proxy := behindProxy(t, time.Minute)
	if err := d.Update(t.Context(), put("a")); err != nil {
		t.Fatal(err)
	}
	err := d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		if err := put("b")(ctx, tx); err != nil {
			return err
		}
		proxy.Cut()
		return put("c")(ctx, tx)
	})
	if !errors.Is(err, sqldb.ErrUnavailable) {
		t.Errorf("in the middle of a transaction: %v", err)
	}
	if err := d.View(t.Context(), func(context.Context, *sqldb.Tx) error { return nil }); !errors.Is(err, sqldb.ErrUnavailable) {
		t.Errorf("a view: %v", err)
	}
	eventually(t, "it to say that the server is away", func() bool { return d.Ready() != nil })
	proxy.Open(t)
	eventually(t, "it to say that the server is back", func() bool { return d.Ready() == nil })
	if err := d.Update(t.Context(), put("d")); err != nil {
		t.Error(err)
	}
	if got := ids(t, d); !slices.Equal(got, []string{"a", "d"}) {
		t.Errorf("there are %v", got)
	}
}

func TestATransactionDoesNotWaitForeverForASilentServer(t *testing.T) {
	d, proxy := behindProxy(t, time.Second)
	err := d.Update(t.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		proxy.Silence()
		return put("a")(ctx, tx)
	})
	if !errors.Is(err, sqldb.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	proxy.Cut()
	proxy.Open(t)
	eventually(t, "it to say that the server is back", func() bool { return d.Ready() == nil })
	if err := d.Update(t.Context(), put("b")); err != nil {
		t.Error(err)
	}
}

func TestAStartWaitsForTheServer(t *testing.T) {
	o := sqldbtest.Postgres(t, sets)
	u, err := url.Parse(o.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := stack.NewProxy(t, u.Host)
	u.Host = proxy.Addr
	o.URL = u.String()
	d, err := sqldb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	started := make(chan error, 1)
	go func() { started <- d.Start(t.Context()) }()
	eventually(t, "it to say what it waits for", func() bool {
		return d.Ready() != nil && errors.Is(d.Ready(), sqldb.ErrUnavailable)
	})
	proxy.Open(t)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	if err := d.Update(t.Context(), put("a")); err != nil {
		t.Error(err)
	}
}
