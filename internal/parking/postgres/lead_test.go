package postgres_test

import (
	"context"
	"testing"
	"time"

	"parkwire/internal/parking/postgres"
)

// leader leads in the background until stop is called or its leadership ends.
type leader struct {
	leads, lost chan struct{} // closed when it leads, and when its ctx ended
	stop        func()
}

func lead(t *testing.T, s *postgres.Store) leader {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l := leader{leads: make(chan struct{}), lost: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.Lead(ctx, func(ctx context.Context) error {
			close(l.leads)
			<-ctx.Done()
			close(l.lost)
			return ctx.Err()
		})
	}()
	l.stop = func() { cancel(); <-ended }
	t.Cleanup(l.stop)
	return l
}

// within waits until c is closed and returns how long that took.
func within(t *testing.T, most time.Duration, what string, c <-chan struct{}) time.Duration {
	t.Helper()
	start := time.Now()
	select {
	case <-c:
		return time.Since(start)
	case <-time.After(most):
		t.Fatalf("%s: not within %v", what, most)
		return 0
	}
}

func not(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
		t.Error(what)
	case <-time.After(time.Second):
	}
}

func TestOneProcessOfSeveralLeads(t *testing.T) {
	address := server(t)
	url := ownSchema(t, address)
	one, two, elsewhere := started(t, postgres.Options{URL: url}), started(t, postgres.Options{URL: url}),
		started(t, postgres.Options{URL: ownSchema(t, address)})
	first := lead(t, one)
	within(t, 5*time.Second, "the first leads", first.leads)
	second := lead(t, two)
	not(t, "two lead at once", second.leads)
	within(t, 5*time.Second, "another schema has a leader of its own", lead(t, elsewhere).leads)
	first.stop()
	t.Logf("the second led after %v", within(t, 3*time.Second, "the second leads", second.leads))
}

func TestALeaderWhoseConnectionEndsIsToldAndAnotherLeads(t *testing.T) {
	url := ownSchema(t, server(t))
	one := started(t, postgres.Options{URL: setting(t, url, "application_name", t.Name())})
	two := started(t, postgres.Options{URL: url})
	first := lead(t, one)
	within(t, 5*time.Second, "the first leads", first.leads)
	second := lead(t, two)
	execute(t, url, `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and state = 'idle in transaction'`, t.Name())
	t.Logf("told after %v", within(t, 3*time.Second, "the first is told", first.lost))
	within(t, 3*time.Second, "the second leads", second.leads)
}

func TestALeaderThatIsCutOffStopsBeforeAnotherLeads(t *testing.T) {
	url := ownSchema(t, server(t))
	p := proxyTo(t, url)
	one := started(t, postgres.Options{URL: through(t, url, p.addr), Timeout: 2 * time.Second})
	two := started(t, postgres.Options{URL: url})
	first := lead(t, one)
	within(t, 5*time.Second, "the first leads", first.leads)
	second := lead(t, two)
	p.setFrozen(true)
	lost := within(t, 4*time.Second, "the first is told", first.lost)
	select {
	case <-second.leads:
		t.Error("the second leads already")
	default:
	}
	t.Logf("told after %v, the second led %v later", lost, within(t, 12*time.Second, "the second leads", second.leads))
	p.setCut(true)
}
