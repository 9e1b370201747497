package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
)

func takesPart(t *testing.T, l *kafkalog.Log) *kafkalog.Turn {
	t.Helper()
	m, err := l.NewTurn(l.Topic()+"-group", l.Topic())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// awaits returns the turn of a member when it comes.
func awaits(t *testing.T, m *kafkalog.Turn) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*logtest.Patience)
	t.Cleanup(cancel)
	turn, end, err := m.Await(ctx)
	if err != nil {
		t.Fatalf("its turn did not come: %v (%v)", err, m.Trouble())
	}
	t.Cleanup(end)
	return turn
}

func TestOneMemberAfterTheOtherHasItsTurn(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		deleteGroup(t, brokers, l)
		first := takesPart(t, l)
		turn := awaits(t, first)
		second := takesPart(t, l)
		defer second.Close()
		waiting := make(chan context.Context)
		go func() { waiting <- awaits(t, second) }()
		// The second one has joined when the group has two members.
		client := logtest.Client(t, brokers)
		defer client.Close()
		logtest.Eventually(t, "a group of two", func() bool {
			groups, err := kadm.NewClient(client).DescribeGroups(t.Context(), l.Topic()+"-group")
			return err == nil && len(groups[l.Topic()+"-group"].Members) == 2 && groups[l.Topic()+"-group"].State == "Stable"
		})
		if turn.Err() != nil {
			t.Error("the first one lost its turn when another one came")
		}
		if err := first.Commit(t.Context(), []int64{4, 0, 7}); err != nil {
			t.Error(err)
		}
		first.Close()
		logtest.Eventually(t, "the end of the first one's turn", func() bool { return turn.Err() != nil })
		if turn := <-waiting; turn.Err() != nil {
			t.Error("the second one's turn ended at once")
		}
		offsets, err := kadm.NewClient(client).FetchOffsets(t.Context(), l.Topic()+"-group")
		if err != nil {
			t.Fatal(err)
		}
		if o, ok := offsets.Lookup(l.Topic(), 2); !ok || o.At != 7 {
			t.Errorf("the group's offset of partition 2 is %v", o.At)
		}
	})
}

func TestATurnBeginsAnewWhenThereAreMorePartitions(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		o := logtest.Options(t, brokers)
		l := logtest.Open(t, o)
		logtest.Ensure(t, l)
		deleteGroup(t, brokers, l)
		m := takesPart(t, l)
		defer m.Close()
		turn := awaits(t, m)
		client := logtest.Client(t, brokers)
		defer client.Close()
		if _, err := kadm.NewClient(client).CreatePartitions(t.Context(), 2, o.Topic); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 4*logtest.Patience) // clients look for partitions every minute
		defer cancel()
		select {
		case <-turn.Done():
		case <-ctx.Done():
			t.Fatal("its turn went on with the partitions that there were before")
		}
		awaits(t, m)
		if s, err := l.Stand(t.Context(), o.Topic); err != nil || len(s.End) != 5 {
			t.Errorf("the topic stands at %v, %v", s, err)
		}
	})
}

func reads(t *testing.T, r *kafkalog.Reader, n int) (got []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
	defer cancel()
	for len(got) < n {
		records, err := r.Poll(ctx, 4)
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

func TestAReaderBeginsWhereItIsTold(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		all := lines(t, brokers, l, 5)
		stand, err := l.Stand(t.Context(), l.Topic())
		if err != nil || stand.ID != l.TopicID() || !slices.Equal(stand.Begin, []int64{0, 0, 0}) || !slices.Equal(stand.End, []int64{5, 5, 5}) {
			t.Fatalf("the topic stands at %v, %v", stand, err)
		}
		r, err := l.NewReader(l.Topic(), []int64{0, 2, 5})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if got, want := reads(t, r, 8), append(slices.Clone(all[:5]), all[7:10]...); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		more := lines(t, brokers, l, 1)
		if got := reads(t, r, 3); !slices.Equal(got, more) {
			t.Errorf("got %v, want %v", got, more)
		}
	})
}

func TestAReaderSaysWhenTheLogBeginsLater(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l := logtest.Log(t, brokers)
		lines(t, brokers, l, 5)
		client := logtest.Client(t, brokers)
		defer client.Close()
		until := kadm.Offsets{}
		until.Add(kadm.Offset{Topic: l.Topic(), Partition: 1, At: 3})
		if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), until); err != nil {
			t.Fatal(err)
		}
		stand, err := l.Stand(t.Context(), l.Topic())
		if err != nil || !slices.Equal(stand.Begin, []int64{0, 3, 0}) {
			t.Errorf("the topic stands at %v, %v", stand, err)
		}
		r, err := l.NewReader(l.Topic(), []int64{5, 1, 5})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
		defer cancel()
		if records, err := r.Poll(ctx, 10); !errors.Is(err, kafkalog.ErrExpired) || len(records) > 0 {
			t.Errorf("got %v, %v", records, err)
		}
	})
}

func TestAReaderDoesNotTakeATopicForTheOneBefore(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		o := logtest.Options(t, brokers)
		l := logtest.Open(t, o)
		logtest.Ensure(t, l)
		lines(t, brokers, l, 3)
		r, err := l.NewReader(o.Topic, []int64{0, 0, 0})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		reads(t, r, 9)
		client := logtest.Client(t, brokers)
		defer client.Close()
		admin := kadm.NewClient(client)
		if _, err := admin.DeleteTopics(t.Context(), o.Topic); err != nil {
			t.Fatal(err)
		}
		logtest.Eventually(t, "the topic's end", func() bool {
			_, err := admin.CreateTopic(t.Context(), 3, -1, nil, o.Topic)
			return err == nil
		})
		write := func() {
			logtest.Write(t, brokers, &kgo.Record{Topic: o.Topic, Partition: 0, Value: []byte("of another log")})
		}
		for range 5 { // beyond the place that the reader has
			write()
		}
		ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
		defer cancel()
		records, err := r.Poll(ctx, 10)
		if err == nil || errors.Is(err, context.DeadlineExceeded) || len(records) > 0 {
			t.Errorf("got %d records of the new topic, %v", len(records), err)
		}
	})
}
