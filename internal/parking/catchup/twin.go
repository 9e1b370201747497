package catchup

import (
	"context"
	"fmt"
	"slices"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/relay"
)

// readTwin reads what the twin has of each spot, as whoever begins with it does.
func (r *run) readTwin(ctx context.Context) error {
	r.twin = map[string]int64{}
	_, err := r.Log.Spots(ctx, func(record kafkalog.Record) error {
		if e, err := event.Decode(record.Value); err == nil {
			r.twin[string(record.Key)] = e.Version
		} else {
			delete(r.twin, string(record.Key))
		}
		return nil
	})
	return err
}

// completeTwin writes to the twin what the log has and the twin has not: the relay writes to the log first, and of what lay between when the database was
// lost no outbox knows any more. The next leader, which finds nothing to do, says that the twin has all.
func (r *run) completeTwin(ctx context.Context) error {
	var messages []kafkalog.Message
	for _, id := range sorted(r.lacking) {
		if _, there := r.twin[id]; there || !r.lacking[id].Tombstone {
			messages = append(messages, relay.TwinMessage(r.Log.SpotsTopic(), r.lacking[id]))
		}
	}
	producer, err := r.Log.NewProducer()
	if err != nil {
		return err
	}
	defer producer.Close()
	const patience = 30 * time.Second
	for part := range slices.Chunk(messages, batch) {
		for _, result := range producer.Send(ctx, patience, part...) {
			if result.Err != nil {
				return fmt.Errorf("writing to %s: %w", r.Log.SpotsTopic(), result.Err)
			}
		}
	}
	return nil
}
