//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

// A contender takes readings. It begins afresh in every round.
type contender struct {
	name, title, class string
	start              func(t stack.T, s settings) *target
}

// A target is a contender that runs: a server, or, with raw, a loop around the database.
type target struct {
	address, path, token string
	spots                [][]string // by lot
	at                   time.Time  // newer than every reading so far
	pids                 []int
	parkwire             bool         // it tells what readings changed
	events               func() int64 // how many are in the log; nil without one
	raw                  func(length time.Duration, change bool) (readings int64, took time.Duration, err error)
}

func contenders(p *postgres) []contender {
	return []contender{
		{"raw-sqlite", "SQLite alone, rows of a batch in a transaction", "limit", func(t stack.T, s settings) *target { return rawSQLite(t, s) }},
		{"parkwire-sqlite", "Parkwire, SQLite", "ours", func(t stack.T, s settings) *target { return parkwire(t, s) }},
		{"plain-sqlite", "Handler with an upsert a reading, SQLite", "bar", func(t stack.T, s settings) *target {
			return plain(t, s, "sqlite", filepath.Join(t.TempDir(), "plain.db"))
		}},
		{"raw-postgres", "PostgreSQL alone, rows of a batch in a statement", "limit", func(t stack.T, s settings) *target { return rawPostgres(t, s, p.database(t)) }},
		{"parkwire-postgres", "Parkwire, PostgreSQL", "ours", func(t stack.T, s settings) *target {
			return parkwire(t, s, "--database-url", p.database(t))
		}},
		{"plain-postgres", "Handler with an upsert a reading, PostgreSQL", "bar", func(t stack.T, s settings) *target { return plain(t, s, "postgres", p.database(t)) }},
	}
}

func (s settings) spots() (all [][]string) {
	for l := range s.lots {
		var ids []string
		for i := range perLot {
			ids = append(ids, fmt.Sprintf("lot-%03d-%04d", l, i))
		}
		all = append(all, ids)
	}
	return all
}

// measure sends readings in one way. Before and after all spots are free.
func (g *target) measure(m mode, s settings) (f figure, err error) {
	if g.raw != nil {
		f.readings, f.took, err = g.raw(s.length, m.change)
		f.logged = f.took
		return f, err
	}
	g.at = g.at.Add(5 * time.Minute)
	c, err := newCrowd(g.address, g.path, g.token, g.spots, m.connections, m.size, g.at)
	if err != nil {
		return f, err
	}
	defer c.close()
	var events int64
	if g.events != nil {
		events = g.events()
	}
	before := machine.Usage(g.pids)
	f.readings, f.took, err = c.send(s.length, m.change, func(n int) string {
		switch {
		case !g.parkwire:
			return ""
		case m.change:
			return fmt.Sprintf(`"accepted":%d`, n)
		}
		return fmt.Sprintf(`"unchanged":%d`, n)
	})
	f.logged = f.took
	if err == nil && g.events != nil {
		if m.change {
			events += f.readings
		}
		var waited time.Duration
		waited, err = g.await(events)
		f.logged += waited
	}
	f.busy = machine.Usage(g.pids).Since(before)
	return f, errors.Join(err, c.release())
}

// await waits until the log has so many events, and no more.
func (g *target) await(events int64) (time.Duration, error) {
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		switch n, waited := g.events(), time.Since(began); {
		case n == events:
			return waited, nil
		case n > events || waited > time.Minute:
			return waited, fmt.Errorf("the log has %d events; there were %d changes", n, events)
		}
	}
}

// parkwire starts all of it in one process, with limits lifted: the generator is one client on purpose.
func parkwire(t stack.T, s settings, args ...string) *target {
	platform := stack.Embedded(t, append(args, "--rate-limit", "0")...)
	g := &target{
		address: strings.TrimPrefix(platform.URL, "http://"), path: "/api/v1/observations", token: platform.TokenFor(t, "ingest"),
		spots: s.spots(), at: time.Now().Add(-time.Hour), pids: []int{platform.One.PID()}, parkwire: true,
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(platform.Kafka))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	g.events = func() (n int64) {
		ends, err := kadm.NewClient(client).ListEndOffsets(context.Background(), platform.Topic)
		if err != nil {
			t.Fatal(err)
		}
		ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
		return n
	}
	for l, ids := range g.spots {
		platform.AddLot(t, fmt.Sprintf("lot-%03d", l), ids...)
	}
	if _, err := g.await(int64(s.lots * perLot)); err != nil {
		t.Fatal(err)
	}
	return g
}

// plain starts this program again, as the handler that people write.
func plain(t stack.T, s settings, kind, database string) *target {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	address := stack.Address(stack.Port(t))
	p := stack.Start(t, "plain", nil, self, "serve", kind, database, address)
	for began := time.Now(); !strings.Contains(p.Output(), "listening"); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("the handler does not listen:\n%s", p.Output())
		}
	}
	g := &target{address: address, path: "/observations", token: "none", spots: s.spots(), at: time.Now().Add(-time.Hour), pids: []int{p.PID()}}
	c, err := newCrowd(g.address, g.path, g.token, g.spots, 1, perLot, g.at) // so that later ones find their rows
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for _, sweep := range c[0].sweeps {
		if err := c[0].post(sweep, nil); err != nil {
			t.Fatal(err)
		}
	}
	return g
}
