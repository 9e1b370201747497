package kafkalog_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
)

func member(t *testing.T, l *kafkalog.Log) *kafkalog.Consumer {
	t.Helper()
	c, err := l.NewConsumer(l.Topic() + "-group")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// poll collects n records.
func poll(t *testing.T, c *kafkalog.Consumer, n int) (got []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
	defer cancel()
	for len(got) < n {
		records, _, err := c.Poll(ctx, 10)
		if err != nil {
			t.Fatalf("after %d of %d records: %v", len(got), n, err)
		}
		for _, r := range records {
			got = append(got, fmt.Sprintf("%d@%d=%s", r.Partition, r.Offset, r.Value))
		}
	}
	slices.Sort(got)
	return got
}

func deleteGroup(t *testing.T, brokers []string, l *kafkalog.Log) {
	t.Cleanup(func() {
		client := logtest.Client(t, brokers)
		defer client.Close()
		_, _ = kadm.NewClient(client).DeleteGroups(context.Background(), l.Topic()+"-group")
	})
}

func TestOnlyWhatWasHandledIsCommitted(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		deleteGroup(t, brokers, l)
		first := lines(t, brokers, l, 5)
		c := member(t, l)
		if got := poll(t, c, 15); !slices.Equal(got, first) {
			t.Errorf("got %v", got)
		}
		if c.Assigned() != 3 {
			t.Errorf("one member of a group has %d of 3 partitions", c.Assigned())
		}
		c.Close() // without Done: not handled
		c = member(t, l)
		ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
		defer cancel()
		handled := map[string]bool{}
		for len(handled) < 15 {
			records, _, err := c.Poll(ctx, 4)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				handled[fmt.Sprintf("%d@%d=%s", r.Partition, r.Offset, r.Value)] = true
			}
			c.Done()
		}
		second := lines(t, brokers, l, 1)
		if got := poll(t, c, 3); !slices.Equal(got, second) {
			t.Errorf("got %v", got)
		}
		c.Close() // the second ones were not handled
		c = member(t, l)
		if got := poll(t, c, 3); !slices.Equal(got, second) {
			t.Errorf("after what was handled comes %v, want %v", got, second)
		}
		c.Close()
	})
}

func TestANewMemberTakesPartitionsAndRebalancingIsTold(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		deleteGroup(t, brokers, l)
		lines(t, brokers, l, 1)
		a := member(t, l)
		defer a.Close()
		ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
		defer cancel()
		told := false
		for seen := 0; seen < 3; {
			records, rebalanced, err := a.Poll(ctx, 10)
			if err != nil {
				t.Fatal(err)
			}
			told = told || rebalanced
			seen += len(records)
			a.Done()
		}
		if !told {
			t.Error("the first assignment is not told")
		}
		b := member(t, l)
		told = false
		logtest.Eventually(t, "the partitions to be shared, and this to be told", func() bool {
			short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, rebalanced, _ := a.Poll(short, 10)
			told = told || rebalanced
			short2, cancel2 := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel2()
			b.Poll(short2, 10)
			return told && a.Assigned()+b.Assigned() == 3 && b.Assigned() > 0
		})
		b.Close()
		logtest.Eventually(t, "the partitions to come back", func() bool {
			short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			a.Poll(short, 10)
			return a.Assigned() == 3
		})
	})
}

func TestAConsumerEndsThoughKafkaIsAway(t *testing.T) {
	broker := logtest.Broker(t, "")
	l := logtest.Log(t, []string{broker.Addr()})
	lines(t, []string{broker.Addr()}, l, 1)
	c := member(t, l)
	poll(t, c, 3)
	c.Done()
	broker.Close()
	began := time.Now()
	c.Close()
	if d := time.Since(began); d > 30*time.Second {
		t.Errorf("it took %v", d)
	}
}
