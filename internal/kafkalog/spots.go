package kafkalog

import (
	"context"
	"fmt"

	"parkwire/internal/event"
)

// CoveredHeader is the header of records of the compacted twin in which the relay says how far the twin follows the log: a
// [event.Cursor]. Every event of the platform that stands in the log up to there had been written to the twin before
// that record was.
const CoveredHeader = "parkwire-covered"

// Settled is the key of a record of the twin that is there for its CoveredHeader alone. It has no value, so that those who read
// the twin take it for a spot that was removed; and no spot's id can have this character.
const Settled = "\x00settled"

// Spots calls fn for every record of the compacted twin, from its beginning to its present end, in order per partition.
// A record without value says that its spot was removed. Of the platform's events, those that stand in the log up to covered
// were passed, unless newer ones of their spots took their place.
func (l *Log) Spots(ctx context.Context, fn func(Record) error) (covered event.Offsets, err error) {
	t := &compacted{Log: l, topic: l.options.SpotsTopic}
	if err := t.refresh(ctx); err != nil {
		return nil, fmt.Errorf("reading %s: %w", t.name(), err)
	}
	var from event.Offsets
	// In two rounds: a record of the first tells of others that may have been written behind the end that was
	// asked for, and not behind the one that is asked for afterwards.
	for round := range 2 {
		to, err := list(ctx, l.admin.ListCommittedOffsets, t.name())
		if err != nil {
			return nil, err
		}
		err = l.readFrom(ctx, t, true, from, to, func(r Record) error {
			if text, ok := r.Header(CoveredHeader); ok && round == 0 {
				if c, err := event.ParseCursor(string(text), l.TopicID()); err == nil { // else it tells of another log
					covered = covered.Join(c.Offsets)
				}
			}
			if string(r.Key) == Settled {
				return nil
			}
			return fn(r)
		})
		if err != nil {
			return nil, err
		}
		from = to
	}
	return covered, nil
}

// compacted is a compacted topic as a source. Only the one who reads it uses it.
type compacted struct {
	*Log
	topic   string
	topicID event.TopicID
	leaders []int32
}

func (t *compacted) name() string      { return t.topic }
func (t *compacted) id() event.TopicID { return t.topicID }

func (t *compacted) leaderOf(partition int32) (broker int32, ok bool) {
	if int(partition) >= len(t.leaders) || t.leaders[partition] < 0 {
		return 0, false
	}
	return t.leaders[partition], true
}

func (t *compacted) refresh(ctx context.Context) error {
	found, err := t.admin.Metadata(ctx, t.name())
	if err != nil {
		return err
	}
	topic := found.Topics[t.name()]
	if topic.Err != nil {
		return topic.Err
	}
	if t.leaders != nil && t.topicID != event.TopicID(topic.ID) {
		return fmt.Errorf("topic %s: %w", topic.Topic, ErrReplaced)
	}
	leaders, err := leadersOf(topic)
	if err == nil {
		t.topicID, t.leaders = event.TopicID(topic.ID), leaders
	}
	return err
}

func (t *compacted) tails(ctx context.Context) (event.Offsets, error) {
	return list(ctx, t.admin.ListStartOffsets, t.name())
}
