// Package sensor decodes what parking sensors send: one function a model, registered under the model's name.
package sensor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Message is what one uplink says.
type Message struct {
	Kind Kind
	// Seen is whether it says if a vehicle stands there. Where it does not, it is but a sign of life.
	Seen     bool
	Occupied bool
	// Before is how long the state before lasted at least; 0 where that is not said. It lasted up to BeforeError longer,
	// negative: nobody knows how much.
	Before, BeforeError time.Duration
	Volts               float64 // of the battery; 0 where that is not said
}

// Kind is what a message is sent for.
type Kind uint8

// The kinds.
const (
	Status      Kind = iota // a vehicle came or left
	Heartbeat               // some time has passed
	StartUp                 // the sensor was switched on, or reset
	Information             // anything else
)

// Payload is an uplink as a network server hands it on.
type Payload struct {
	Port   int
	Bytes  []byte
	Object json.RawMessage // what the network server's own decoder made of the bytes; empty where it has none
}

// Decoded is the model of sensors that only their network server can decode.
const Decoded = "decoded"

// decoders read the bytes of an uplink on a port.
var decoders = map[string]func(port int, bytes []byte) (Message, error){
	"bosch-tps110": bosch,
	"nwave-nps405": nwave,
	Decoded:        nil,
}

// Models are the names of all models.
func Models() []string { return slices.Sorted(maps.Keys(decoders)) }

// Known reports whether there is such a model.
func Known(model string) bool {
	_, known := decoders[model]
	return known
}

// Decode reads an uplink of a sensor of the model. The bytes come before what the network server made of them, since whoever set up
// a decoder there may have forgotten a port. An empty uplink is a sign of life.
func (p Payload) Decode(model string) (Message, error) {
	decode, known := decoders[model]
	switch {
	case !known:
		return Message{}, fmt.Errorf("there is no model %q", model)
	case len(p.Bytes) == 0 && len(p.Object) == 0 && p.Port == 0:
		return Message{Kind: Information}, nil
	case len(p.Object) > 0 && (decode == nil || len(p.Bytes) == 0):
		return object(p.Object)
	case decode == nil:
		return Message{}, errors.New("the network server did not decode it, and there is no decoder for the sensor here; set one up there")
	}
	return decode(p.Port, p.Bytes)
}

// need returns an error unless a message has as many bytes.
func need(what string, bytes []byte, least int) error {
	if len(bytes) < least {
		return fmt.Errorf("%s has %d bytes at least; this has %d", what, least, len(bytes))
	}
	return nil
}

func unknownPort(model string, port int) error {
	return fmt.Errorf("a %s sends nothing on port %d that is known here", model, port)
}
