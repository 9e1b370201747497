package mqtt

import (
	"context"
	"errors"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
)

type fakeMessage struct {
	paho.Message
	qos     byte
	payload string
}

func (m fakeMessage) Qos() byte       { return m.qos }
func (m fakeMessage) Topic() string   { return "t" }
func (m fakeMessage) Payload() []byte { return []byte(m.payload) }

func payloads(messages []paho.Message) (all string) {
	for _, m := range messages {
		all += string(m.Payload())
	}
	return all
}

func TestAFullQueueEndsTheSessionWhenItIsEmptied(t *testing.T) {
	q := newQueue(3 * (overhead + 2))
	for _, payload := range []string{"a", "b", "c"} {
		if !q.put(fakeMessage{qos: 1, payload: payload}) {
			t.Errorf("%s is lost", payload)
		}
	}
	if q.put(fakeMessage{qos: 0, payload: "x"}) {
		t.Error("there is more in the queue than fits")
	}
	if !q.put(fakeMessage{qos: 1, payload: "d"}) {
		t.Error("d, which the broker sends again, counts as lost")
	}
	if first, err := q.take(t.Context(), 2); payloads(first) != "ab" || err != nil {
		t.Errorf("%q, %v", payloads(first), err)
	}
	q.put(fakeMessage{qos: 1, payload: "e"}) // behind d, which is not there
	if rest, err := q.take(t.Context(), 2); payloads(rest) != "c" || err != nil || q.lost() != nil {
		t.Errorf("%q, %v", payloads(rest), err)
	}
	if rest, err := q.take(t.Context(), 2); len(rest) != 0 || err == nil {
		t.Errorf("%q, %v", payloads(rest), err)
	}
}

func TestWhatWasNotTakenIsForgottenWithTheConnection(t *testing.T) {
	q := newQueue(1000)
	q.put(fakeMessage{qos: 1, payload: "a"})
	gone := errors.New("gone")
	q.lose(gone)
	if got, err := q.take(t.Context(), 2); len(got) != 0 || err != gone || q.lost() != gone {
		t.Errorf("%q, %v", payloads(got), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newQueue(1).take(ctx, 1); err != context.Canceled {
		t.Error(err)
	}
}
