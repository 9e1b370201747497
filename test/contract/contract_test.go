// Package contract runs programs of other people's making against the platform: npm's kafkajs, ioredis, ws and
// undici, and kcat. They know the topic parking-events, the channel notifications, the address
// /notifications and four fields, and nothing else; what they were promised years ago must hold.
package contract

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// envRequired makes the absence of Node, of the packages or of kcat a failure instead of a reason to skip.
const envRequired = "PARKWIRE_TEST_CONTRACT"

func TestMain(m *testing.M) { os.Exit(stack.Main(m)) }

// foreign are events as other programs write them. Each is delivered with every byte as it was.
var foreign = []string{
	`{"type":"ParkingSpotUpdated","spotId":"A-017","status":"occupied","timestamp":"2026-11-24T03:35:00.123Z"}`,
	`{"status":"free","timestamp":"2026-11-24T03:35:01Z","type":"ParkingSpotUpdated","spotId":"A-018"}`,
	`{ "type" : "ParkingSpotUpdated", "spotId" : "Straße 9 – платная 🅿", "status" : "maintenance", "timestamp" : "2026-11-24T04:35:02+01:00" }`,
	`{"type":"ParkingSpotUpdated","spotId":"A-019","status":"occupied","timestamp":"2026-11-24T03:35:03.000Z","battery":0.10,"serial":12345678901234567890,"tags":["a",{"b":null}],"note":"\u0041"}`,
	`{"type":"ParkingSpotUpdated","spotId":"A-020","status":"free","timestamp":1790000000}`,
}

func TestKafkaJSProducerReachesEveryClient(t *testing.T) {
	forEach(t, func(t *testing.T, s *stack.Stack) {
		clients := clients(t, s)
		run(t, foreign, "kafkajs-producer.js", s.Kafka, s.Topic)
		for name, client := range clients {
			check(t, name, client, foreign, withCursor)
		}
	})
}

func TestKcatProducerReachesEveryClient(t *testing.T) {
	kcat := installed(t, "kcat")
	forEach(t, func(t *testing.T, s *stack.Stack) {
		clients := clients(t, s)
		keyed := []string{`{"type":"ParkingSpotUpdated","spotId":"K-1","status":"free","timestamp":"2026-11-24T03:35:05Z"}`}
		feed(t, foreign, kcat, "-P", "-b", s.Kafka, "-t", s.Topic)
		feed(t, []string{"K-1|" + keyed[0]}, kcat, "-P", "-K", "|", "-b", s.Kafka, "-t", s.Topic)
		for name, client := range clients {
			check(t, name, client, append(slices.Clone(foreign), keyed...), withCursor)
		}
	})
}

func TestConsumersReadThePlatformsEvents(t *testing.T) {
	kcat := installed(t, "kcat")
	forEach(t, func(t *testing.T, s *stack.Stack) {
		consumer := start(t, "kafkajs-consumer.js", s.Kafka, s.Topic, s.Topic+"-old-group")
		s.AddLot(t, "read", "read-1", "read-2", "read-3")
		for _, id := range []string{"read-1", "read-2", "read-3"} {
			s.Act(t, id, "occupy")
		}
		for _, line := range consumer.count(t, 6) {
			var f stack.Frame
			if err := json.Unmarshal([]byte(line.Message), &f); err != nil || line.Key == nil || *line.Key != f.SpotID {
				t.Errorf("kafkajs got the key %v with %s; the key is the spotId", line.Key, line.Message)
			}
			checkFour(t, "kafkajs", f)
		}
		text := stack.Run(t, time.Minute, nil, kcat, "-C", "-e", "-q", "-b", s.Kafka, "-t", s.Topic, "-f", `%k|%s\n`)
		lines := strings.Split(strings.TrimSpace(text), "\n")
		if len(lines) != 6 {
			t.Errorf("kcat read %d records; 3 spots were added and occupied:\n%s", len(lines), text)
		}
		for _, line := range lines {
			key, value, _ := strings.Cut(line, "|")
			var f stack.Frame
			if err := json.Unmarshal([]byte(value), &f); err != nil || key != f.SpotID {
				t.Errorf("kcat got the key %q with %s", key, value)
			}
			checkFour(t, "kcat", f)
		}
	})
}

func TestIORedisSubscriberGetsEvents(t *testing.T) {
	forEach(t, func(t *testing.T, s *stack.Stack) {
		if s.Redis == "" {
			t.Skip("skipped: the bus is in memory here")
		}
		subscriber := start(t, "ioredis-subscriber.js", s.Redis, s.Channel)
		subscriber.ready(t)
		s.AddLot(t, "channel", "channel-1")
		s.Act(t, "channel-1", "occupy")
		run(t, foreign, "kafkajs-producer.js", s.Kafka, s.Topic)
		seen := map[string]stack.Frame{}
		for _, line := range subscriber.count(t, 2+len(foreign)) {
			var fields map[string]json.RawMessage
			var f stack.Frame
			if err := json.Unmarshal([]byte(line.Message), &fields); err != nil {
				t.Errorf("the subscriber got no JSON object: %s", line.Message)
				continue
			}
			for _, name := range []string{"type", "spotId", "status", "timestamp"} {
				if len(fields[name]) == 0 {
					t.Errorf("the subscriber got no field %q: %s", name, line.Message)
				}
			}
			json.Unmarshal([]byte(line.Message), &f) // a foreign timestamp may be no time
			seen[f.SpotID] = f
		}
		if seen["channel-1"].Status != "occupied" || seen["channel-1"].Type != "ParkingSpotUpdated" || seen["A-017"].Status != "occupied" {
			t.Errorf("the subscriber got %v", seen)
		}
	})
}

func TestIORedisPublisherReachesEveryClient(t *testing.T) {
	forEach(t, func(t *testing.T, s *stack.Stack) {
		if s.Redis == "" {
			t.Skip("skipped: the bus is in memory here")
		}
		clients := clients(t, s)
		run(t, foreign, "ioredis-publisher.js", s.Redis, s.Channel)
		for name, client := range clients {
			check(t, name, client, foreign, asItIs)
		}
	})
}

// withCursor is how a client gets an event that came through the log: one field more, at its end.
func withCursor(written, got string) bool {
	open := strings.TrimRight(strings.TrimSuffix(written, "}"), " ")
	rest, ok := strings.CutPrefix(got, open+`,"cursor":"`)
	return ok && strings.HasSuffix(rest, `"}`) && !strings.ContainsAny(strings.TrimSuffix(rest, `"}`), `",{}`)
}

// asItIs is how a client gets what another program put on the bus.
func asItIs(written, got string) bool { return written == got }

// check checks that a client got each of the messages once, and nothing else.
func check(t *testing.T, name string, client *program, written []string, same func(written, got string) bool) {
	t.Helper()
	client.count(t, len(written))
	time.Sleep(100 * time.Millisecond)
	lines := client.lines()
	if len(lines) != len(written) {
		t.Errorf("%s got %d messages; %d were written", name, len(lines), len(written))
	}
	for _, w := range written {
		n := 0
		for _, line := range lines {
			if same(w, line.Message) && !line.Binary {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s got %d times what was written as\n  %s\nall that it got:\n  %s", name, n, w, messages(lines))
		}
	}
}

func checkFour(t *testing.T, who string, f stack.Frame) {
	t.Helper()
	if f.Type != "ParkingSpotUpdated" || f.SpotID == "" || f.Status == "" || f.Timestamp.IsZero() {
		t.Errorf("%s: one of the four fields is missing: %+v", who, f)
	}
}

// clients starts one client of each kind on each live instance, and where users connect.
func clients(t *testing.T, s *stack.Stack) map[string]*program {
	t.Helper()
	all := map[string]*program{}
	for _, base := range slices.Compact(append([]string{s.URL}, s.Instances()...)) {
		address := strings.Replace(base, "http", "ws", 1) + "/notifications"
		all["ws on "+base] = start(t, "ws-client.js", address)
		all["WebSocket of undici on "+base] = start(t, "browser-client.js", address)
		all["EventSource of undici on "+base] = start(t, "eventsource-client.js", base+"/notifications")
	}
	for _, client := range all {
		client.ready(t)
	}
	return all
}

func forEach(t *testing.T, test func(t *testing.T, s *stack.Stack)) {
	t.Helper()
	installed(t, "node")
	if _, err := os.Stat(filepath.Join(stack.Root(), "test", "contract", "node_modules", "kafkajs")); err != nil {
		absent(t, "the npm packages are not installed: npm ci --prefix test/contract")
	}
	// Both ways also where the embedded one is left out elsewhere: without Node's packages nothing of this ran before.
	t.Run("embedded", func(t *testing.T) { test(t, stack.Embedded(t)) })
	t.Run("distributed", func(t *testing.T) { test(t, stack.Distributed(t)) })
}

func installed(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		absent(t, fmt.Sprintf("the program %s is not installed", name))
	}
	return path
}

func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv(envRequired) == "1" {
		t.Fatalf("%s, although %s=1 promises it", what, envRequired)
	}
	t.Skipf("skipped: %s", what)
}
