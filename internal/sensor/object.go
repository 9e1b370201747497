package sensor

import (
	"encoding/json"
	"errors"
)

// kinds are the types of messages by which decoders of network servers tell them apart, and whether they say the state.
var kinds = map[string]Message{
	"parking status": {Kind: Status, Seen: true}, "parking_status": {Kind: Status, Seen: true}, "status": {Kind: Status, Seen: true},
	"heartbeat": {Kind: Heartbeat, Seen: true}, "startup": {Kind: StartUp, Seen: true},
	"device information": {}, "device usage": {}, "debug": {}, "user_registration": {},
}

// object reads what the decoder of a network server made of an uplink: "occupied", true, false, 1 or 0. Where fields that are
// false were left out on the way, the "type" that the Device Repository's decoders write tells that there was one; nothing
// else makes a spot free.
func object(text json.RawMessage) (Message, error) {
	var o struct {
		Type           string          `json:"type"`
		Occupied       json.RawMessage `json:"occupied"`
		BatteryVoltage float64         `json:"battery_voltage"`
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return Message{}, errors.New("what the network server decoded is no object, or a field of it is of another type than expected: " + err.Error())
	}
	m, known := kinds[o.Type]
	if known && !m.Seen {
		m.Kind = Information
	}
	m.Volts = o.BatteryVoltage
	switch string(o.Occupied) {
	case "true", "1":
		m.Seen, m.Occupied = true, true
	case "false", "0":
		m.Seen = true
	case "null":
		m.Seen = false
	case "":
		if !known {
			return Message{}, errors.New(`what the network server decoded does not say "occupied", and its "type" is not one that is known`)
		}
	default:
		return Message{}, errors.New(`"occupied", as the network server decoded it, must be true or false`)
	}
	return m, nil
}
