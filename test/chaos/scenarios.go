package main

import (
	"slices"
	"time"

	"parkwire/test/e2e/stack"
)

// scenarios are all there are, in the order in which they run.
var scenarios = slices.Concat(resuming, withRedis, withKafka, writing, crowded, everything)

const (
	resumes    = "parkwire_live_resumes_total"
	logReads   = "parkwire_live_log_reads_total"
	fromMemory = `source="memory"`
	fromLog    = `source="log"`
)

// resuming are the scenarios in which clients come back.
var resuming = []scenario{
	{
		name: "resume-memory", short: 10 * time.Second, long: 40 * time.Second,
		shows: "an instance is killed, and its clients go on at the others from memory",
		run: func(t *trial) {
			victim := t.p.Live[0]
			rest := others(t.p.Live, victim)
			memory, log := sum(rest, resumes, fromMemory), sum(rest, resumes, fromLog)
			t.fault("kill -9 of a notification instance")
			victim.Kill(t)
			t.wait(choose(t, 3*time.Second, 10*time.Second))
			memory, log = sum(rest, resumes, fromMemory)-memory, sum(rest, resumes, fromLog)-log
			t.note("%.0f resumed from memory, %.0f from Kafka", memory, log)
			if memory == 0 || log > 0 {
				t.Errorf("%.0f clients resumed from memory and %.0f from Kafka; all from memory was promised", memory, log)
			}
			victim.Restart(t.lasting())
		},
	},
	{
		name: "resume-log", short: 18 * time.Second, long: 60 * time.Second,
		shows:   "clients that were away for longer than an instance remembers come back, and get what they missed from Kafka",
		demand:  demand{clients: 24, sse: 4, rate: 400, spots: 200, writers: 4, batch: 20, settle: 90 * time.Second},
		prepare: func(t *trial) { t.p.configure(t, "PARKWIRE_LIVE_MEMORY=1MiB") },
		run: func(t *trial) {
			n := choose(t, 50, 500)
			c := newCrowd(t, n, instances(t.p.Live), 0)
			reads := sum(t.p.Live, logReads, "")
			log := sum(t.p.Live, resumes, fromLog)
			t.fault("%d clients away for longer than memory reaches", n)
			back := c.sendAway()
			t.wait(choose(t, 8*time.Second, 30*time.Second)) // 400 events/s of some 900 bytes
			back()
			t.until(time.Minute, "every client to be back", func() bool { return c.connected.Load() == int64(n) })
			t.until(time.Minute, "clients to resume from Kafka", func() bool { return sum(t.p.Live, resumes, fromLog) > log })
			t.note("%.0f resumed from Kafka in %.0f reads", sum(t.p.Live, resumes, fromLog)-log, sum(t.p.Live, logReads, "")-reads)
			t.crowds = append(t.crowds, c)
		},
		check: crowdsAreComplete,
	},
}

// node is a process of the platform.
type node = stack.Node

// instances are the addresses of live instances.
func instances(nodes []*node) (list []string) {
	for _, n := range nodes {
		list = append(list, n.URL[len("http://"):])
	}
	return list
}
