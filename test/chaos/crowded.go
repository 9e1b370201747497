package main

import (
	"time"
)

// crowded are the scenarios of very many clients, and of very slow ones.
var crowded = []scenario{
	{
		name: "slow-clients", short: 18 * time.Second, long: 150 * time.Second,
		shows: "1 % of the clients read 1 KB/s: the others' p99 is at most 10 % worse, and memory is bounded",
		demandOf: func(t *trial) demand {
			return demand{clients: choose(t, 100, 800), rate: choose(t, 200, 20), spots: 200, writers: 4, batch: choose(t, 10, 1), settle: 90 * time.Second}
		},
		prepare: func(t *trial) { t.p.configure(t, "PARKWIRE_LIVE_CLIENT_LIMIT=256KiB") },
		run: func(t *trial) {
			n := choose(t, 4, 8)
			before := memory(t.p.Live)
			t.fault("%d clients that read 1 KB/s", n)
			slow := newCrowd(t, n, instances(t.p.Live), 1000)
			closed := sum(t.p.Live, tooSlow, "")
			var most float64
			for end := time.Now().Add(choose(t, 10*time.Second, 2*time.Minute)); time.Now().Before(end); t.wait(time.Second) {
				most = max(most, memory(t.p.Live))
			}
			t.note("memory of an instance %.0f MiB before, %.0f MiB at most", before, most)
			closed = sum(t.p.Live, tooSlow, "") - closed
			t.note("slow clients were closed %.0f times and got %d events", closed, slow.delivered())
			if t.long && closed == 0 { // before, what they do not read is in buffers of the kernel
				t.Errorf("no slow client was closed")
			}
			if bound := before + 64 + float64(n); most > bound {
				t.Errorf("an instance took %.0f MiB with slow clients; %.0f MiB is the bound", most, bound)
			}
		},
		check: func(t *trial) { t.atMost("p99 of the others", t.row.During, 1.1, t.row.Before) },
	},
	{
		name: "storm", short: 14 * time.Second, long: 60 * time.Second,
		shows:  "an instance with 10,000 clients is killed: 99 % are back within 10 s, by fewer reads of Kafka than one for 100 of them",
		demand: demand{clients: 8, sse: 2, v1: 2, rate: 4, spots: 4, writers: 2, batch: 1, settle: 2 * time.Minute},
		run:    runStorm,
		check:  crowdsAreComplete,
	},
}

const tooSlow = "parkwire_live_too_slow_closed_total"

// runStorm connects a crowd to one instance and kills that. Each client of the crowd is in this process, which may open
// 20,000 files, as may an instance.
func runStorm(t *trial) {
	n := t.storm
	if n == 0 {
		n = choose(t, 1000, 10_000)
	}
	victim := t.p.Live[0]
	rest := others(t.p.Live, victim)
	began := time.Now()
	c := newCrowd(t, n, instances(t.p.Live[:1]), 0)
	everywhere := instances(t.p.Live)
	c.addresses.Store(&everywhere)
	t.crowds = append(t.crowds, c)
	t.note("%d clients connected in %.1f s", n, time.Since(began).Seconds())
	t.wait(choose(t, 3*time.Second, 10*time.Second))
	t.load.mark(t)
	reads, resumed := sum(rest, logReads, ""), sum(rest, resumes, "")
	t.fault("kill -9 of the instance of %d clients", n)
	killed := time.Now()
	victim.Kill(t)
	back := func(part float64) func() bool {
		return func() bool {
			away := 0
			for _, p := range c.people {
				if p.lostAt.Load() > 0 || p.gap.Load() == 0 {
					away++
				}
			}
			return float64(away) <= (1-part)*float64(n)
		}
	}
	t.until(2*time.Minute, "99 % of the clients to be back", back(0.99))
	t.bound("99 % back after", time.Since(killed), 10*time.Second)
	t.until(2*time.Minute, "every client to be back", back(1))
	gaps := c.gaps()
	t.note("all after %.1f s; a client was away for %.1f s in the median", time.Since(killed).Seconds(), gaps[len(gaps)/2].Seconds())
	t.wait(choose(t, 2*time.Second, 5*time.Second))
	reads, resumed = sum(rest, logReads, "")-reads, sum(rest, resumes, "")-resumed
	t.note("%.0f resumed by %.0f reads of Kafka", resumed, reads)
	if reads*100 >= float64(n) {
		t.Errorf("%.0f reads of Kafka for %d clients; fewer than one for 100 were promised", reads, n)
	}
	victim.Restart(t.lasting())
}
