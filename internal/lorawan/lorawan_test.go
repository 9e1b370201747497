package lorawan

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"parkwire/internal/sensor"
)

const (
	ttnUplink = `{
		"end_device_ids":{"device_id":"bay-17","application_ids":{"application_id":"parking"},"dev_eui":"0004A30B001C0530","join_eui":"800000000000000C","dev_addr":"00BCB929"},
		"correlation_ids":["as:up:01E0WZGT6Y7657CPFPE5WEYDSQ"],"received_at":"2026-02-12T15:15:45.787Z",
		"uplink_message":{"session_key_id":"AXA50tHUSfcLHLHk","f_port":1,"f_cnt":42,"frm_payload":"AQ==","decoded_payload":{"type":"parking status","occupied":true},
			"rx_metadata":[{"gateway_ids":{"gateway_id":"gtw1"},"rssi":-65,"snr":9.2},{"gateway_ids":{"gateway_id":"gtw2"},"rssi":-35,"snr":5}],
			"settings":{"data_rate":{"lora":{"bandwidth":125000,"spreading_factor":7}}},"received_at":"2026-02-12T15:15:45.568Z",
			"last_battery_percentage":{"f_cnt":40,"value":94.5,"received_at":"2026-02-12T14:15:45.568Z"},"consumed_airtime":"0.056s"}}`
	chirpStackUplink = `{
		"deduplicationId":"3ac7e3c4-4401-4b8d-9386-a5c902f9202d","time":"2026-07-18T09:34:15.775023242+00:00",
		"deviceInfo":{"tenantId":"52f14cd4-c6f1-4fbd-8f87-4025e1d49242","applicationName":"parking","deviceName":"bay 17","devEui":"0004a30b001c0530","tags":{"k":"v"}},
		"devAddr":"00189440","adr":true,"dr":1,"fCnt":42,"fPort":1,"confirmed":false,"data":"AQ==","object":{"occupied":true},
		"rxInfo":[{"gatewayId":"0016c001f153a14c","uplinkId":4217106255,"rssi":-36,"snr":10.5}],"txInfo":{"frequency":867100000}}`
)

func TestUplinksOfTheThingsStack(t *testing.T) {
	at := time.Date(2026, 2, 12, 15, 15, 45, 568e6, time.UTC)
	battery, rssi, snr, zero := 94.5, -35., 5., 0.
	fields := Fields{"end_device_ids.dev_eui", "uplink_message.received_at", "uplink_message.frm_payload"}
	for name, c := range map[string]struct {
		text string
		want Message
	}{
		"with everything": {ttnUplink, Message{
			Kind: Uplink, SensorID: "0004a30b001c0530", At: at, Sequence: 42, Battery: &battery, RSSI: &rssi, SNR: &snr, Fields: fields,
			Payload: sensor.Payload{Port: 1, Bytes: []byte{1}, Object: json.RawMessage(`{"type":"parking status","occupied":true}`)},
		}},
		"the first of a session, free, heard with 0 dB: what is zero is not there": {
			`{"end_device_ids":{"device_id":"bay-17"},"received_at":"2026-02-12T15:15:45.568Z","uplink_message":{"session_key_id":"a","f_port":2,"frm_payload":"AA==","rx_metadata":[{"gateway_ids":{}}]}}`,
			Message{Kind: Uplink, SensorID: "bay-17", At: at, RSSI: &zero, SNR: &zero, Fields: fields, Payload: sensor.Payload{Port: 2, Bytes: []byte{0}}},
		},
		"nothing but that it was": {
			`{"end_device_ids":{"dev_eui":"0004A30B001C0530"},"uplink_message":{"received_at":"2026-02-12T16:15:45.568+01:00","decoded_payload":{}}}`,
			Message{Kind: Uplink, SensorID: "0004a30b001c0530", At: at, Fields: fields, Payload: sensor.Payload{Bytes: []byte{}}},
		},
		"a device joins": {
			`{"end_device_ids":{"dev_eui":"0004A30B001C0530"},"received_at":"2026-02-12T15:15:45.999Z","join_accept":{"session_key_id":"x","received_at":"2026-02-12T15:15:45.568Z"}}`,
			Message{Kind: Alive, SensorID: "0004a30b001c0530", At: at, Fields: Fields{"end_device_ids.dev_eui", "join_accept.received_at", "uplink_message.frm_payload"}},
		},
		"a downlink was acknowledged": {`{"end_device_ids":{"dev_eui":"0004A30B001C0530"},"received_at":"2026-02-12T15:15:45.999Z","downlink_ack":{"f_port":1}}`,
			Message{Kind: Ignored, SensorID: "0004a30b001c0530", Fields: fields}},
	} {
		got, err := TheThingsStack([]byte(c.text))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", name, got, err, c.want)
		}
	}
}

func TestEventsOfChirpStack(t *testing.T) {
	at := time.Date(2026, 7, 18, 9, 34, 15, 775023242, time.UTC)
	battery, rssi, snr := 75.5, -36., 10.5
	fields := Fields{"deviceInfo.devEui", "time", "data"}
	const head = `{"deduplicationId":"3ac7e3c4","time":"2026-07-18T09:34:15.775023242Z","deviceInfo":{"devEui":"0004a30b001c0530"}`
	for name, c := range map[string]struct {
		event, text string
		want        Message
	}{
		"with everything": {"up", chirpStackUplink, Message{
			Kind: Uplink, SensorID: "0004a30b001c0530", Key: "3ac7e3c4-4401-4b8d-9386-a5c902f9202d", At: at, Sequence: 42, RSSI: &rssi, SNR: &snr, Fields: fields,
			Payload: sensor.Payload{Port: 1, Bytes: []byte{1}, Object: json.RawMessage(`{"occupied":true}`)},
		}},
		"what is zero is not there": {"up", head + `,"fPort":1,"data":"AA=="}`, Message{
			Kind: Uplink, SensorID: "0004a30b001c0530", Key: "3ac7e3c4", At: at, Fields: fields, Payload: sensor.Payload{Port: 1, Bytes: []byte{0}},
		}},
		"battery": {"status", head + `,"margin":7,"externalPowerSource":false,"batteryLevelUnavailable":false,"batteryLevel":75.5}`,
			Message{Kind: Alive, SensorID: "0004a30b001c0530", At: at, Battery: &battery, Fields: fields}},
		"no battery":       {"status", head + `,"externalPowerSource":true}`, Message{Kind: Alive, SensorID: "0004a30b001c0530", At: at, Fields: fields}},
		"unknown battery":  {"status", head + `,"batteryLevelUnavailable":true}`, Message{Kind: Alive, SensorID: "0004a30b001c0530", At: at, Fields: fields}},
		"a device joins":   {"join", head + `,"devAddr":"00189440"}`, Message{Kind: Alive, SensorID: "0004a30b001c0530", At: at, Fields: fields}},
		"acknowledgement":  {"ack", head + `,"acknowledged":true}`, Message{Kind: Ignored, Fields: fields}},
		"an event to come": {"tomorrow", `x`, Message{Kind: Ignored, Fields: fields}},
	} {
		got, err := ChirpStack(c.event, []byte(c.text))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", name, got, err, c.want)
		}
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	chirpStack := func(text []byte) (Message, error) { return ChirpStack("up", text) }
	for _, c := range []struct {
		read        func([]byte) (Message, error)
		text, field string
	}{
		{TheThingsStack, ``, ""},
		{TheThingsStack, `{"end_device_ids"`, ""},
		{TheThingsStack, `[]`, ""},
		{TheThingsStack, `{}`, "end_device_ids.dev_eui"},
		{TheThingsStack, `{"end_device_ids":{"dev_eui":7}}`, "end_device_ids.dev_eui"},
		{TheThingsStack, `{"end_device_ids":{"dev_eui":"a"},"uplink_message":{}}`, "uplink_message.received_at"},
		{TheThingsStack, `{"end_device_ids":{"dev_eui":"a"},"uplink_message":{"received_at":"0001-01-01T00:00:00Z"}}`, "uplink_message.received_at"},
		{TheThingsStack, `{"end_device_ids":{"dev_eui":"a"},"uplink_message":{"received_at":"2026-01-01T00:00:00Z","frm_payload":"?"}}`, "uplink_message.frm_payload"},
		{TheThingsStack, `{"end_device_ids":{"dev_eui":"a"},"uplink_message":{"f_port":"1"}}`, "uplink_message.f_port"},
		{chirpStack, `null`, "deviceInfo.devEui"},
		{chirpStack, `{"deviceInfo":{"devEui":"a"}}`, "time"},
		{chirpStack, `{"deviceInfo":{"devEui":"a"},"time":"yesterday"}`, "time"},
		{chirpStack, `{"deviceInfo":{"devEui":"a"},"time":"2026-01-01T00:00:00Z","data":"AQ"}`, "data"},
		{chirpStack, `{"deviceInfo":{"devEui":"a"},"fCnt":1.5}`, "fCnt"},
	} {
		_, err := c.read([]byte(c.text))
		var e Error
		if !errors.As(err, &e) || e.Field != c.field || e.Reason == "" {
			t.Errorf("%s: %#v; the field at fault is %q", c.text, err, c.field)
		}
	}
}

// Whatever comes is a message with a sensor, or an [Error].
func FuzzMessages(f *testing.F) {
	for _, text := range []string{ttnUplink, chirpStackUplink, `{"end_device_ids":{"device_id":"\u0000"},"join_accept":{"received_at":"9999-12-31T23:59:59Z"}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for name, read := range map[string]func([]byte) (Message, error){
			"The Things Stack": TheThingsStack, "up": func(b []byte) (Message, error) { return ChirpStack("up", b) },
			"status": func(b []byte) (Message, error) { return ChirpStack("status", b) },
		} {
			m, err := read(text)
			var e Error
			if err != nil && (!errors.As(err, &e) || e.Error() == "") {
				t.Fatalf("%s: %v", name, err)
			}
			if err == nil && m.Kind != Ignored && (m.SensorID == "" || m.At.Year() < 1970 || len(m.Key) > 200) {
				t.Fatalf("%s: %+v", name, m)
			}
		}
	})
}
