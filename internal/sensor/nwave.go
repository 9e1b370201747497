package sensor

import "time"

// nwave decodes Nwave's parking sensors (NPS405; the NPS310 sends the same without durations and voltages).
//
// Source: its decoder in the Device Repository for LoRaWAN, github.com/TheThingsNetwork/lorawan-devices, vendor/nwave/nps405.js, with the examples
// of nps405-codec.yaml. Earlier versions of that file had the state in bit 7.
func nwave(port int, bytes []byte) (Message, error) {
	switch port {
	case 1:
		if err := need("a parking status", bytes, 1); err != nil {
			return Message{}, err
		}
		m := Message{Kind: Status, Seen: true, Occupied: bytes[0]&1 == 1}
		m.Before, m.BeforeError = minutes(bytes[0] >> 1)
		return m, nil
	case 2:
		if err := need("a heartbeat", bytes, 1); err != nil {
			return Message{}, err
		}
		m := Message{Kind: Heartbeat, Seen: true, Occupied: bytes[0]&1 == 1}
		if len(bytes) > 1 {
			m.Volts = (2500 + 4*float64(bytes[1])) / 1000
		}
		return m, nil
	case 3:
		if err := need("a start-up message", bytes, 5); err != nil {
			return Message{}, err
		}
		return Message{Kind: StartUp, Seen: true, Occupied: bytes[4]&1 == 1}, nil
	case 10: // somebody showed a tag, which says something only where a vehicle stands
		if err := need("a registration", bytes, 1); err != nil {
			return Message{}, err
		}
		m := Message{Kind: Information, Seen: bytes[0]&1 == 1, Occupied: bytes[0]&1 == 1}
		if m.Seen {
			m.Before, m.BeforeError = minutes(bytes[0] >> 1)
		}
		return m, nil
	case 6:
		return Message{Kind: Information}, nil
	}
	return Message{}, unknownPort("Nwave parking sensor", port)
}

// minutes expands a duration of 7 bits: to the minute below 90, then in steps of 5, from 4 hours on of 60; the last means 11 hours or more.
func minutes(compressed byte) (least, more time.Duration) {
	switch n := time.Duration(compressed) * time.Minute; {
	case compressed < 90:
		return n, 0
	case compressed < 120:
		return 90*time.Minute + 5*(n-90*time.Minute), 4 * time.Minute
	case compressed < 127:
		return 4*time.Hour + 60*(n-2*time.Hour), 59 * time.Minute
	}
	return 11 * time.Hour, -1
}
