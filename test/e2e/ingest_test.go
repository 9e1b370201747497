package e2e

import (
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/twmb/franz-go/pkg/kadm"
	"golang.org/x/sync/errgroup"

	"parkwire/test/e2e/stack"
)

const pklotReadings = 105_843

// The same month of a real car park by three ways on which sensors of LoRaWAN come: the webhook of The Things Stack, that of
// ChirpStack, and MQTT. By each there are the same 28 first states and 2,132 changes. Under the race detector, and on real servers unless
// PARKWIRE_TEST_REPLAY is "all", only every twentieth of the readings that change nothing is sent.
func TestReplayThroughWebhooksAndMQTT(t *testing.T) {
	rows := readRows(t, stack.Data(t, pklot))
	t.Run("embedded", func(t *testing.T) {
		stack.WantEmbedded(t)
		broker := startBroker(t)
		replayThrough(t, stack.Embedded(t, "--rate-limit", "0", "--mqtt-url", "mqtt://"+broker.address, "--mqtt-client-id", "parking-1"), broker, rows)
	})
	t.Run("distributed", func(t *testing.T) {
		servers, broker := stack.RealServers(t), startBroker(t)
		s := stack.Assemble(t, servers, stack.Layout{Gateways: 2, Parking: 2, Live: 3, Env: func(name string) []string {
			if name != "parking 1" { // messages that two share lose their order
				return nil
			}
			return []string{"PARKWIRE_MQTT_URL=mqtt://" + broker.address, "PARKWIRE_MQTT_CLIENT_ID=parking-1"}
		}}, "--rate-limit", "0")
		s.StartAll(t)
		s.WaitAllReady(t)
		s.StartEdge(t)
		if os.Getenv("PARKWIRE_TEST_REPLAY") != "all" {
			rows = thinned(rows)
		}
		replayThrough(t, s, broker, rows)
	})
}

func replayThrough(t *testing.T, s *stack.Stack, broker broker, rows map[string][]row) {
	for _, way := range []struct {
		lot, model string
		send       func(t *testing.T, sensors []sensor)
	}{
		{"ttn", "bosch-tps110", func(t *testing.T, sensors []sensor) { post(t, s, "/api/v1/ingest/ttn", sensors, theThingsStack) }},
		{"chirpstack", "nwave-nps405", func(t *testing.T, sensors []sensor) {
			post(t, s, "/api/v1/ingest/chirpstack?event=up", sensors, chirpStack)
		}},
		{"mqtt", "bosch-tps110", func(t *testing.T, sensors []sensor) { broker.publish(t, sensors) }},
	} {
		t.Run(way.lot, func(t *testing.T) {
			t.Parallel() // their readings share commits
			client := s.WebSocket(t, "lot", way.lot)
			sensors := place(t, s, way.lot, way.model, rows)
			began := time.Now()
			way.send(t, sensors)
			frames := client.Count(t, pklotSpots+pklotChanges)
			t.Logf("%d readings took %v", count(sensors), time.Since(began).Round(time.Millisecond))
			checkChanges(t, frames, sensors)
			// One more change: had anything else come, it would be before it, or a moment behind.
			marker := s.Toggle(t, s.Spot(t, sensors[0].spot))
			client.Spot(t, marker.SpotID, marker.Version)
			if more := client.Frames()[len(frames):]; len(more) != 1 {
				t.Errorf("more than the changes came: %v", more)
			}
		})
	}
}

// A storm of readings that say what is known makes no event: nothing comes into the log, and nobody is sent anything.
func TestAStormOfUnchangedReadingsPublishesNothing(t *testing.T) {
	readings, spots := 250_000, 5_000
	if raced {
		readings = 25_000
	}
	s := stack.Embedded(t, "--rate-limit", "0")
	var ids []string
	for i := range spots {
		ids = append(ids, fmt.Sprintf("S-%04d", i))
	}
	client := s.WebSocket(t)
	s.AddLot(t, "l", ids...)
	client.Count(t, spots)
	before := ends(t, s)
	began := time.Now()
	var g errgroup.Group
	for from := 0; from < spots; from += 1000 { // at once, but those of one spot one after the other
		g.Go(func() error {
			for sweep := range readings / spots {
				at := began.Add(time.Duration(sweep)*time.Second - time.Hour).UTC().Format(time.RFC3339)
				batch := make([]string, 1000)
				for i := range batch {
					batch[i] = fmt.Sprintf(`{"spotId":%q,"occupied":false,"observedAt":%q}`, ids[from+i], at)
				}
				answer, err := s.Try("POST", "/api/v1/observations", "["+strings.Join(batch, ",")+"]")
				if err != nil {
					return err
				}
				if answer.Status != 200 || !strings.Contains(string(answer.Body), `"accepted":0,"unchanged":1000`) {
					return fmt.Errorf("%d %s", answer.Status, answer.Body)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	t.Logf("%d readings took %v: %.0f a second", readings, took.Round(time.Millisecond), float64(readings)/took.Seconds())
	marker := s.Act(t, ids[0], "occupy")
	client.Spot(t, marker.SpotID, marker.Version)
	if more := client.Frames()[spots:]; len(more) != 1 {
		t.Errorf("%d events came; only the operator's was to come", len(more))
	}
	if n := ends(t, s) - before; n != 1 {
		t.Errorf("%d events came into the log; only the operator's was to", n)
	}
}

// ends is how many records the event log has.
func ends(t *testing.T, s *stack.Stack) (n int64) {
	t.Helper()
	listed, err := kadm.NewClient(kafkaClient(t, s)).ListEndOffsets(t.Context(), s.Topic)
	if err != nil {
		t.Fatal(err)
	}
	listed.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

// The platform serves while the broker is away, and says so.
func TestTheBrokerOfSensorsMayBeAway(t *testing.T) {
	address := stack.Address(stack.Port(t))
	s := stack.Embedded(t, "--mqtt-url", "mqtt://someone:secret@"+address)
	status, reason := s.One.Readiness()
	if status != 200 || !strings.Contains(reason, "mqtt: degraded") || !strings.Contains(reason, address) {
		t.Errorf("%d %s", status, reason)
	}
	s.AddLot(t, "l", "A")
	s.Act(t, "A", "occupy")
	if strings.Contains(s.One.Log(), "secret") {
		t.Errorf("the password was logged:\n%s", s.One.Log())
	}
}

// row is one reading of the file.
type row struct {
	occupied bool
	at       time.Time
}

// readRows returns the readings by spot, each in order.
func readRows(t *testing.T, path string) map[string][]row {
	t.Helper()
	zone, err := time.LoadLocation(pklotZone)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows, total := map[string][]row{}, 0
	for _, line := range lines[1:] {
		at, err := time.ParseInLocation("2006-01-02T15:04:05", line[0], zone)
		if err != nil {
			t.Fatal(err)
		}
		rows[line[1]] = append(rows[line[1]], row{line[2] == "occupied", at.UTC()})
		total++
	}
	if len(rows) != pklotSpots || total != pklotReadings {
		t.Fatalf("the file has %d readings of %d spots; it is not the one whose answers are known", total, len(rows))
	}
	if raced {
		return thinned(rows)
	}
	return rows
}

// thinned leaves out most of the readings that change nothing. The answers stay the same.
func thinned(rows map[string][]row) map[string][]row {
	few := map[string][]row{}
	for spot, all := range rows {
		var some []row
		for i, r := range all {
			if i%20 == 0 || r.occupied != all[i-1].occupied {
				some = append(some, r)
			}
		}
		few[spot] = some
	}
	return few
}

// sensor is one with everything that it saw.
type sensor struct {
	eui, spot string
	rows      []row
}

// place adds a lot whose spots have their first status, each with a sensor.
func place(t *testing.T, s *stack.Stack, lot, model string, rows map[string][]row) (sensors []sensor) {
	t.Helper()
	s.AddLot(t, lot)
	var spots []map[string]any
	for i, name := range slices.Sorted(maps.Keys(rows)) {
		one := sensor{eui: fmt.Sprintf("%x%012x", lot[:2], i), spot: lot + "-" + name, rows: rows[name]}
		sensors = append(sensors, one)
		spots = append(spots, map[string]any{"spotId": one.spot, "status": one.rows[0].status(), "observedAt": one.rows[0].at})
	}
	s.Do(t, 201, "POST", "/api/v1/lots/"+lot+"/spots", spots, nil)
	for _, one := range sensors {
		s.Do(t, 201, "POST", "/api/v1/sensors", map[string]any{"id": one.eui, "model": model, "spotId": one.spot}, nil)
	}
	return sensors
}

func count(sensors []sensor) (n int) {
	for _, one := range sensors {
		n += len(one.rows)
	}
	return n
}

func (r row) status() string {
	if r.occupied {
		return "occupied"
	}
	return "free"
}

// payload is one byte with the state in bit 0, as both makers have it.
func (r row) payload() string {
	if r.occupied {
		return "AQ=="
	}
	return "AA=="
}

func theThingsStack(eui string, n int, r row) string {
	return fmt.Sprintf(`{"end_device_ids":{"device_id":"bay","application_ids":{"application_id":"parking"},"dev_eui":%q},"received_at":%q,
		"uplink_message":{"session_key_id":"AXA50tHUSfcLHLHk","f_port":1,"f_cnt":%d,"frm_payload":%q,"rx_metadata":[{"rssi":-65,"snr":9.2}],"received_at":%[2]q}}`,
		strings.ToUpper(eui), r.at.Format(time.RFC3339), n+1, r.payload())
}

func chirpStack(eui string, n int, r row) string {
	return fmt.Sprintf(`{"deduplicationId":"%s-%d","time":%q,"deviceInfo":{"applicationName":"parking","devEui":%[1]q},"fCnt":%[2]d,"fPort":1,"data":%[4]q,
		"rxInfo":[{"gatewayId":"0016c001f153a14c","rssi":-36,"snr":10.5}]}`, eui, n, r.at.Format(time.RFC3339), r.payload())
}

// post sends what sensors saw to a webhook: all sensors at once, the readings of each one after the other.
func post(t *testing.T, s *stack.Stack, path string, sensors []sensor, message func(eui string, n int, r row) string) {
	t.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: len(sensors)}}
	defer client.CloseIdleConnections()
	token := s.TokenFor(t, "ingest")
	var g errgroup.Group
	for _, one := range sensors {
		g.Go(func() error {
			for n, r := range one.rows {
				request, err := http.NewRequest("POST", s.URL+path, strings.NewReader(message(one.eui, n, r)))
				if err != nil {
					return err
				}
				request.Header.Set("Authorization", "Bearer "+token)
				request.Header.Set("Content-Type", "application/json")
				answer, err := client.Do(request)
				if err != nil {
					return err
				}
				text, err := io.ReadAll(answer.Body)
				answer.Body.Close()
				if err != nil || answer.StatusCode != 200 || !strings.Contains(string(text), `"late":0,"rejected":0`) {
					return fmt.Errorf("reading %d of %s is answered with %d %s, %v", n, one.spot, answer.StatusCode, text, err)
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// checkChanges compares what a client heard with what the sensors saw.
func checkChanges(t *testing.T, frames []stack.Frame, sensors []sensor) {
	t.Helper()
	heard := map[string][]string{}
	kinds := map[string]int{}
	for _, f := range frames {
		kinds[f.Change]++
		heard[f.SpotID] = append(heard[f.SpotID], fmt.Sprintf("%d %s %s", f.Version, f.Status, f.ObservedAt.UTC().Format(time.RFC3339)))
	}
	if kinds["added"] != pklotSpots || kinds["occupied"]+kinds["released"] != pklotChanges {
		t.Errorf("the events were %v; %d added and %d occupied or released were to come", kinds, pklotSpots, pklotChanges)
	}
	for _, one := range sensors {
		var seen []string
		last := ""
		for _, r := range one.rows {
			if status := r.status(); status != last {
				seen = append(seen, fmt.Sprintf("%d %s %s", len(seen)+1, status, r.at.Format(time.RFC3339)))
				last = status
			}
		}
		if !slices.Equal(heard[one.spot], seen) {
			t.Errorf("%s: heard were %d changes, seen were %d:\n%q\n%q", one.spot, len(heard[one.spot]), len(seen), heard[one.spot], seen)
		}
	}
}

// broker is an MQTT broker in this process.
type broker struct {
	*mochi.Server
	address string
}

// guest lets everybody in.
type guest struct{ mochi.HookBase }

func (*guest) Provides(what byte) bool {
	return what == mochi.OnConnectAuthenticate || what == mochi.OnACLCheck
}

func (*guest) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

func (*guest) OnACLCheck(*mochi.Client, string, bool) bool { return true }

func startBroker(t *testing.T) broker {
	t.Helper()
	s := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := s.AddHook(&guest{}, nil); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := s.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return broker{s, l.Address()}
}

// publish sends what sensors saw, each on the topic and in the form of one network server, or as a plain reading.
func (b broker) publish(t *testing.T, sensors []sensor) {
	t.Helper()
	eventually(t, time.Minute, "the subscription", func() bool { return b.Topics.Subscribers("parkwire/observations").Shared != nil })
	subscriber, there := b.Clients.Get("parking-1")
	if !there {
		t.Fatal("the platform is no client of the broker")
	}
	for n := 0; ; n++ {
		sent := 0
		for i, one := range sensors {
			if n >= len(one.rows) {
				continue
			}
			topic, text := "v3/parking@ttn/devices/bay/up", theThingsStack(one.eui, n, one.rows[n])
			switch i % 3 {
			case 1:
				topic, text = "application/1/device/"+one.eui+"/event/up", chirpStack(one.eui, n, one.rows[n])
			case 2:
				topic, text = "parkwire/observations", fmt.Sprintf(`{"spotId":%q,"occupied":%t,"observedAt":%q}`, one.spot, one.rows[n].occupied, one.rows[n].at.Format(time.RFC3339))
			}
			if err := b.Publish(topic, []byte(text), false, 1); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		if sent == 0 {
			return
		}
		if subscriber.State.Inflight.Len() > 4000 { // beyond 8,192 this broker throws away
			eventually(t, time.Minute, "acknowledgements", func() bool { return subscriber.State.Inflight.Len() < 2000 })
		}
	}
}
