package hostile

import "strings"

const ingest = `{"scope":"ingest"}`

func ttn(body string) func(*world) string {
	return post("/api/v1/ingest/ttn", body).by(forgery{claims: ingest})
}

// uplink is a message of The Things Stack of the Bosch sensor, with these fields of its uplink.
func uplink(fields string) func(*world) string {
	return ttn(`{"end_device_ids":{"dev_eui":"` + strings.ToUpper(bosch) + `"},"uplink_message":{` + fields + `}}`)
}

func chirpstack(event, body string) func(*world) string {
	return post("/api/v1/ingest/chirpstack"+event, body).by(forgery{claims: ingest})
}

// up is a ChirpStack uplink of a sensor, with these fields.
func up(sensor, fields string) func(*world) string {
	return chirpstack("?event=up", `{"deviceInfo":{"devEui":"`+sensor+`"},"time":"2026-01-01T00:00:00Z",`+fields+`}`)
}

const at = `"received_at":"2026-01-01T00:00:00Z",`

var webhooks = group{
	title: "Webhooks",
	about: "With a token of the scope `ingest`. A message that cannot be read is refused; what a sensor says that is not known, or says nonsense, is rejected as a reading is.",
	attacks: []attack{
		{"The Things Stack: nothing", ttn(""), "400 invalid-body", ""},
		{"half a message", ttn(`{"end_device_ids":`), "400 invalid-body", ""},
		{"a list", ttn(`[]`), "400 invalid-body", ""},
		{"a form", post("/api/v1/ingest/ttn", "a=b", "Content-Type: application/x-www-form-urlencoded").by(forgery{claims: ingest}), "415 media-type (Content-Type)", ""},
		{"no device", ttn(`{"uplink_message":{}}`), "400 invalid-field (end_device_ids.dev_eui)", ""},
		{"a device that is a number", ttn(`{"end_device_ids":{"dev_eui":1}}`), "400 invalid-field (end_device_ids.dev_eui)", ""},
		{"a device that is not registered", ttn(`{"end_device_ids":{"dev_eui":"70B3D57ED0000000"},"uplink_message":{` + at + `"f_port":1,"frm_payload":"AQ=="}}`), "200 1 rejected (end_device_ids.dev_eui)", ""},
		{"a device with NUL", ttn(`{"end_device_ids":{"dev_eui":"a\u0000b"},"uplink_message":{` + at + `"f_port":1,"frm_payload":"AQ=="}}`), "200 1 rejected (end_device_ids.dev_eui)", ""},
		{"a device of 10,000 characters", ttn(`{"end_device_ids":{"dev_eui":"` + strings.Repeat("a", 10_000) + `"},"uplink_message":{` + at + `"f_port":1,"frm_payload":"AQ=="}}`), "200 1 rejected (end_device_ids.dev_eui)", ""},
		{"no time", uplink(`"f_port":1,"frm_payload":"AQ=="`), "400 invalid-field (uplink_message.received_at)", ""},
		{"a time that is none", uplink(`"received_at":"now","f_port":1,"frm_payload":"AQ=="`), "400 invalid-field (uplink_message.received_at)", ""},
		{"a time of next year", uplink(`"received_at":"2999-01-01T00:00:00Z","f_port":1,"frm_payload":"AQ=="`), "200 1 rejected (uplink_message.received_at)", ""},
		{"a payload that is no base64", uplink(at + `"f_port":1,"frm_payload":"???"`), "400 invalid-field (uplink_message.frm_payload)", ""},
		{"a port that is none", uplink(at + `"f_port":200,"frm_payload":"AQ=="`), "200 1 rejected (uplink_message.frm_payload)", ""},
		{"a port that is a text", uplink(at + `"f_port":"1"`), "400 invalid-field (uplink_message.f_port)", ""},
		{"an empty payload", uplink(at + `"f_port":1,"frm_payload":""`), "200 1 rejected (uplink_message.frm_payload)", ""},
		{"a start-up message of two bytes", uplink(at + `"f_port":3,"frm_payload":"AQE="`), "200 1 rejected (uplink_message.frm_payload)", ""},
		{"a counter beyond 64 bits", uplink(at + `"f_port":1,"f_cnt":1e30,"frm_payload":"AQ=="`), "400 invalid-field (uplink_message.f_cnt)", ""},
		{"a signal of 1e999", uplink(at + `"f_port":1,"frm_payload":"AQ==","rx_metadata":[{"rssi":1e999}]`), "400 invalid-field (uplink_message.rx_metadata.rssi)", ""},
		{"100,000 lists in each other", uplink(`"decoded_payload":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), "400 invalid-body", ""},
		{"a token in the address", post("/api/v1/ingest/ttn?access_token=x", `{}`).anonymously, "401 token-required", ""},
		{"ChirpStack: without saying which event", chirpstack("", `{}`), "400 invalid-parameter (event)", ""},
		{"two events", chirpstack("?event=up&event=join", `{}`), "400 invalid-parameter (event)", ""},
		{"an event that is none", chirpstack("?event=explosion", `{}`), "200", ""},
		{"no device", chirpstack("?event=up", `{"time":"2026-01-01T00:00:00Z"}`), "400 invalid-field (deviceInfo.devEui)", ""},
		{"a device that is not registered", up("70b3d57ed0000000", `"fPort":1,"data":"AQ=="`), "200 1 rejected (deviceInfo.devEui)", ""},
		{"a device that stands on no spot", up(nwave, `"fPort":1,"data":"AQ=="`), "200 1 rejected (deviceInfo.devEui)", ""},
		{"data that are no base64", up(bosch, `"fPort":1,"data":"\u0000"`), "400 invalid-field (data)", ""},
		{"data of no length", up(bosch, `"fPort":1,"data":""`), "200 1 rejected (data)", ""},
		{"an object that does not say the state", up(decoded, `"object":{"a":1}`), "200 1 rejected (data)", ""},
		{"an object whose state is a text", up(decoded, `"object":{"occupied":"yes"}`), "200 1 rejected (data)", ""},
		{"an object that is a text", up(decoded, `"object":"occupied"`), "200 1 rejected (data)", ""},
		{"receptions that are an object", up(bosch, `"fPort":1,"data":"AQ==","rxInfo":{}`), "400 invalid-field (rxInfo)", ""},
		{"a battery of a text", chirpstack("?event=status", `{"deviceInfo":{"devEui":"`+bosch+`"},"time":"2026-01-01T00:00:00Z","batteryLevel":"full"}`), "400 invalid-field (batteryLevel)", ""},
	},
}
