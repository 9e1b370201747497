package live

import (
	"errors"

	"golang.org/x/sys/unix"

	"parkwire/internal/uring"
	"parkwire/internal/websocket"
)

// A ringSender sends batches by io_uring. Each loop has its own.
type ringSender struct {
	ring    *uring.Ring
	batch   []outgoing // under way
	outcome func(tag uint64, n int, err error)
}

func newBatchSender() (batchSender, error) {
	ring, err := uring.New(batchSize)
	if err != nil {
		return nil, err
	}
	s := &ringSender{ring: ring}
	s.outcome = s.record // made once: a send allocates nothing
	return s, nil
}

func (s *ringSender) send(batch []outgoing) error {
	s.batch = batch
	defer func() { s.batch = nil }()
	for i := range batch {
		for !s.ring.Send(batch[i].fd, batch[i].bytes, uint64(i)) {
			_ = s.ring.Submit(s.outcome) // an error stays one, and is seen below
		}
	}
	return s.ring.Submit(s.outcome)
}

func (s *ringSender) record(tag uint64, n int, err error) {
	o := &s.batch[tag]
	o.n, o.err = n, err
	if errors.Is(err, unix.EAGAIN) || err == nil && n < len(o.bytes) {
		o.err = websocket.ErrWouldBlock
	}
}

func (s *ringSender) close() error { return s.ring.Close() }
