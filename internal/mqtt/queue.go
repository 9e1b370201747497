package mqtt

import (
	"context"
	"fmt"
	"sync"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// maxWaiting bounds what waits to be committed, in bytes. Brokers send some tens to thousands of messages ahead of their acknowledgement.
const maxWaiting = 16 << 20

// overhead is what a message takes beside topic and payload, about.
const overhead = 256

// queue holds the messages of one session, in order. Putting never waits.
type queue struct {
	most int
	wake chan struct{} // holds a token when there is something new

	mu       sync.Mutex
	messages []paho.Message
	size     int
	err      error // why nothing more is put in
	gone     bool  // the connection is: acknowledgements reach nobody
}

func newQueue(most int) *queue { return &queue{most: most, wake: make(chan struct{}, 1)} }

// put reports whether the message is kept, or will be sent again. When the queue is full a message that the broker sends once only is
// lost; for others the session ends when what waits is done, since a broker sends again in a new session what was not acknowledged.
func (q *queue) put(m paho.Message) bool {
	size := overhead + len(m.Topic()) + len(m.Payload())
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.err != nil:
		return m.Qos() > 0
	case q.size+size > q.most && m.Qos() == 0:
		return false
	case q.size+size > q.most:
		q.err = fmt.Errorf("more than %d bytes of messages wait to be stored", q.most)
	default:
		q.messages, q.size = append(q.messages, m), q.size+size
	}
	q.token()
	return true
}

func (q *queue) token() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// lose forgets everything, which the broker will send again.
func (q *queue) lose(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages, q.size, q.err, q.gone = nil, 0, err, true
	q.token()
}

// lost returns nil, or why the connection is no more.
func (q *queue) lost() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.gone {
		return nil
	}
	return q.err
}

// take waits for messages and returns up to most of them; an error where there will be no more.
func (q *queue) take(ctx context.Context, most int) ([]paho.Message, error) {
	for {
		q.mu.Lock()
		n, err := min(most, len(q.messages)), q.err
		taken := q.messages[:n:n]
		q.messages = q.messages[n:]
		for _, m := range taken {
			q.size -= overhead + len(m.Topic()) + len(m.Payload())
		}
		q.mu.Unlock()
		if n > 0 {
			return taken, nil
		}
		if err != nil {
			return nil, err
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
