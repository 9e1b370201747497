package parking_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parkwire/internal/parking"
)

// eui is that of the sensor in most tests; network servers write it in either case.
const (
	eui      = "0004a30b001c0530"
	eui4TTN  = "0004A30B001C0530"
	ttn      = "/api/v1/ingest/ttn"
	stackUp  = "/api/v1/ingest/chirpstack?event=up"
	stackSay = "/api/v1/ingest/chirpstack?event="
)

func (p *platform) addSensor(t *testing.T, id, spotID string) sensor {
	t.Helper()
	s := body{"id": id, "model": "bosch-tps110"}
	if spotID != "" {
		s["spotId"] = spotID
	}
	return do[sensor](t, p, 201, "POST", "/api/v1/sensors", s)
}

// ttnUplink is as The Things Stack sends it: what is 0 is not there.
func ttnUplink(eui string, at time.Time, counter, port int, payload ...byte) body {
	up := body{"session_key_id": "AXA50tHUSfcLHLHk", "received_at": at.Format(time.RFC3339Nano), "rx_metadata": []body{{"rssi": -35, "snr": 5}}}
	for name, n := range map[string]int{"f_cnt": counter, "f_port": port} {
		if n != 0 {
			up[name] = n
		}
	}
	if len(payload) > 0 {
		up["frm_payload"] = base64.StdEncoding.EncodeToString(payload)
	}
	return body{"end_device_ids": body{"device_id": "bay", "dev_eui": eui}, "received_at": at.Add(time.Second).Format(time.RFC3339Nano), "uplink_message": up}
}

func stackEvent(key, eui string, at time.Time, more body) body {
	b := body{"deduplicationId": key, "time": at.Format(time.RFC3339Nano), "deviceInfo": body{"devEui": eui}}
	for name, v := range more {
		b[name] = v
	}
	return b
}

func TestSensorsAreRegisteredListedMovedAndRemoved(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "A", "B")
	w := p.send("POST", "/api/v1/sensors", body{"id": eui4TTN, "model": "bosch-tps110", "spotId": "A"})
	if w.Code != 201 || w.Header().Get("Location") != "/api/v1/sensors/"+eui || w.Header().Get("ETag") == "" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	for _, written := range []string{eui, eui4TTN} {
		if got := do[sensor](t, p, 200, "GET", "/api/v1/sensors/"+written, nil); got.ID != eui || got.SpotID != "A" || !got.AddedAt.Equal(noon) || !got.LastSeenAt.IsZero() {
			t.Errorf("%s: %+v", written, got)
		}
	}
	p.refused(t, 409, "id-taken", "id", "POST", "/api/v1/sensors", body{"id": eui, "model": "nwave-nps405"})
	for i := range 3 {
		p.addSensor(t, fmt.Sprint("s", i), "B")
	}
	first := do[pageOf[sensor]](t, p, 200, "GET", "/api/v1/sensors?limit=3", nil)
	rest := do[pageOf[sensor]](t, p, 200, "GET", "/api/v1/sensors?limit=3&cursor="+first.Next, nil)
	if len(first.Items) != 3 || len(rest.Items) != 1 || rest.Next != "" || rest.Items[0].ID != "s2" {
		t.Errorf("%+v then %+v", first, rest)
	}
	if on := do[pageOf[sensor]](t, p, 200, "GET", "/api/v1/sensors?spot=B", nil); len(on.Items) != 3 {
		t.Errorf("on B: %+v", on)
	}
	tag := w.Header().Get("ETag")
	if got := do[sensor](t, p, 200, "PATCH", "/api/v1/sensors/"+eui4TTN, body{"spotId": "B"}, "If-Match", tag); got.SpotID != "B" || got.Model != "bosch-tps110" {
		t.Errorf("moved: %+v", got)
	}
	p.refused(t, 412, "version-mismatch", "", "PATCH", "/api/v1/sensors/"+eui, body{"spotId": nil}, "If-Match", tag)
	if got := do[sensor](t, p, 200, "PATCH", "/api/v1/sensors/"+eui, body{"spotId": nil, "model": "decoded"}); got.SpotID != "" || got.Model != "decoded" {
		t.Errorf("taken away: %+v", got)
	}
	do[nothing](t, p, 204, "DELETE", "/api/v1/sensors/"+eui, nil)

	for _, c := range []struct {
		method, path string
		content      any
		status       int
		slug, field  string
	}{
		{"GET", "/api/v1/sensors/" + eui, nil, 404, "sensor-not-found", ""},
		{"DELETE", "/api/v1/sensors/" + eui, nil, 404, "sensor-not-found", ""},
		{"PATCH", "/api/v1/sensors/" + eui, body{}, 404, "sensor-not-found", ""},
		{"PATCH", "/api/v1/sensors/s1", body{"model": nil}, 400, "invalid-field", "model"},
		{"PATCH", "/api/v1/sensors/s1", body{"spotId": "no"}, 400, "invalid-field", "spotId"},
		{"PATCH", "/api/v1/sensors/s1", body{"id": "s2"}, 400, "unknown-field", "id"},
		{"POST", "/api/v1/sensors", body{"id": "x"}, 400, "invalid-field", "model"},
		{"POST", "/api/v1/sensors", body{"id": "x", "model": "abc"}, 400, "invalid-field", "model"},
		{"POST", "/api/v1/sensors", body{"id": "a/b", "model": "decoded"}, 400, "invalid-field", "id"},
		{"POST", "/api/v1/sensors", body{"id": "x", "model": "decoded", "spotId": "no"}, 400, "invalid-field", "spotId"},
		{"GET", "/api/v1/sensors?lot=l", nil, 400, "unknown-parameter", "lot"},
		{"PUT", "/api/v1/sensors/s1", body{}, 405, "method-not-allowed", ""},
	} {
		p.refused(t, c.status, c.slug, c.field, c.method, c.path, c.content)
	}
	p.act(t, "A", "close")
	do[nothing](t, p, 204, "DELETE", "/api/v1/spots/A", nil)
	p.refused(t, 400, "invalid-field", "spotId", "PATCH", "/api/v1/sensors/s1", body{"spotId": "A"})
	p.scopes = "ingest"
	p.refused(t, 403, "scope-missing", "", "GET", "/api/v1/sensors", nil)
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

// counted is what became of one message.
func (p *platform) counted(t *testing.T, path string, message any) string {
	t.Helper()
	got := do[ingested](t, p, 200, "POST", path, message)
	text := fmt.Sprintf("%d accepted, %d unchanged, %d late, %d rejected", got.Accepted, got.Unchanged, got.Late, got.Rejected)
	for _, e := range got.Errors {
		text += fmt.Sprintf("; line %d, %s, %s, %s", e.Line, e.SpotID, e.SensorID, e.Field)
		if e.Reason == "" {
			t.Errorf("no reason: %+v", got)
		}
	}
	return text
}

func (p *platform) expect(t *testing.T, want, path string, message any) {
	t.Helper()
	if got := p.counted(t, path, message); got != want {
		t.Errorf("%s %v: %s; it is to be %s", path, message, got, want)
	}
}

const (
	accepted  = "1 accepted, 0 unchanged, 0 late, 0 rejected"
	unchanged = "0 accepted, 1 unchanged, 0 late, 0 rejected"
	late      = "0 accepted, 0 unchanged, 1 late, 0 rejected"
	rejected  = "0 accepted, 0 unchanged, 0 late, 1 rejected"
	ignored   = "0 accepted, 0 unchanged, 0 late, 0 rejected"
)

func TestUplinksMoveTheSpotThatTheSensorStandsOn(t *testing.T) {
	p := newPlatform(t)
	p.scopes = "operate"
	p.addLot(t, "l", "A", "B")
	p.addSensor(t, eui, "A")
	at := func(s int) time.Time { return noon.Add(time.Duration(s-60) * time.Second) }

	p.expect(t, accepted, ttn, ttnUplink(eui4TTN, at(1), 0, 1, 1))
	p.expect(t, unchanged, ttn, ttnUplink(eui4TTN, at(2), 1, 2, 1, 25)) // a heartbeat
	p.expect(t, unchanged, ttn, ttnUplink(eui4TTN, at(2), 1, 2, 1, 25)) // delivered again
	p.expect(t, accepted, ttn, ttnUplink(eui4TTN, at(3), 2, 1, 0))
	p.expect(t, late, ttn, ttnUplink(eui4TTN, at(1), 0, 1, 1)) // delivered again, much later
	p.expect(t, accepted, stackUp, stackEvent("k1", eui, at(4), body{"fCnt": 7, "fPort": 1, "data": "AQ==", "rxInfo": []body{{"rssi": -110, "snr": -3.5}}}))
	p.expect(t, unchanged, stackUp, stackEvent("k1", eui, at(4), body{"fCnt": 7, "fPort": 1, "data": "AQ=="}))
	p.expect(t, unchanged, stackUp, stackEvent("k1", eui, at(5), body{"fCnt": 7, "fPort": 1, "data": "AA=="})) // the key decides
	// The sensor was reset: its counter begins again, and time goes on.
	p.expect(t, accepted, stackUp, stackEvent("k2", eui, at(6), body{"fPort": 1, "data": "AA=="}))
	if got := p.spot(t, "A"); got.Status != "free" || got.SensorID != eui || !got.LastObservedAt.Equal(at(6)) || got.Version != 5 {
		t.Errorf("A: %+v", got)
	}
	got := do[sensor](t, p, 200, "GET", "/api/v1/sensors/"+eui, nil)
	if !got.LastSeenAt.Equal(at(6)) || *got.RSSI != -110 || *got.SNR != -3.5 {
		t.Errorf("the sensor: %+v", got)
	}

	do[sensor](t, p, 200, "PATCH", "/api/v1/sensors/"+eui, body{"spotId": "B"})
	p.expect(t, accepted, stackUp, stackEvent("k3", eui, at(7), body{"fPort": 1, "data": "AQ=="}))
	if a, b := p.spot(t, "A"), p.spot(t, "B"); a.Status != "free" || b.Status != "occupied" {
		t.Errorf("after the move: %+v, %+v", a, b)
	}
}

func TestOtherMessagesAreSignsOfLife(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "A")
	p.addSensor(t, eui, "A")
	p.addSensor(t, "spare", "")
	p.expect(t, accepted, ttn, ttnUplink(eui, noon, 1, 1, 1))
	p.expect(t, unchanged, stackSay+"status", stackEvent("k", eui, noon.Add(time.Second), body{"margin": 10, "batteryLevel": 87.5}))
	p.expect(t, unchanged, stackSay+"join", stackEvent("k", eui, noon.Add(2*time.Second), nil))
	p.expect(t, unchanged, ttn, body{"end_device_ids": body{"dev_eui": eui}, "received_at": noon.Add(3 * time.Second).Format(time.RFC3339), "join_accept": body{}})
	p.expect(t, unchanged, ttn, ttnUplink(eui, noon.Add(4*time.Second), 2, 6, 1, 2, 3)) // debug
	p.expect(t, unchanged, ttn, ttnUplink("spare", noon, 2, 6))
	for _, event := range []string{"ack", "txack", "log", "location", "integration", "tomorrow"} {
		p.expect(t, ignored, stackSay+event, body{"x": 1})
	}
	p.expect(t, ignored, ttn, body{"end_device_ids": body{"dev_eui": eui}, "downlink_sent": body{}})
	if got := p.spot(t, "A"); got.Version != 2 || !got.LastObservedAt.Equal(noon) {
		t.Errorf("the spot moved: %+v", got)
	}
	got := do[sensor](t, p, 200, "GET", "/api/v1/sensors/"+eui, nil)
	if *got.BatteryPercent != 87.5 || !got.LastSeenAt.Equal(noon.Add(4*time.Second)) {
		t.Errorf("the sensor: %+v", got)
	}
	// A reading from before the signs of life still counts.
	p.expect(t, accepted, ttn, ttnUplink(eui, noon.Add(500*time.Millisecond), 3, 1, 0))
	if got := p.spot(t, "A"); got.Status != "free" {
		t.Errorf("after a reading that came late: %+v", got)
	}
}

func TestASilentSensorMakesItsSpotUnknownAndSignsOfLifeKeepItKnown(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "A", "B")
	do[lot](t, p, 200, "PATCH", "/api/v1/lots/l", body{"heartbeatSeconds": 60})
	p.addSensor(t, "a", "A")
	p.addSensor(t, "b", "B")
	p.expect(t, accepted, ttn, ttnUplink("a", noon, 1, 1, 1))
	p.expect(t, accepted, ttn, ttnUplink("b", noon, 1, 1, 1))
	p.clock.advance(50 * time.Second)
	p.expect(t, unchanged, stackSay+"status", stackEvent("k", "a", p.clock.Now(), nil))
	p.clock.advance(50 * time.Second)
	p.run(t)
	eventually(t, "B is unknown", func() bool { return p.spot(t, "B").Status == "unknown" })
	if got := p.spot(t, "A"); got.Status != "occupied" {
		t.Errorf("A, whose sensor lives: %+v", got)
	}
	// It lives, and says nothing of vehicles: unknown it stays, never free.
	p.expect(t, unchanged, stackSay+"join", stackEvent("k", "b", p.clock.Now(), nil))
	if got := p.spot(t, "B"); got.Status != "unknown" {
		t.Errorf("B after a sign of life: %+v", got)
	}
	p.expect(t, accepted, ttn, ttnUplink("b", p.clock.Now(), 9, 2, 0)) // a heartbeat says what there is
	if got := p.changesOf(t, "B"); !slices.Equal(got, []string{"added/free", "occupied/occupied", "signal_lost/unknown", "signal_restored/free"}) {
		t.Errorf("B: %v", got)
	}
}

func TestWhatCannotBeTakenIsSaidWithItsField(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "A", "gone")
	p.addSensor(t, eui, "A")
	p.addSensor(t, "spare", "")
	p.addSensor(t, "orphan", "gone")
	do[nothing](t, p, 204, "DELETE", "/api/v1/spots/gone", nil)
	const sensorTTN, payloadTTN = "end_device_ids.dev_eui", "uplink_message.frm_payload"
	p.expect(t, rejected+"; line 1, , no, "+sensorTTN, ttn, ttnUplink("no", noon, 1, 1, 1))
	p.expect(t, rejected+"; line 1, , a\x00b, "+sensorTTN, ttn, ttnUplink("a\x00b", noon, 1, 1, 1))
	p.expect(t, rejected+"; line 1, , spare, "+sensorTTN, ttn, ttnUplink("spare", noon, 1, 1, 1))
	p.expect(t, rejected+"; line 1, gone, orphan, "+sensorTTN, ttn, ttnUplink("orphan", noon, 1, 1, 1))
	p.expect(t, rejected+"; line 1, A, "+eui+", "+payloadTTN, ttn, ttnUplink(eui, noon, 1, 99, 1))
	p.expect(t, rejected+"; line 1, A, "+eui+", "+payloadTTN, ttn, ttnUplink(eui, noon.Add(time.Second), 2, 3, 1))
	p.expect(t, rejected+"; line 1, A, "+eui+", uplink_message.received_at", ttn, ttnUplink(eui, noon.Add(time.Hour), 3, 1, 1))
	p.expect(t, rejected+"; line 1, , no, deviceInfo.devEui", stackUp, stackEvent("k", "no", noon, nil))
	p.expect(t, rejected+"; line 1, A, "+eui+", data", stackUp, stackEvent("k", eui, noon, body{"fPort": 99, "data": "AA=="}))
	p.expect(t, accepted, stackUp, stackEvent("k", eui, noon, body{"fPort": 1, "data": "AQ=="})) // what was rejected is not known

	for _, c := range []struct {
		path, field, slug string
		content           any
	}{
		{ttn, "", "invalid-body", ""},
		{ttn, "", "invalid-body", "{"},
		{ttn, "", "invalid-body", "[]"},
		{ttn, "end_device_ids.dev_eui", "invalid-field", body{}},
		{ttn, "x", "unknown-parameter", nil},
		{"/api/v1/ingest/chirpstack", "event", "invalid-parameter", body{}},
		{stackUp, "time", "invalid-field", body{"deviceInfo": body{"devEui": "a"}}},
		{stackUp, "data", "invalid-field", stackEvent("k", eui, noon, body{"data": "?"})},
	} {
		path := c.path
		if c.slug == "unknown-parameter" {
			path += "?x=1"
		}
		p.refused(t, 400, c.slug, c.field, "POST", path, c.content)
	}
	p.refused(t, 415, "media-type", "Content-Type", "POST", ttn, body{}, "Content-Type", "application/octet-stream")
	p.scopes = "read"
	p.refused(t, 403, "scope-missing", "", "POST", ttn, body{})
}

func TestMessagesOverMQTTAreTakenByWhatIsInThem(t *testing.T) {
	p := newPlatform(t)
	p.addLot(t, "l", "A", "B", "C")
	p.addSensor(t, "a", "A")
	p.addSensor(t, "b", "B")
	const topic = "application/1/device/b/event/"
	refused, err := p.service.Deliver(t.Context(), []parking.Message{
		{Topic: "v3/app@ttn/devices/bay/up", Payload: encode(ttnUplink("a", noon, 1, 1, 1))},
		{Topic: topic + "up", Payload: encode(stackEvent("k", "b", noon, body{"fPort": 1, "data": "AQ=="}))},
		{Topic: topic + "status", Payload: encode(stackEvent("k", "b", noon.Add(time.Second), body{"batteryLevel": 50}))},
		{Topic: topic + "ack", Payload: encode(stackEvent("k", "b", noon, nil))},
		{Topic: "any", Payload: encode(reading("C", true, noon))},
		{Topic: "any", Payload: encode(reading("D", true, noon))},
		{Topic: "any", Payload: []byte("\x08\x01")},
		{Topic: "any", Payload: []byte("{}")},
		{Topic: "any", Payload: encode(body{"spotId": "C"})},
		{Topic: topic + "up", Payload: encode(stackEvent("k", "no", noon, nil))},
		{Topic: topic + "up", Payload: encode(stackEvent("k", "b", noon, body{"data": 7}))},
		{Topic: "any", Payload: encode(reading("C", false, noon.Add(time.Second)))},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range refused {
		if (err != nil) != slices.Contains([]int{5, 6, 7, 8, 9, 10}, i) {
			t.Errorf("message %d: %v", i, err)
		}
	}
	for spot, want := range map[string]string{"A": "occupied", "B": "occupied", "C": "free"} {
		if got := p.spot(t, spot); got.Status != want {
			t.Errorf("%s: %+v", spot, got)
		}
	}
}

// In whatever order and however often readings come, the state is that of the newest one, and events go forward in time.
func TestReadingsOutOfOrderAndRepeatedNeverMoveAState(t *testing.T) {
	p := newPlatform(t)
	for round := range 20 {
		random := rand.New(rand.NewPCG(6, uint64(round)))
		id := fmt.Sprint("s", round)
		p.addLot(t, "l"+id, id)
		p.addSensor(t, id, id)
		var all []parking.Message
		last := false
		for i := range 30 {
			last = random.IntN(2) == 1
			payload := byte(0)
			if last {
				payload = 1
			}
			at := noon.Add(time.Duration(i-60) * time.Second)
			m := parking.Message{Topic: "t", Payload: encode(ttnUplink(id, at, random.IntN(3), 1, payload))} // a counter that means nothing
			if i%2 == 0 {
				m = parking.Message{Topic: "a/event/up", Payload: encode(stackEvent(fmt.Sprint(id, i), id, at, body{"fPort": 1, "data": base64.StdEncoding.EncodeToString([]byte{payload})}))}
			}
			for range 1 + random.IntN(3) {
				all = append(all, m)
			}
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for len(all) > 0 {
			n := 1 + random.IntN(len(all))
			if _, err := p.service.Deliver(t.Context(), all[:n]); err != nil {
				t.Fatal(err)
			}
			all = all[n:]
		}
		if got := p.spot(t, id); got.Status == "occupied" != last {
			t.Errorf("%s: %+v; the newest reading said %v", id, got, last)
		}
	}
	newest := map[string]time.Time{}
	events, _ := p.published(t)
	for _, e := range events {
		if e.ObservedAt.Before(newest[e.SpotID]) {
			t.Errorf("%s: an event of %v after one of %v", e.SpotID, e.ObservedAt, newest[e.SpotID])
		}
		newest[e.SpotID] = e.ObservedAt.Time
	}
}
