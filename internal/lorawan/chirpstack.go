package lorawan

import (
	"encoding/json"

	"parkwire/internal/sensor"
)

// ChirpStack reads an event of ChirpStack v4 in its JSON form, as its HTTP and MQTT integrations send it. Fields that are "", 0 or false
// may be left out.
//
// Source: api/proto/integration/integration.proto of github.com/chirpstack/chirpstack, and chirpstack.io/docs/chirpstack/integrations/events.html.
func ChirpStack(event string, text []byte) (Message, error) {
	m := Message{Fields: Fields{Sensor: "deviceInfo.devEui", At: "time", Payload: "data"}}
	switch event {
	case "up":
		m.Kind = Uplink
	case "status", "join":
		m.Kind = Alive
	default: // ack, txack, log, location, integration, and whatever comes to be
		return m, nil
	}
	var in struct {
		DeduplicationID string `json:"deduplicationId"`
		Time            string `json:"time"`
		DeviceInfo      struct {
			DevEUI string `json:"devEui"`
		} `json:"deviceInfo"`
		Counter int64           `json:"fCnt"`
		Port    int             `json:"fPort"`
		Data    string          `json:"data"`
		Object  json.RawMessage `json:"object"`
		RxInfo  []reception     `json:"rxInfo"`
		// Of the event status:
		External    bool    `json:"externalPowerSource"`
		Unavailable bool    `json:"batteryLevelUnavailable"`
		Battery     float64 `json:"batteryLevel"`
	}
	if err := decode(text, &in); err != nil {
		return Message{}, err
	}
	if m.SensorID = CanonicalID(in.DeviceInfo.DevEUI); m.SensorID == "" {
		return Message{}, Error{m.Fields.Sensor, "is missing"}
	}
	var err error
	if m.At, err = instant(m.Fields.At, in.Time); err != nil {
		return Message{}, err
	}
	if event == "status" && !in.External && !in.Unavailable {
		m.Battery = &in.Battery
	}
	if m.Kind != Uplink {
		return m, nil
	}
	m.Key, m.Sequence = key(in.DeduplicationID), in.Counter // status and join have the id of the uplink that brought them
	m.Payload = sensor.Payload{Port: in.Port, Object: object(in.Object)}
	m.Payload.Bytes, err = decodeBase64(m.Fields.Payload, in.Data)
	m.best(in.RxInfo)
	return m, err
}
