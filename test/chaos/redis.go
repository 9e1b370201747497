package main

import (
	"slices"
	"strings"
	"sync"
	"time"

	"parkwire/test/e2e/stack"
)

// withRedis are the scenarios about the bus.
var withRedis = []scenario{
	{
		name: "redis-absent", short: 18 * time.Second, long: 60 * time.Second,
		shows: "notification instances start without Redis, and serve from Kafka until it comes",
		run: func(t *trial) {
			for _, l := range t.p.linksOf(t.p.Live) {
				cut(l.bus())
			}
			t.fault("no way to Redis")
			for _, n := range t.p.Live { // which says that it is not ready until Redis was there once, and serves
				t.fault("restart of a notification instance")
				n.Stop(t)
				n.Start(t.lasting())
				t.crowds = append(t.crowds, newCrowd(t, 5, instances([]*node{n}), 0))
			}
			for _, c := range t.crowds {
				t.until(time.Minute, "events at every instance without Redis", func() bool { return c.delivered() > 0 })
			}
			t.wait(choose(t, 2*time.Second, 20*time.Second))
			openAll(t, t.p.linksOf(t.p.Live))
			t.note("bus again after %.1f s", busIs(t, t.p.Live, 1, 30*time.Second).Seconds())
		},
		check: crowdsAreComplete,
	},
	{
		name: "redis-flushall", short: 10 * time.Second, long: 40 * time.Second,
		shows: "Redis is emptied, and its connections are cut, again and again",
		run: func(t *trial) {
			for range choose(t, 4, 20) {
				t.fault("FLUSHALL")
				redis(t, "flushall")
				t.fault("CLIENT KILL of every connection")
				redis(t, "client", "kill", "type", "pubsub")
				redis(t, "client", "kill", "type", "normal", "skipme", "yes")
				t.wait(time.Second)
			}
		},
	},
	{
		name: "redis-failover", short: 20 * time.Second, long: 60 * time.Second,
		shows: "the master of Redis is killed, and the sentinels make its replica the master",
		run: func(t *trial) {
			master := t.p.kit(t, "sentinel.sh", "master")
			t.fault("kill -9 of Redis' master")
			t.p.kit(t, "sentinel.sh", "kill", master)
			took := t.until(time.Minute, "the sentinels to name another master", func() bool {
				now, err := t.p.try("sentinel.sh", "master")
				return err == nil && now != master
			})
			t.note("another master after %.1f s", took.Seconds())
			t.note("bus again after %.1f s", busIs(t, t.p.Live, 1, 30*time.Second).Seconds())
			t.wait(choose(t, time.Second, 10*time.Second))
			t.fault("the old master comes back")
			t.p.kit(t, "sentinel.sh", "start", master)
		},
	},
	{
		name: "redis-blackhole", short: 12 * time.Second, long: 60 * time.Second,
		shows: "every connection to Redis stays open and is dead; that is found within 5 s",
		run: func(t *trial) {
			for range choose(t, 1, 3) {
				t.fault("every link to Redis falls silent")
				for _, l := range t.p.linksOf(t.p.Live) {
					silence(l.bus())
				}
				t.bound("found after", busIs(t, t.p.Live, 0, time.Minute), 5*time.Second)
				t.wait(choose(t, 2*time.Second, 8*time.Second))
				openAll(t, t.p.linksOf(t.p.Live))
				busIs(t, t.p.Live, 1, 30*time.Second)
			}
		},
		check: func(t *trial) {
			if slowest := t.load.report.slowest(); slowest > 6000*float64(t.slack) {
				t.Errorf("an event took %.1f s; what is dead should have been found within 5 s", slowest/1000)
			}
		},
	},
	{
		name: "redis-stopped", short: 15 * time.Second, long: 11 * time.Minute,
		shows: "Redis, its replica and the sentinels are killed and stay away (long: 10 minutes); p99 at most twice that of before",
		run: func(t *trial) {
			t.fault("kill -9 of Redis, its replica and its sentinels")
			nodes := slices.Concat(sentinelNodes, redisNodes)
			t.p.each(t, "sentinel.sh", "kill", nodes...)
			away := choose(t, 6*time.Second, 10*time.Minute)
			t.wait(away)
			t.fault("Redis comes back, empty, after %v", away)
			t.p.all(t, "start")
			t.note("bus again after %.1f s", busIs(t, t.p.Live, 1, time.Minute).Seconds())
		},
		check: func(t *trial) { t.atMost("p99 without Redis", t.row.During, 2, t.row.Before) },
	},
	{
		name: "fanout-kafka", short: 10 * time.Second, long: 60 * time.Second,
		shows: "without Redis at all (live-fanout: kafka), an instance is killed",
		prepare: func(t *trial) {
			for _, l := range t.p.linksOf(t.p.Live) {
				cut(l.bus())
			}
			t.p.configure(t, "PARKWIRE_LIVE_FANOUT=kafka", "PARKWIRE_REDIS_URL=")
		},
		run: func(t *trial) {
			t.fault("kill -9 of a notification instance")
			t.p.Live[1].Kill(t)
			t.wait(choose(t, 2*time.Second, 15*time.Second))
			t.p.Live[1].Restart(t.lasting())
		},
	},
	{
		name: "partition-redis", short: 15 * time.Second, long: 60 * time.Second,
		shows: "the network between one instance and Redis alone fails: cut off, then silent",
		run: func(t *trial) {
			one := t.p.Live[:1]
			way := t.p.links[one[0].Name]
			t.fault("one instance cut off from Redis")
			cut(way.bus())
			busIs(t, one, 0, 30*time.Second)
			t.wait(choose(t, time.Second, 10*time.Second))
			openAll(t, []*links{way})
			busIs(t, one, 1, 30*time.Second)
			t.fault("one instance's link to Redis silent")
			silence(way.bus())
			t.bound("silence found after", busIs(t, one, 0, time.Minute), 5*time.Second)
			t.wait(choose(t, time.Second, 10*time.Second))
			openAll(t, []*links{way})
			busIs(t, one, 1, 30*time.Second)
		},
	},
}

func cut(ways []*stack.Proxy) {
	for _, w := range ways {
		w.Cut()
	}
}

func silence(ways []*stack.Proxy) {
	for _, w := range ways {
		w.Silence()
	}
}

func openAll(t *trial, all []*links) {
	for _, l := range all {
		for _, w := range l.all() {
			w.Open(t)
		}
	}
}

// busIs waits until instances say that the bus is there (1) or not (0), and returns how long that took.
func busIs(t *trial, nodes []*node, connected float64, limit time.Duration) time.Duration {
	what := map[float64]string{0: "find that the bus is away", 1: "find the bus again"}[connected]
	return t.until(limit, "notification instances to "+what, func() bool {
		return !slices.ContainsFunc(nodes, func(n *node) bool {
			is, known := metric(n, "parkwire_bus_connected", `"subscribe"`)
			return !known || is != connected
		})
	})
}

// redis runs a command on both servers; one that is a replica refuses what only a master may do.
func redis(t *trial, command ...string) {
	var both sync.WaitGroup
	said := make([]string, len(redisNodes))
	for i, name := range redisNodes {
		both.Go(func() { said[i], _ = t.p.try(append([]string{"sentinel.sh", "cli", name}, command...)...) })
	}
	both.Wait()
	t.Logf("%s: %s", strings.Join(command, " "), strings.Join(said, " | "))
}

// atMost fails the trial when a latency is more than so many times what it was before. It is judged in the long form alone:
// a short one has too few events to say.
func (t *trial) atMost(what string, now, factor, before float64) {
	t.note("%s %.0f ms, %.2f times that of before", what, now, now/max(before, 0.001))
	if t.long && now > factor*before*float64(t.slack) {
		t.Errorf("%s is %.0f ms, before it was %.0f ms; at most %g times as much was promised", what, now, before, factor)
	}
}

// slowest is the longest that an event took in any phase that was marked, in milliseconds.
func (r report) slowest() (most float64) {
	for i, p := range r.Phases {
		if i > 0 {
			most = max(most, p.Latency.Max)
		}
	}
	return most
}
