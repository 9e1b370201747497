package live

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"parkwire/internal/event"
	"parkwire/internal/trace"
)

// maxForeign bounds a message of another program, in bytes. Its receivers could not get it again.
const maxForeign = 256 << 10

// decode makes an entry of a record; nil where it is no event, which the bridge puts aside and counts.
func decode(partition int32, offset int64, value []byte) *entry {
	e, err := event.Decode(value)
	if err != nil {
		return nil
	}
	return &entry{partition, offset, e, value}
}

// deliver hands one event of the log to every subscription that wants it. An event that
// this instance has already, and a record that is no event, is left out.
func (s *Service) deliver(at event.Position, value []byte, source string) {
	partition, offset := at.Partition, at.Offset
	if source == "log" {
		value = bytes.Clone(value) // memory would keep the whole batch that it came in
	}
	span := s.options.Tracer.Begin(at.Traceparent, "deliver", trace.Consumer, time.Time{})
	e := decode(partition, offset, value)
	s.mu.Lock()
	if s.heads.Covers(partition, offset) {
		s.mu.Unlock()
		return
	}
	s.heads = s.heads.Advance(partition, offset)
	s.tellChange()
	if e == nil {
		s.mu.Unlock()
		return
	}
	s.memory.add(e)
	s.state.apply(e)
	cursor := s.cursor(s.heads)
	grown := s.broadcast(&e.event, func(enc encoding) []byte { return enc.appendEvent(nil, e.value, cursor) })
	s.mu.Unlock()
	s.metrics.events.WithLabelValues(source).Inc()
	if span != nil {
		span.Set("messaging.operation.type", "process", "messaging.destination.partition.id", strconv.Itoa(int(partition)), "messaging.kafka.offset", offset,
			"parkwire.source", source, "parkwire.subscriptions", len(grown))
		defer span.End()
	}
	s.wake(grown, load{accepted: acceptedAt(&e.event), span: span})
}

// acceptedAt is when the platform took the change; the zero time where another program wrote the event, whose clock is its own.
func acceptedAt(e *event.Event) time.Time {
	if e.Version == 0 {
		return time.Time{}
	}
	return e.Timestamp.Time
}

// cursor is the text of the cursor of somebody who has seen the given offsets. The topic is fixed once started.
func (s *Service) cursor(have event.Offsets) string {
	return event.Cursor{Topic: s.topic, Offsets: have}.String()
}

// tellChange wakes those who wait for heads to move. The caller holds mu.
func (s *Service) tellChange() {
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// nextChange returns a channel that is closed when heads move. The caller holds mu.
func (s *Service) nextChange() <-chan struct{} {
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.changed
}

// deliverForeign passes on what another program published on the bus, as it is.
func (s *Service) deliverForeign(message []byte) {
	if len(message) > maxForeign || !utf8.Valid(message) {
		s.metrics.refused.Inc()
		return
	}
	e, _ := event.Decode(message) // what cannot be read matches those who want everything
	s.mu.Lock()
	grown := s.broadcast(&e, func(enc encoding) []byte { return enc.appendForeign(nil, message) })
	s.tellSwitching(&e, message)
	s.mu.Unlock()
	s.metrics.events.WithLabelValues("foreign").Inc()
	s.wake(grown, load{})
}

// broadcast appends the event to the log of every subscription that wants it, encoded
// once an encoding. The caller holds mu.
func (s *Service) broadcast(e *event.Event, encode func(encoding) []byte) (grown []*subscription) {
	var frames encoded
	s.subs.concerned(e, func(sub *subscription) {
		sub.log.append(frames.in(sub.key.encoding, encode))
		grown = append(grown, sub)
	})
	return grown
}

// wake has the loops send what the logs of subscriptions have got.
func (s *Service) wake(grown []*subscription, with load) {
	if len(grown) == 0 {
		return
	}
	for _, l := range s.loops {
		l.grew(grown, with)
	}
}
