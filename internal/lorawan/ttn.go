package lorawan

import (
	"cmp"
	"encoding/json"

	"parkwire/internal/sensor"
)

// TheThingsStack reads a message of The Things Stack v3, as its webhooks and its MQTT server send it. Fields that are "", 0 or false
// are left out there: no f_port is port 0, no f_cnt is frame 0. There is no key: a session and its frame counter make none for devices that
// are activated by hand and begin to count again, and the time of reception tells as much.
//
// Source: thethingsindustries.com/docs/integrations/data-formats.
func TheThingsStack(text []byte) (Message, error) {
	var in struct {
		EndDeviceIDs struct {
			DeviceID string `json:"device_id"`
			DevEUI   string `json:"dev_eui"`
		} `json:"end_device_ids"`
		ReceivedAt string `json:"received_at"` // by the application server
		Uplink     *struct {
			Port       int             `json:"f_port"`
			Counter    int64           `json:"f_cnt"`
			Payload    string          `json:"frm_payload"`
			Decoded    json.RawMessage `json:"decoded_payload"`
			Metadata   []reception     `json:"rx_metadata"`
			ReceivedAt string          `json:"received_at"` // by the network server
			Battery    *struct {
				Value float64 `json:"value"`
			} `json:"last_battery_percentage"`
		} `json:"uplink_message"`
		Join *struct {
			ReceivedAt string `json:"received_at"`
		} `json:"join_accept"`
	}
	if err := decode(text, &in); err != nil {
		return Message{}, err
	}
	m := Message{Fields: Fields{Sensor: "end_device_ids.dev_eui", At: "uplink_message.received_at", Payload: "uplink_message.frm_payload"}}
	// Devices that are activated by hand need no EUI.
	m.SensorID = CanonicalID(cmp.Or(in.EndDeviceIDs.DevEUI, in.EndDeviceIDs.DeviceID))
	if m.SensorID == "" {
		return Message{}, Error{m.Fields.Sensor, "is missing"}
	}
	at := in.ReceivedAt
	switch {
	case in.Uplink != nil:
		m.Kind, at = Uplink, cmp.Or(in.Uplink.ReceivedAt, at)
	case in.Join != nil:
		m.Kind, m.Fields.At = Alive, "join_accept.received_at"
		at = cmp.Or(in.Join.ReceivedAt, at)
	default:
		return m, nil
	}
	var err error
	if m.At, err = instant(m.Fields.At, at); err != nil || m.Kind != Uplink {
		return m, err
	}
	up := in.Uplink
	m.Payload = sensor.Payload{Port: up.Port, Object: object(up.Decoded)}
	if m.Payload.Bytes, err = decodeBase64(m.Fields.Payload, up.Payload); err != nil {
		return Message{}, err
	}
	m.Sequence = up.Counter
	m.best(up.Metadata)
	if up.Battery != nil {
		m.Battery = &up.Battery.Value
	}
	return m, nil
}
