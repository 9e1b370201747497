//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/relay"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func startEmbedded(ctx context.Context, dir string) (*kafkalog.Broker, error) {
	return kafkalog.StartBroker(ctx, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0", SweepInterval: 24 * time.Hour, Logger: quiet()})
}

func openLog(ctx context.Context, brokers []string) (*kafkalog.Log, error) {
	run := "rebuild-" + uuid.NewString()[:8]
	log, err := kafkalog.Open(kafkalog.Options{
		Brokers: brokers, Topic: run + "-events", SpotsTopic: run + "-spots", RejectedTopic: run + "-rejected", AuditTopic: run + "-audit",
		AccessTopic: run + "-access", Logger: quiet(),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := log.EnsureTopics(ctx); err != nil {
		log.Close()
		return nil, err
	}
	return log, nil
}

// facts are what is known of a log, so that it can be seen whether a rebuild was right.
type facts struct{ events, spots, departures int64 }

const (
	lots        = 10
	zonesPerLot = 4
	atOnce      = 5_000
	// span is the time of which the log tells: four weeks, as a log of 250 events a spot does of a busy garage.
	span = 28 * 24 * time.Hour
)

// fill writes the log as parking's relay would: each spot is added, and then occupied and released in turn, all spots mixed. Nothing is written to the compacted
// twin: the alerts service, which begins with what spots are, would read that and hardly anything of the log.
func (s settings) fill(ctx context.Context, log *kafkalog.Log) (facts, error) {
	producer, err := log.NewProducer()
	if err != nil {
		return facts{}, err
	}
	defer producer.Close()
	f := facts{spots: int64(s.spots)}
	begin := time.Now().UTC().Add(-span - time.Hour).Truncate(time.Minute)
	messages := make([]kafkalog.Message, 0, atOnce)
	flush := func() error {
		for _, result := range producer.Send(ctx, 2*time.Minute, messages...) {
			if result.Err != nil {
				return result.Err
			}
		}
		messages = messages[:0]
		return nil
	}
	for i := range s.events {
		spot, version := i%s.spots, int64(i/s.spots)+1
		e := spotEvent(spot, version, begin.Add(time.Duration(float64(span)*float64(i)/float64(s.events))))
		if e.Change == event.ChangeReleased {
			f.departures++
		}
		value, err := event.Encode(e)
		if err != nil {
			return f, err
		}
		messages = append(messages, kafkalog.Message{Topic: log.Topic(), Key: []byte(e.SpotID), Value: value, Headers: headers(e)})
		if len(messages) == atOnce {
			if err := flush(); err != nil {
				return f, err
			}
		}
		f.events++
	}
	return f, flush()
}

func spotID(i int) string { return fmt.Sprintf("lot-%02d-%05d", i%lots, i) }

func spotEvent(i int, version int64, at time.Time) event.Event {
	lot := fmt.Sprintf("lot-%02d", i%lots)
	e := event.Event{
		SpotID: spotID(i), Status: event.Occupied, Timestamp: event.At(at), EventID: uuid.Must(uuid.NewV7()).String(), Change: event.ChangeOccupied,
		PreviousStatus: event.Free, Version: version, LotID: lot, ZoneID: fmt.Sprintf("%s-L%d", lot, i/lots%zonesPerLot), ObservedAt: event.At(at), Source: "sensor",
	}
	switch {
	case version == 1:
		e.Status, e.Change, e.PreviousStatus = event.Free, event.ChangeAdded, ""
	case version%2 == 1:
		e.Status, e.Change, e.PreviousStatus = event.Free, event.ChangeReleased, event.Occupied
	}
	return e
}

// headers are those that the relay writes.
func headers(e event.Event) []kafkalog.Header {
	return []kafkalog.Header{
		{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte(e.EventID)}, {Key: "ce_source", Value: []byte(relay.Source)},
		{Key: "ce_type", Value: []byte(event.Type)}, {Key: "ce_subject", Value: []byte(e.SpotID)}, {Key: "content-type", Value: []byte("application/json")},
		{Key: "ce_time", Value: []byte(e.Timestamp.String())},
	}
}
