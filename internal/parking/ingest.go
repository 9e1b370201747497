package parking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"parkwire/internal/identity"
	"parkwire/internal/lorawan"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/trace"
)

// postTheThingsStack takes what a webhook of The Things Stack sends.
func (s *Service) postTheThingsStack(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	m, err := lorawan.TheThingsStack(body)
	return s.ingestMessage(r.Context(), by, m, err)
}

// postChirpStack takes what an HTTP integration of ChirpStack sends.
func (s *Service) postChirpStack(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	event, there := p.One("event")
	if !there {
		p.Fail("event", "the kind of event, such as up, as ChirpStack sends it", "missing")
	}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	body, err := rest.ReadBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	m, err := lorawan.ChirpStack(event, body)
	return s.ingestMessage(r.Context(), by, m, err)
}

// ingestMessage answers as readings are answered. A sensor that is not known is no failure of the request: whoever sends webhooks would
// stop sending those of others.
func (s *Service) ingestMessage(ctx context.Context, by origin, m lorawan.Message, err error) (rest.Answer, error) {
	if err != nil {
		return rest.Answer{}, messageProblem(err)
	}
	var read readings
	if m.Kind != lorawan.Ignored {
		read = readings{good: []Observation{{signal: &signal{Message: m}}}, lines: []int{1}}
	}
	return s.ingest(ctx, by, read)
}

// messageProblem is what is wrong with a message of a network server.
func messageProblem(err error) error {
	var e lorawan.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Field == "":
		return rest.InvalidBody(e.Reason)
	}
	return problem.New(http.StatusBadRequest, "invalid-field", fmt.Sprintf("The field %q %s.", e.Field, e.Reason)).WithField(e.Field)
}

// Message is one that came over MQTT.
type Message struct {
	Topic   string
	Payload []byte
}

// Deliver commits what messages say, in their order: those of ChirpStack, of The Things Stack, and readings that say themselves what they are.
// refused has for each nil, or why it was not taken; that does not change when it is delivered again. Where there is an error nothing
// is known of any: deliver all again.
func (s *Service) Deliver(ctx context.Context, messages []Message) (refused []error, err error) {
	refused = make([]error, len(messages))
	var read []Observation
	var of []int // the message of each reading
	unreadable := 0
	for i, m := range messages {
		o, ignored, err := m.observation()
		switch {
		case err != nil:
			refused[i] = err
			unreadable++
		case !ignored:
			read, of = append(read, o), append(of, i)
		}
	}
	span, traceparent := s.options.Tracer.Enter("", "receive", "MQTT", trace.Consumer)
	defer span.End()
	for all := range slices.Chunk(read, maxGroup) {
		b := newBatch(all, origin{Caller: rest.Caller{Who: identity.Principal{Subject: "mqtt"}, Traceparent: traceparent}})
		if err := s.submit(span.In(ctx), b); err != nil {
			return nil, err
		}
		for i, o := range b.outcomes {
			if o > late {
				refused[of[i]] = deliveryError(rejection(o, 1, all[i]))
			}
		}
		of = of[len(all):]
	}
	s.metrics.observations.WithLabelValues("rejected").Add(float64(unreadable))
	return refused, nil
}

func deliveryError(e readingError) error {
	return fmt.Errorf("%s%s: the field %q: %s", e.SensorID, e.SpotID, e.Field, e.Reason)
}

// observation reads what the message is, by what is in it.
func (m Message) observation() (o Observation, ignored bool, err error) {
	var has struct {
		SpotID         json.RawMessage `json:"spotId"`
		TheThingsStack json.RawMessage `json:"end_device_ids"`
		ChirpStack     json.RawMessage `json:"deviceInfo"`
	}
	if err := json.Unmarshal(m.Payload, &has); err != nil {
		return o, false, fmt.Errorf("it is no JSON object: %w", err)
	}
	var said lorawan.Message
	switch {
	case has.SpotID != nil:
		o, err = readObservation(m.Payload)
		return o, false, err
	case has.TheThingsStack != nil:
		said, err = lorawan.TheThingsStack(m.Payload)
	case has.ChirpStack != nil:
		said, err = lorawan.ChirpStack(m.event(), m.Payload)
	default:
		err = errors.New("it is neither a reading (spotId, occupied, observedAt) nor a message of ChirpStack or The Things Stack")
	}
	return Observation{signal: &signal{Message: said}}, said.Kind == lorawan.Ignored, err
}

// event is the kind of a ChirpStack event, the last level of its topic: application/ID/device/EUI/event/up.
func (m Message) event() string {
	levels := strings.Split(m.Topic, "/")
	if n := len(levels); n > 1 && levels[n-2] == "event" {
		return levels[n-1]
	}
	return "up"
}
