package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"parkwire/internal/event"
	"parkwire/internal/sleep"
)

// EnsureTopics waits until Kafka answers, and makes the topics that do not exist. Of those that do it
// changes nothing, whatever their partitions. Once it returned nil it does so at once.
func (l *Log) EnsureTopics(ctx context.Context) error { return l.awaitTopics(ctx, true) }

// FindTopics is [Log.EnsureTopics] for those who must not make a topic: where one does not exist it returns [ErrNoTopic].
func (l *Log) FindTopics(ctx context.Context) error { return l.awaitTopics(ctx, false) }

// ErrNoTopic says that a topic does not exist.
var ErrNoTopic = errors.New("there is no such topic: it is another Kafka, or another name")

func (l *Log) awaitTopics(ctx context.Context, mayMake bool) error {
	select {
	case l.ensuring <- struct{}{}:
		defer func() { <-l.ensuring }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for tries := 0; l.TopicID() == (event.TopicID{}); tries++ {
		err := l.ensureTopics(ctx, mayMake)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, ErrNoTopic) {
			return err
		}
		l.health.cannot(err)
		if err != nil && sleep.For(ctx, backoff(tries)) != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (l *Log) ensureTopics(ctx context.Context, mayMake bool) error {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	o := l.options
	found, err := l.admin.Metadata(ctx, o.topics()...)
	if err != nil {
		return err
	}
	missing := false
	for topic, wanted := range o.wanted() {
		if !errors.Is(found.Topics[topic].Err, kerr.UnknownTopicOrPartition) {
			continue
		}
		if !mayMake {
			return fmt.Errorf("topic %s: %w", topic, ErrNoTopic)
		}
		missing = true
		if err := l.makeTopic(ctx, topic, wanted); err != nil {
			return err
		}
	}
	// A server that made a topic takes a moment until it knows of it.
	for until := time.Now().Add(time.Second); missing; missing = usable(found) != nil && time.Now().Before(until) && sleep.For(ctx, 10*time.Millisecond) == nil {
		if found, err = l.admin.Metadata(ctx, o.topics()...); err != nil {
			return err
		}
	}
	if err := usable(found); err != nil {
		return err
	}
	first, err := l.Heads(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.first = first
	l.mu.Unlock()
	return l.learn(found.Topics[o.Topic])
}

// makeTopic makes a topic. Where that is refused it says with which settings somebody else may make it.
func (l *Log) makeTopic(ctx context.Context, topic string, wanted newTopic) error {
	replication := int16(l.options.Replication)
	if replication == 0 {
		replication = -1
	}
	made, err := l.admin.CreateTopic(ctx, int32(wanted.partitions), replication, wanted.config, topic)
	if err == nil || errors.Is(err, kerr.TopicAlreadyExists) { // made by another process just now
		return nil
	}
	if made.ErrMessage != "" {
		err = fmt.Errorf("%w: %s", err, made.ErrMessage)
	}
	remedy := ""
	switch {
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed), errors.Is(err, kerr.PolicyViolation):
		remedy = "; who may do so makes it with: kafka-topics.sh --create --topic " + topic + wanted.arguments(l.options.Replication)
	case errors.Is(err, kerr.InvalidReplicationFactor):
		remedy = "; kafka-replication must be no more than there are servers"
	}
	return fmt.Errorf("making topic %s: %w%s", topic, err, remedy)
}

// newTopic is how a topic is made.
type newTopic struct {
	partitions int
	config     map[string]*string
}

// arguments are what kafka-topics.sh needs to make the topic the same way.
func (t newTopic) arguments(replication int) string {
	var b strings.Builder
	fmt.Fprintf(&b, " --partitions %d", t.partitions)
	if replication > 0 {
		fmt.Fprintf(&b, " --replication-factor %d", replication)
	}
	for _, name := range slices.Sorted(maps.Keys(t.config)) {
		fmt.Fprintf(&b, " --config %s=%s", name, *t.config[name])
	}
	return b.String()
}

func (o Options) wanted() map[string]newTopic {
	kept := func(how string, forMS int64) map[string]*string {
		config := map[string]*string{"cleanup.policy": &how, "retention.ms": ptr(strconv.FormatInt(forMS, 10))}
		if o.MinInSync > 0 {
			config["min.insync.replicas"] = ptr(strconv.Itoa(o.MinInSync))
		}
		return config
	}
	events := kept("delete", o.Retention.Milliseconds())
	if o.RetentionBytes > 0 {
		events["retention.bytes"] = ptr(strconv.FormatInt(o.RetentionBytes, 10))
	}
	return map[string]newTopic{
		o.Topic:         {o.Partitions, events},
		o.RejectedTopic: {o.Partitions, kept("delete", o.Retention.Milliseconds())},
		o.AuditTopic:    {o.Partitions, kept("delete", o.AuditRetention.Milliseconds())},
		// The state of a spot that has not changed for a year is still its state. Kafka does not look at the
		// retention of a topic that is only compacted; the embedded broker does.
		o.SpotsTopic: {o.Partitions, kept("compact", -1)},
		// Every reader reads it whole.
		o.AccessTopic: {1, kept("compact", -1)},
	}
}

// usable returns why one of the topics cannot be used.
func usable(found kadm.Metadata) error {
	for _, t := range found.Topics.Sorted() {
		if t.Err != nil {
			return fmt.Errorf("topic %s: %w", t.Topic, t.Err)
		}
		for _, p := range t.Partitions {
			if p.Err != nil {
				return fmt.Errorf("topic %s, partition %d: %w", t.Topic, p.Partition, p.Err)
			}
		}
	}
	return nil
}

// learn takes over what Kafka says about the events' topic.
func (l *Log) learn(topic kadm.TopicDetail) error {
	leaders, err := leadersOf(topic)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ensured && l.topicID != event.TopicID(topic.ID) {
		return fmt.Errorf("topic %s: %w", topic.Topic, ErrReplaced)
	}
	l.topicID, l.leaders, l.ensured = event.TopicID(topic.ID), leaders, true
	return nil
}

// leadersOf returns the broker that leads each partition; -1 where there is none at present.
func leadersOf(topic kadm.TopicDetail) ([]int32, error) {
	leaders := make([]int32, len(topic.Partitions))
	for _, p := range topic.Partitions {
		if int(p.Partition) >= len(leaders) {
			return nil, fmt.Errorf("topic %s has a partition %d, but only %d of them", topic.Topic, p.Partition, len(leaders))
		}
		leaders[p.Partition] = p.Leader
	}
	return leaders, nil
}

// refresh asks which brokers lead.
func (l *Log) refresh(ctx context.Context) error {
	found, err := l.admin.Metadata(ctx, l.options.Topic)
	if err != nil {
		return err
	}
	topic := found.Topics[l.options.Topic]
	if topic.Err != nil {
		return topic.Err
	}
	return l.learn(topic)
}

// ErrReplaced says that the log is another one than at the start. Every offset that this process remembers is
// void then, and would be taken for one of the new log, so that it must begin anew.
var ErrReplaced = errors.New("it was deleted and made again while this process used it, which must be started again")

// Run watches that the log stays the one that it was, until ctx ends, or returns [ErrReplaced].
func (l *Log) Run(ctx context.Context) error {
	for sleep.For(ctx, watchInterval) == nil {
		if l.TopicID() == (event.TopicID{}) {
			continue
		}
		if err := l.refresh(ctx); errors.Is(err, ErrReplaced) {
			return err
		}
	}
	return nil
}

func (l *Log) leaderOf(partition int32) (broker int32, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if int(partition) >= len(l.leaders) || l.leaders[partition] < 0 {
		return 0, false
	}
	return l.leaders[partition], true
}

func ptr(s string) *string { return &s }
