package kafkalog

import (
	"context"
	"fmt"
)

// Access calls fn for every record of the topic that tells who may do what, from its beginning; whole when it has passed those that
// there were; and then fn the moment that there is another one, until ctx ends. While Kafka is away it waits. The error is why it ended
// before ctx did.
func (l *Log) Access(ctx context.Context, fn func(Record), whole func()) error {
	t := &compacted{Log: l, topic: l.options.AccessTopic}
	if err := t.refresh(ctx); err != nil {
		return fmt.Errorf("reading %s: %w", t.topic, err)
	}
	to, err := list(ctx, l.admin.ListCommittedOffsets, t.topic)
	if err != nil {
		return err
	}
	err = l.readFrom(ctx, t, true, nil, to, func(r Record) error { fn(r); return nil })
	if err != nil {
		return err
	}
	whole()
	return l.follow(ctx, t.topic, len(t.leaders), to, fn)
}
