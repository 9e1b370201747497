// Package lorawan reads what LoRaWAN network servers tell of sensors: The Things Stack (v3) and ChirpStack (v4), by webhook or MQTT.
package lorawan

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"parkwire/internal/sensor"
)

// Message is what a network server says of one sensor.
type Message struct {
	Kind     Kind
	SensorID string // as [CanonicalID] writes it
	// Key is the same for every delivery of one uplink, and for no other uplink of the sensor; "" where there is none.
	Key string
	At  time.Time // when it was received
	// Sequence is the frame counter. It begins again when a device joins again or is reset, so that it says which of two
	// messages of the same time is the later one, and nothing else.
	Sequence int64
	Payload  sensor.Payload // of an uplink
	// Battery is the charge in percent; RSSI in dBm and SNR in dB are those of the gateway that heard best. Nil: not said.
	Battery, RSSI, SNR *float64
	// Fields are the names of the fields in the server's own message, for those who look for what is wrong.
	Fields Fields
}

// Fields are where a message of a network server has what a [Message] has.
type Fields struct{ Sensor, At, Payload string }

// Kind is what a message is about.
type Kind uint8

// The kinds.
const (
	Ignored Kind = iota // nothing that matters here: what became of a downlink, a log
	Uplink              // the sensor sent something
	Alive               // the sensor joined the network, or told of its battery
)

// Error says what is wrong with a message.
type Error struct{ Field, Reason string }

func (e Error) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return fmt.Sprintf("the field %q %s", e.Field, e.Reason)
}

// CanonicalID writes an EUI as everywhere here, in lower case: The Things Stack writes capitals and ChirpStack does not. Other ids stay
// as they are.
func CanonicalID(id string) string {
	if len(id) == 16 && strings.Trim(id, "0123456789abcdefABCDEF") == "" {
		return strings.ToLower(id)
	}
	return id
}

// decode reads one JSON value. Fields that nobody asked for are left aside: network servers add to their messages.
func decode(text []byte, into any) error {
	err := json.Unmarshal(text, into)
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return Error{wrong.Field, fmt.Sprintf("must not be a %s", wrong.Value)}
	case errors.As(err, &wrong):
		return Error{"", "A JSON object is expected."}
	case errors.As(err, &syntax):
		return Error{"", fmt.Sprintf("This is not valid JSON: %v (byte %d).", syntax, syntax.Offset)}
	case err != nil:
		return Error{"", fmt.Sprintf("This cannot be read: %v.", err)}
	}
	return nil
}

func decodeBase64(field, text string) ([]byte, error) {
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, Error{field, "must be base64"}
	}
	return bytes, nil
}

// instant reads when something was received.
func instant(field, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Year() < 1970 || at.Year() > 9999 {
		return time.Time{}, Error{field, `must be an RFC 3339 time from 1970 on, such as "2026-11-24T03:35:00.123Z"`}
	}
	return at.UTC(), nil
}

// key returns text where it can be one, and so be stored.
func key(text string) string {
	if len(text) > 200 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ""
	}
	return text
}

// reception is how one gateway heard an uplink. What is zero may have been left out.
type reception struct {
	RSSI float64 `json:"rssi"`
	SNR  float64 `json:"snr"`
}

// best sets the signal to that of the gateway that heard best.
func (m *Message) best(all []reception) {
	for _, r := range all {
		if m.RSSI == nil || r.RSSI > *m.RSSI {
			m.RSSI, m.SNR = &r.RSSI, &r.SNR
		}
	}
}

// object returns what a network server decoded; nothing where it decoded nothing.
func object(text json.RawMessage) json.RawMessage {
	if s := string(text); s == "null" || s == "{}" {
		return nil
	}
	return text
}
