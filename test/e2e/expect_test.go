package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"parkwire/test/e2e/stack"
)

// mentions checks that a message has every one of the words.
func mentions(t *testing.T, message string, words ...string) {
	t.Helper()
	for _, word := range words {
		if !strings.Contains(strings.ToLower(message), strings.ToLower(word)) {
			t.Errorf("%q is not mentioned in: %s", word, message)
		}
	}
}

// mentionsOne checks that a message has one of the words.
func mentionsOne(t *testing.T, message string, words ...string) {
	t.Helper()
	for _, word := range words {
		if strings.Contains(strings.ToLower(message), word) {
			return
		}
	}
	t.Errorf("none of %q is mentioned in: %s", words, message)
}

// eventually waits until done, for what has no event of its own to wait for.
func eventually(t *testing.T, timeout time.Duration, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > timeout {
			t.Fatalf("waiting for %s: not after %v", what, timeout)
		}
	}
}

// partitions lists the partitions of the event topic.
func partitions(t *testing.T, s *stack.Stack) []int32 {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	topics, err := kadm.NewClient(kafkaClient(t, s)).ListTopics(ctx, s.Topic)
	if err != nil {
		t.Fatal(err)
	}
	numbers := topics[s.Topic].Partitions.Numbers()
	if len(numbers) == 0 {
		t.Fatalf("the topic %s has no partitions", s.Topic)
	}
	return numbers
}

// partitionOf reads the partition from an id such as foreign-3.
func partitionOf(t *testing.T, spotID string) (partition int32) {
	t.Helper()
	if _, err := fmt.Sscanf(spotID, "foreign-%d", &partition); err != nil {
		t.Fatalf("the event of %s was not to come", spotID)
	}
	return partition
}
