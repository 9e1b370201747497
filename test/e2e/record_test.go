package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/test/e2e/stack"
)

// Whatever other programs write to the topic, the platform goes on: what can be read is delivered as it is, and
// what cannot lies in the topic of rejected records with its reason.
func TestAnUnreadableRecordStopsNothing(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		client := s.WebSocket(t)
		kafka := kafkaClient(t, s, kgo.ConsumeTopics(s.RejectedTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		unreadable := map[string]string{
			"no-json":     "spot A-17 is taken",
			"list":        `["A-17","occupied"]`,
			"no-spot":     `{"type":"ParkingSpotUpdated","status":"occupied","timestamp":"2026-11-24T03:35:00.123Z"}`,
			"empty-spot":  `{"type":"ParkingSpotUpdated","spotId":"","status":"occupied"}`,
			"number-spot": `{"type":"ParkingSpotUpdated","spotId":17,"status":"occupied"}`,
			"cut-short":   `{"type":"ParkingSpotUpdated","spotId":"A-17","sta`,
			"not-utf-8":   "\xff\xfe\x00",
			"nothing":     "",
		}
		for key, value := range unreadable {
			for _, partition := range partitions(t, s) {
				produce(t, kafka, &kgo.Record{Topic: s.Topic, Partition: partition, Key: []byte(key), Value: []byte(value)})
			}
		}
		last := map[int32]string{}
		for _, partition := range partitions(t, s) {
			id := fmt.Sprintf("foreign-%d", partition)
			last[partition] = fmt.Sprintf(`{"type":"ParkingSpotUpdated","spotId":%q,"status":"occupied","timestamp":"2026-11-24T03:35:00.123Z"}`, id)
			produce(t, kafka, &kgo.Record{Topic: s.Topic, Partition: partition, Value: []byte(last[partition])})
		}
		for _, f := range client.Count(t, len(last)) { // each partition goes on, and delivers nothing else
			want := last[partitionOf(t, f.SpotID)]
			if !strings.HasPrefix(f.Raw, strings.TrimSuffix(want, "}")+",") {
				t.Errorf("the event came as %s; it was written as %s", f.Raw, want)
			}
		}

		missing := len(unreadable) * len(last)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		for missing > 0 {
			fetches := kafka.PollFetches(ctx)
			if err := ctx.Err(); err != nil {
				t.Fatalf("%d unreadable records are not in %s after a minute", missing, s.RejectedTopic)
			}
			fetches.EachRecord(func(r *kgo.Record) {
				missing--
				if value, written := unreadable[string(r.Key)]; !written || value != string(r.Value) {
					t.Errorf("the rejected record %q: %q is not what was written", r.Key, r.Value)
				}
				headers := map[string]string{}
				for _, h := range r.Headers {
					headers[h.Key] = string(h.Value)
				}
				if headers["reason"] == "" || headers["source-topic"] != s.Topic || headers["source-partition"] == "" || headers["source-offset"] == "" {
					t.Errorf("the rejected record %q lacks the reason or its source: %v", r.Key, headers)
				}
			})
		}
		s.AddLot(t, "after", "after-1")
		client.Spot(t, "after-1", 1)
	})
}

// Programs that read the topic find the platform's own events by key, with CloudEvents' attributes in the headers, and
// the newest of each spot in the compacted topic.
func TestTheTopicsAreReadableByOthers(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		s.AddLot(t, "topics", "t-01", "t-02")
		s.Act(t, "t-01", "occupy")
		s.Do(t, 204, "DELETE", "/api/v1/spots/t-02", nil, nil)
		kafka := kafkaClient(t, s, kgo.ConsumeTopics(s.Topic, s.SpotsTopic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		seen := map[string][]*kgo.Record{}
		for len(seen[s.Topic+"/t-01"]) < 2 || len(seen[s.Topic+"/t-02"]) < 2 || len(seen[s.SpotsTopic+"/t-01"]) < 2 || len(seen[s.SpotsTopic+"/t-02"]) < 2 {
			kafka.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				name := r.Topic + "/" + string(r.Key)
				seen[name] = append(seen[name], r)
			})
			if ctx.Err() != nil {
				t.Fatalf("the topics lack records after a minute: %d and %d in the log, %d and %d in its twin", len(seen[s.Topic+"/t-01"]),
					len(seen[s.Topic+"/t-02"]), len(seen[s.SpotsTopic+"/t-01"]), len(seen[s.SpotsTopic+"/t-02"]))
			}
		}
		for i, r := range seen[s.Topic+"/t-01"] {
			var f stack.Frame
			if err := json.Unmarshal(r.Value, &f); err != nil || f.SpotID != string(r.Key) || f.Version != int64(i+1) {
				t.Errorf("record %d of t-01: %s: %v", i, r.Value, err)
			}
			headers := map[string]string{}
			for _, h := range r.Headers {
				headers[h.Key] = string(h.Value)
			}
			if headers["ce_specversion"] != "1.0" || headers["ce_id"] != f.EventID || headers["ce_type"] == "" || headers["ce_source"] == "" || headers["ce_time"] == "" {
				t.Errorf("the headers of %v are not those of a CloudEvent in binary mode: %v", f, headers)
			}
		}
		if r := seen[s.SpotsTopic+"/t-02"][1]; r.Value != nil {
			t.Errorf("the last record of a removed spot in %s is %s; a tombstone was promised", s.SpotsTopic, r.Value)
		}
	})
}

func kafkaClient(t *testing.T, s *stack.Stack, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	opts = append(opts, kgo.SeedBrokers(strings.Split(s.Kafka, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	client, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func produce(t *testing.T, client *kgo.Client, record *kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		t.Fatalf("writing to %s: %v", record.Topic, err)
	}
}
