package sensor

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"
)

// The examples are those of the Device Repository for LoRaWAN where there are any.
func TestWhatSensorsSay(t *testing.T) {
	const m, h = time.Minute, time.Hour
	for _, c := range []struct {
		model  string
		port   int
		bytes  string
		object string
		want   Message
	}{
		{"bosch-tps110", 1, "01", "", Message{Kind: Status, Seen: true, Occupied: true}},
		{"bosch-tps110", 1, "00", "", Message{Kind: Status, Seen: true}},
		{"bosch-tps110", 1, "fe", "", Message{Kind: Status, Seen: true}},
		{"bosch-tps110", 2, "01ff", "", Message{Kind: Heartbeat, Seen: true, Occupied: true}},
		{"bosch-tps110", 2, "00", "", Message{Kind: Heartbeat, Seen: true}},
		{"bosch-tps110", 3, "2403000075030000000000000" + "01d020301", "", Message{Kind: StartUp, Seen: true, Occupied: true}},
		{"bosch-tps110", 3, "2403000075030000000000000" + "01d020300", "", Message{Kind: StartUp, Seen: true}},
		{"bosch-tps110", 6, "", "", Message{Kind: Information}},
		{"bosch-tps110", 0, "", "", Message{Kind: Information}}, // an empty uplink
		{"nwave-nps405", 1, "95", "", Message{Kind: Status, Seen: true, Occupied: true, Before: 74 * m}},
		{"nwave-nps405", 1, "00", "", Message{Kind: Status, Seen: true}},
		{"nwave-nps405", 1, "b2", "", Message{Kind: Status, Seen: true, Before: 89 * m}},
		{"nwave-nps405", 1, "b4", "", Message{Kind: Status, Seen: true, Before: 90 * m, BeforeError: 4 * m}},
		{"nwave-nps405", 1, "ee", "", Message{Kind: Status, Seen: true, Before: 235 * m, BeforeError: 4 * m}},
		{"nwave-nps405", 1, "f0", "", Message{Kind: Status, Seen: true, Before: 4 * h, BeforeError: 59 * m}},
		{"nwave-nps405", 1, "fd", "", Message{Kind: Status, Seen: true, Occupied: true, Before: 10 * h, BeforeError: 59 * m}},
		{"nwave-nps405", 1, "ff", "", Message{Kind: Status, Seen: true, Occupied: true, Before: 11 * h, BeforeError: -1}},
		{"nwave-nps405", 2, "00d3d800590b", "", Message{Kind: Heartbeat, Seen: true, Volts: 3.344}},
		{"nwave-nps405", 2, "01", "", Message{Kind: Heartbeat, Seen: true, Occupied: true}},
		{"nwave-nps405", 3, "0204090200", "", Message{Kind: StartUp, Seen: true}},
		{"nwave-nps405", 10, "d1201f345678", "", Message{Kind: Information, Seen: true, Occupied: true, Before: 160 * m, BeforeError: 4 * m}},
		{"nwave-nps405", 10, "d0201f345678", "", Message{Kind: Information}},
		{"nwave-nps405", 6, "1234", "", Message{Kind: Information}},

		{Decoded, 1, "", `{"occupied":true,"battery_voltage":3.6}`, Message{Seen: true, Occupied: true, Volts: 3.6}},
		{Decoded, 9, "ff", `{"occupied":0}`, Message{Seen: true}},
		{Decoded, 2, "", `{"type":"heartbeat"}`, Message{Kind: Heartbeat, Seen: true}}, // false was left out
		{Decoded, 6, "", `{"type":"debug"}`, Message{Kind: Information}},
		{Decoded, 1, "", `{"type":"user_registration","occupied":null}`, Message{Kind: Information}},
		{"bosch-tps110", 1, "01", `{"occupied":false}`, Message{Kind: Status, Seen: true, Occupied: true}}, // the bytes come first
		{"bosch-tps110", 1, "", `{"type":"parking status","occupied":true}`, Message{Kind: Status, Seen: true, Occupied: true}},
	} {
		bytes, err := hex.DecodeString(c.bytes)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Payload{Port: c.port, Bytes: bytes, Object: []byte(c.object)}.Decode(c.model)
		if err != nil || got != c.want {
			t.Errorf("%s, port %d, %q %s is %+v, %v; it says %+v", c.model, c.port, c.bytes, c.object, got, err, c.want)
		}
	}
}

func TestWhatCannotBeDecodedIsNoState(t *testing.T) {
	for _, c := range []struct {
		model  string
		port   int
		bytes  string
		object string
		words  string
	}{
		{"bosch-tps110", 1, "", "", "1 bytes at least; this has 0"},
		{"bosch-tps110", 3, strings.Repeat("00", 16), "", "17 bytes at least; this has 16"},
		{"bosch-tps110", 7, "01", "", "nothing on port 7"},
		{"bosch-tps110", 0, "01", "", "nothing on port 0"},
		{"nwave-nps405", 2, "", "", "1 bytes at least"},
		{"nwave-nps405", 3, "02040902", "", "5 bytes at least; this has 4"},
		{"nwave-nps405", 4, "00", "", "nothing on port 4"},
		{Decoded, 1, "01", "", "did not decode it"},
		{Decoded, 1, "", `{"temperature":3}`, `does not say "occupied"`},
		{Decoded, 1, "", `{"occupied":"yes"}`, "must be true or false"},
		{Decoded, 1, "", `[1]`, "no object"},
		{"abc", 1, "01", "", `no model "abc"`},
	} {
		bytes, _ := hex.DecodeString(c.bytes)
		got, err := Payload{Port: c.port, Bytes: bytes, Object: []byte(c.object)}.Decode(c.model)
		if err == nil || got != (Message{}) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s, port %d, %q %s: %+v, %v; the error is to say %q", c.model, c.port, c.bytes, c.object, got, err, c.words)
		}
	}
}

// Whatever comes, a decoder says what it makes of it or why it makes nothing, and never that a spot is free by leaving that open.
func FuzzDecoders(f *testing.F) {
	for _, bytes := range []string{"", "\x01", "\x95", "\x01\xff", strings.Repeat("\x00", 17), `{"occupied":true}`, `{"type":"heartbeat"}`} {
		f.Add(1, []byte(bytes))
		f.Add(3, []byte(bytes))
	}
	f.Fuzz(func(t *testing.T, port int, bytes []byte) {
		for _, model := range Models() {
			for _, p := range []Payload{{Port: port, Bytes: bytes}, {Port: port, Object: bytes}} {
				m, err := p.Decode(model)
				if err != nil && m != (Message{}) || m.Occupied && !m.Seen || m.Before < 0 || m.Before > 11*time.Hour {
					t.Fatalf("%s, %+v: %+v, %v", model, p, m, err)
				}
			}
		}
	})
}
