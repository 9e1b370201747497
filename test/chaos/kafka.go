package main

import (
	"context"
	"crypto/rand"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// withKafka are the scenarios about the event log.
var withKafka = []scenario{
	{
		name: "kafka-node", short: 30 * time.Second, long: 2 * time.Minute,
		shows: "one of three nodes of Kafka is killed (long: each in turn)",
		run: func(t *trial) {
			for _, node := range kafkaNodes[:choose(t, 1, 3)] {
				t.fault("kill -9 of a Kafka node")
				t.p.kit(t, "kafka.sh", "kill", node)
				t.wait(choose(t, 4*time.Second, 15*time.Second))
				t.p.kit(t, "kafka.sh", "node", node)
				inSync(t)
			}
		},
	},
	{
		name: "kafka-stopped", short: 45 * time.Second, long: 3 * time.Minute,
		shows: "all of Kafka is stopped (long: for a minute): sockets stay, clients of parkwire.v1 hear of it within 5 s, the outbox holds",
		run: func(t *trial) {
			s := speak(t, t.p.URL, map[string]any{"type": "Subscribe", "id": "all"})
			held := sum(t.p.Live, connections, "")
			t.fault("all Kafka nodes killed")
			began := time.Now()
			t.p.each(t, "kafka.sh", "kill", kafkaNodes...)
			stale := t.hears(s, began, "Stale", time.Minute)
			t.bound("Stale after", stale.at.Sub(began), 5*time.Second)
			t.wait(choose(t, 8*time.Second, time.Minute) - time.Since(began))
			if now := sum(t.p.Live, connections, ""); now < held {
				t.Errorf("of %.0f sockets %.0f are left without Kafka; all were to stay", held, now)
			}
			back := time.Now()
			t.p.all(t, "start")
			inSync(t)
			t.note("Fresh %.1f s after Kafka was started", t.hears(s, back, "Fresh", time.Minute).at.Sub(back).Seconds())
			if err := s.ended(); err != nil {
				t.Errorf("the connection of a client of parkwire.v1 ended without Kafka: %v", err)
			}
			t.p.settled(t)
		},
	},
	{
		name: "kafka-hangs", short: 12 * time.Second, long: time.Minute,
		shows: "all of Kafka stands still with its connections open (SIGSTOP), and goes on",
		run: func(t *trial) {
			t.fault("SIGSTOP of all Kafka nodes")
			t.p.signalKafka(t, syscall.SIGSTOP, kafkaNodes...)
			defer t.p.signalKafka(t, syscall.SIGCONT, kafkaNodes...)
			t.wait(choose(t, 5*time.Second, 20*time.Second))
		},
	},
	{
		name: "partition-kafka", short: 17 * time.Second, long: time.Minute,
		shows: "the network between one instance and Kafka alone fails: cut off, then silent",
		run: func(t *trial) {
			way := t.p.links[t.p.Live[0].Name]
			t.fault("one instance cut off from Kafka")
			cut(way.kafka)
			t.wait(choose(t, 4*time.Second, 15*time.Second))
			openAll(t, []*links{way})
			t.wait(time.Second)
			t.fault("one instance's links to Kafka silent")
			silence(way.kafka)
			t.wait(choose(t, 6*time.Second, 20*time.Second))
			openAll(t, []*links{way})
		},
	},
	{
		name: "bridge-rebalance", short: 12 * time.Second, long: 2 * time.Minute,
		shows: "members of the bridge's group are killed, come back and stand still under load",
		run: func(t *trial) {
			for range choose(t, 1, 4) {
				for i, n := range t.p.Live {
					switch i {
					case 0:
						t.fault("kill -9 of an instance and its bridge")
						n.Kill(t)
						n.Restart(t.lasting())
					case 1:
						t.fault("restart of an instance and its bridge")
						n.Stop(t)
						n.Restart(t.lasting())
					default:
						t.fault("SIGSTOP of an instance and its bridge")
						pause(t, n, choose(t, 4*time.Second, 50*time.Second)) // the group gives up on a member after 45 s
					}
				}
			}
		},
	},
	{
		name: "rejected", short: 8 * time.Second, long: time.Minute,
		shows: "records that are no events are put into " + "parking-events-rejected" + ", and hold up nobody",
		run: func(t *trial) {
			n := choose(t, 500, 20_000)
			before := recordsOf(t, t.p.RejectedTopic)
			t.fault("%d records of garbage in the log", n)
			writeGarbage(t, n)
			took := t.until(2*time.Minute, "the garbage to be put aside", func() bool { return recordsOf(t, t.p.RejectedTopic)-before >= int64(n) })
			t.note("%d put aside in %.1f s", recordsOf(t, t.p.RejectedTopic)-before, took.Seconds())
		},
		check: func(t *trial) {
			if slowest := t.load.report.slowest(); slowest > 30_000 {
				t.Errorf("garbage held an event up for %.1f s; less than 30 s was promised", slowest/1000)
			}
		},
	},
	{
		name: "cursor-expired", short: 10 * time.Second, long: 30 * time.Second,
		shows: "a cursor older than the log, or of another log: Reset and a snapshot, 4410 or 410, never silence",
		run:   expireCursors,
	},
}

// kafkaClient talks to the servers themselves.
func kafkaClient(t *trial, options ...kgo.Opt) (*kgo.Client, context.Context) {
	ctx, cancel := within(t, time.Minute)
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(t.p.kafka...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); cancel() })
	return client, ctx
}

// inSync waits until every partition of the log has all its replicas again.
func inSync(t *trial) {
	client, ctx := kafkaClient(t)
	admin := kadm.NewClient(client)
	took := t.until(time.Minute, "Kafka's replicas to be in sync", func() bool {
		topics, err := admin.ListTopics(ctx, t.p.Topic)
		if err != nil || topics.Error() != nil {
			return false
		}
		behind := false
		topics.EachPartition(func(p kadm.PartitionDetail) { behind = behind || len(p.ISR) < len(p.Replicas) || p.Leader < 0 })
		return !behind
	})
	t.Logf("Kafka's replicas are in sync after %v", took)
}

// recordsOf counts the records that a topic ever had.
func recordsOf(t *trial, topic string) (n int64) {
	client, ctx := kafkaClient(t)
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return 0
	}
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

// writeGarbage writes records that are no events, of many kinds, into all partitions.
func writeGarbage(t *trial, n int) {
	client, ctx := kafkaClient(t, kgo.DefaultProduceTopic(t.p.Topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	kinds := []string{"", "no JSON", "{", "null", `{"type":"ParkingSpotUpdated"}`, `{"spotId":7}`, `[]`, "\x00\xff\xfe", strings.Repeat("x", 5000), `{"spotId":""}`}
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = &kgo.Record{Key: []byte(rand.Text()[:4]), Value: []byte(kinds[i%len(kinds)])}
	}
	for rest := records; len(rest) > 0; rest = rest[min(500, len(rest)):] {
		if err := client.ProduceSync(ctx, rest[:min(500, len(rest))]...).FirstErr(); err != nil {
			t.Fatalf("writing garbage: %v", err)
		}
		t.wait(50 * time.Millisecond)
	}
}

// hears waits until a client of parkwire.v1 has heard a message of a type since a moment.
func (t *trial) hears(s *speaker, since time.Time, kind string, limit time.Duration) (h heard) {
	t.until(limit, "a client of parkwire.v1 to hear "+kind, func() (got bool) {
		if err := s.ended(); err != nil {
			t.Fatalf("a client of parkwire.v1 waits for %s, and its connection ended: %v", kind, err)
		}
		h, got = s.after(since, kind)
		return got
	})
	return h
}
