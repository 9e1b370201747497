package main

import (
	"syscall"
	"time"
)

// writing are the scenarios between a request and the log.
var writing = []scenario{
	{
		name: "relay-killed", short: 14 * time.Second, long: 2 * time.Minute,
		shows:  "the leading parking process is killed between writing to Kafka and clearing its outbox, again and again",
		demand: demand{clients: 24, sse: 4, v1: 6, rate: 300, spots: 300, writers: 6, batch: 10, settle: 90 * time.Second},
		run: func(t *trial) {
			const recognised = "parkwire_relay_recognised_events_total"
			var found float64
			for i := range choose(t, 4, 20) {
				n := t.p.leader(t)
				way := t.p.links[n.Name]
				if i%2 == 0 { // what it wrote to Kafka cannot be cleared …
					t.fault("database silent, then kill -9 of the leading parking process")
					way.database.Silence()
				} else { // … or what it reads cannot be written
					t.fault("Kafka hears nothing, then kill -9 of the leading parking process")
					for _, w := range way.kafka {
						w.Deafen()
					}
				}
				t.wait(300 * time.Millisecond)
				n.Kill(t)
				cut(way.all())
				openAll(t, []*links{way})
				next := others(t.p.Parking, n)[0]
				before, _ := metric(next, recognised, "")
				t.p.leader(t) // somebody carries on
				after, _ := metric(next, recognised, "")
				found += after - before
				n.Restart(t.lasting())
			}
			t.note("%.0f rows were recognised in Kafka by the next leader", found)
		},
	},
	{
		name: "relay-moves", short: 11 * time.Second, long: 90 * time.Second,
		shows: "the relay's leadership moves: its process is stopped, or stands still and goes on",
		run: func(t *trial) {
			for range choose(t, 1, 5) {
				n := t.p.leader(t)
				t.fault("restart of the leading parking process")
				n.Stop(t)
				t.p.leader(t)
				n.Restart(t.lasting())
				n = t.p.leader(t)
				t.fault("SIGSTOP of the leading parking process")
				pause(t, n, choose(t, 3*time.Second, 12*time.Second))
				t.p.leader(t)
			}
		},
	},
	{
		name: "postgres-restarted", short: 12 * time.Second, long: time.Minute,
		shows: "PostgreSQL is killed and recovers, and is restarted",
		run: func(t *trial) {
			for range choose(t, 1, 3) {
				t.fault("kill -9 of PostgreSQL")
				t.p.kit(t, "postgres.sh", "kill")
				t.wait(choose(t, time.Second, 5*time.Second))
				t.p.kit(t, "postgres.sh", "start")
				t.p.leader(t)
				t.fault("restart of PostgreSQL")
				t.p.kit(t, "postgres.sh", "stop")
				t.p.kit(t, "postgres.sh", "start")
				t.p.leader(t)
			}
		},
	},
}

// pause stops a process as it is, and lets it go on.
func pause(t *trial, n *node, d time.Duration) {
	n.Signal(t, syscall.SIGSTOP)
	defer n.Signal(t, syscall.SIGCONT)
	t.wait(d)
}
