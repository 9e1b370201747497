package main

import (
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"parkwire/test/e2e/stack"
)

// everything are the scenarios in which every process has its turn.
var everything = []scenario{
	{
		name: "rolling-restart", short: 15 * time.Second, long: 100 * time.Second,
		shows: "FLUSHALL on Redis and a restart of every process, one after the other, NGINX, Kafka, Redis and PostgreSQL too",
		run: func(t *trial) {
			t.fault("FLUSHALL")
			redis(t, "flushall")
			for _, n := range append(t.p.Nodes(), t.p.Edge) {
				t.fault("restart of %s", n.Name)
				n.Stop(t)
				n.Restart(t.lasting())
				t.wait(choose(t, 200*time.Millisecond, 3*time.Second))
			}
			t.fault("FLUSHALL")
			redis(t, "flushall")
			for _, node := range kafkaNodes[:choose(t, 0, 3)] { // which takes long; the short form has the scenario kafka-node
				t.fault("restart of Kafka node %s", node)
				t.p.signalKafka(t, syscall.SIGTERM, node)
				t.p.kit(t, "kafka.sh", "kill", node) // should it not end by itself
				t.p.kit(t, "kafka.sh", "node", node)
				inSync(t)
			}
			for _, node := range append(append([]string(nil), sentinelNodes...), redisNodes...) {
				t.fault("restart of %s", node)
				t.p.kit(t, "sentinel.sh", "kill", node)
				t.p.kit(t, "sentinel.sh", "start", node)
			}
			t.fault("restart of PostgreSQL")
			t.p.kit(t, "postgres.sh", "stop")
			t.p.kit(t, "postgres.sh", "start")
			t.p.leader(t)
		},
	},
	{
		name: "random", short: 20 * time.Second, long: 4 * time.Minute,
		shows:    "random kills of every kind, in a sequence that its seed reproduces (-seed N -kills 100 -clients 1000)",
		demandOf: demandOfChance,
		run:      func(t *trial) { newChance(t).run() },
	},
}

// chance does random faults. What it does, and for how long, comes from the seed alone, whatever the platform makes of it.
type chance struct {
	*trial
	random *rand.Rand
	busy   map[string]bool // victims that are not yet back
	mu     sync.Mutex
	wg     sync.WaitGroup
}

// misfortune is one fault, and how the victim comes back.
type misfortune struct {
	name    string
	weight  int
	victims []string
	strike  func(victim string, away time.Duration)
}

func newChance(t *trial) *chance {
	return &chance{trial: t, random: rand.New(rand.NewPCG(t.seed, t.seed)), busy: map[string]bool{}}
}

func (c *chance) run() {
	defer c.wg.Wait()
	kills := c.kills
	if kills == 0 {
		kills = choose(c.trial, 8, 100)
	}
	c.note("seed %d", c.seed)
	misfortunes := c.misfortunes()
	total := 0
	for _, m := range misfortunes {
		total += m.weight
	}
	for i := range kills {
		// Always the same draws, in the same order.
		at := c.random.IntN(total)
		away := time.Duration(c.random.IntN(1500)) * time.Millisecond
		pause := 500*time.Millisecond + time.Duration(c.random.IntN(2500))*time.Millisecond
		which := c.random.IntN(1 << 20)
		m := misfortunes[0]
		for _, m = range misfortunes {
			if at -= m.weight; at < 0 {
				break
			}
		}
		victim := m.victims[which%len(m.victims)]
		c.await(group(victim))
		c.fault("%s", m.name)
		c.say("%d of %d: %s: %s, away for %v", i+1, kills, m.name, victim, away)
		c.wg.Go(func() {
			defer c.free(group(victim))
			m.strike(victim, away)
		})
		c.wait(pause)
		if c.Failed() {
			break
		}
	}
}

// group names those of which only one may be away at a time: Kafka and the sentinels keep their promises while a majority is there.
func group(victim string) string {
	for _, members := range [][]string{kafkaNodes, sentinelNodes, redisNodes} {
		for _, m := range members {
			if m == victim {
				return members[0]
			}
		}
	}
	return victim
}

// await waits until a group is whole, and takes it.
func (c *chance) await(group string) {
	c.until(3*time.Minute, group+" to be back", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.busy[group] {
			return false
		}
		c.busy[group] = true
		return true
	})
}

func (c *chance) free(group string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, group)
}

func (c *chance) misfortunes() []misfortune {
	p, t := c.p, c.trial
	nodes := map[string]*stack.Node{}
	var names, linked []string
	for _, n := range p.Nodes() {
		nodes[n.Name] = n
		names = append(names, n.Name)
		if p.links[n.Name] != nil {
			linked = append(linked, n.Name)
		}
	}
	onLinks := func(what string, do func(*stack.Proxy), of func(*links) []*stack.Proxy) misfortune {
		return misfortune{what, 2, linked, func(victim string, away time.Duration) {
			for _, w := range of(p.links[victim]) {
				do(w)
			}
			t.wait(2 * away)
			openAll(t, []*links{p.links[victim]})
		}}
	}
	toBus := func(l *links) []*stack.Proxy { return l.bus() }
	toKafka := func(l *links) []*stack.Proxy { return l.kafka }
	return []misfortune{
		{"kill -9 of a process", 10, names, func(victim string, away time.Duration) {
			nodes[victim].Kill(t)
			t.wait(away)
			nodes[victim].Restart(t.lasting())
		}},
		{"restart of a process", 4, names, func(victim string, away time.Duration) {
			nodes[victim].Stop(t)
			nodes[victim].Restart(t.lasting())
		}},
		{"SIGSTOP of a process", 3, names, func(victim string, away time.Duration) {
			pause(t, nodes[victim], 3*away)
			nodes[victim].WaitReady(t)
		}},
		{"kill -9 of a Kafka node", 2, kafkaNodes, func(victim string, away time.Duration) {
			p.kit(t, "kafka.sh", "kill", victim)
			t.wait(away)
			p.kit(t, "kafka.sh", "node", victim)
			inSync(t)
		}},
		{"kill -9 of a Redis", 2, redisNodes, func(victim string, away time.Duration) {
			p.kit(t, "sentinel.sh", "kill", victim)
			t.wait(4 * away)
			p.kit(t, "sentinel.sh", "start")
		}},
		{"kill -9 of a sentinel", 1, sentinelNodes, func(victim string, away time.Duration) {
			p.kit(t, "sentinel.sh", "kill", victim)
			t.wait(away)
			p.kit(t, "sentinel.sh", "start", victim)
		}},
		{"FLUSHALL", 1, redisNodes, func(string, time.Duration) { redis(t, "flushall") }},
		{"kill -9 of PostgreSQL", 1, []string{"postgres"}, func(_ string, away time.Duration) {
			p.kit(t, "postgres.sh", "kill")
			t.wait(away)
			p.kit(t, "postgres.sh", "start")
		}},
		{"restart of NGINX", 1, []string{"nginx"}, func(string, time.Duration) {
			p.Edge.Stop(t)
			p.Edge.Restart(t.lasting())
		}},
		onLinks("a process cut off from Redis", (*stack.Proxy).Cut, toBus),
		onLinks("a process's links to Redis silent", (*stack.Proxy).Silence, toBus),
		onLinks("a process cut off from Kafka", (*stack.Proxy).Cut, toKafka),
		onLinks("a process's links to Kafka silent", (*stack.Proxy).Silence, toKafka),
	}
}

// demandOfChance is what the options ask of the random scenario.
func demandOfChance(t *trial) demand {
	clients := t.clients
	if clients == 0 {
		clients = choose(t, 100, 1000)
	}
	return demand{clients: clients, sse: clients / 10, v1: clients / 4, snapshot: clients / 20, rate: 20, spots: 40, writers: 4, batch: 1, settle: 3 * time.Minute}
}
