package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/test/e2e/stack"
)

const (
	channel    = "notifications"
	partitions = 6
)

// A site is where a job runs: the servers, which live through all jobs, and what is new for each job.
type site struct {
	stack.T
	work   string // with what build made
	kit    string // KIT_DIR
	kafka  string
	redis  string // host:port
	broker *kgo.Client
	bus    rueidis.Client
	topic  string // of this job
}

// open starts Kafka and Redis. They end with t.
func (s *site) open(t stack.T) {
	if err := os.MkdirAll(s.kit, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.script("kafka.sh", "wipe")
		s.script("redis.sh", "wipe")
	})
	s.kafka = s.must(t, "kafka.sh", "start", "1")
	u, err := url.Parse(s.must(t, "redis.sh", "start"))
	if err != nil {
		t.Fatal(err)
	}
	s.redis = u.Host
	// kafkajs reads nothing that is compressed otherwise than by gzip.
	if s.broker, err = kgo.NewClient(kgo.SeedBrokers(s.kafka), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.broker.Close)
	if s.bus, err = rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.redis}, DisableCache: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.bus.Close)
}

func (s *site) must(t stack.T, name string, args ...string) string {
	out, err := s.script(name, args...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return out
}

// script runs a script of test/kit.
func (s *site) script(name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(stack.Root(), "test/kit", name), args...)
	cmd.Env = append(os.Environ(), "KIT_DIR="+s.kit)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("test/kit/%s: %w %s", name, err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// forJob makes the site of a job: its topic is new, and Redis is empty.
func (s *site) forJob(t stack.T, name string) *site {
	own := *s
	own.T, own.topic = t, name
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	admin := kadm.NewClient(s.broker)
	if _, err := admin.CreateTopic(ctx, partitions, 1, nil, name); err != nil {
		t.Fatalf("making the topic %s: %v", name, err)
	}
	if err := s.bus.Do(ctx, s.bus.B().Flushall().Build()).Error(); err != nil {
		t.Fatalf("emptying Redis: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		admin.DeleteTopics(ctx, name, name+"-spots", name+"-rejected")
	})
	return &own
}

// publish publishes one event where the contender takes them from.
func (s *site) publish(ctx context.Context, c contender, event string) error {
	if c.kafka {
		return s.broker.ProduceSync(ctx, &kgo.Record{Topic: s.topic, Key: []byte("probe"), Value: []byte(event)}).FirstErr()
	}
	return s.bus.Do(ctx, s.bus.B().Publish().Channel(channel).Message(event).Build()).Error()
}

// feed is the --publish of "parkwire load".
func (s *site) feed(c contender) string {
	if c.kafka {
		return "kafka://" + s.kafka + "/" + s.topic
	}
	return "redis://" + s.redis + "/" + channel
}
