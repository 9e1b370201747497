package upgrade

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/internal/event"
	"parkwire/internal/identity/access"
	"parkwire/test/e2e/stack"
)

// published is the folder with what each published version wrote: a folder for each version, with a file for each topic and for the frames of clients.
var published = filepath.Join(stack.Root(), "api", "published")

// row is a record of a topic, or a frame.
type row struct {
	Key     string            `json:"key,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Value   *string           `json:"value"` // null: a tombstone
}

// scenario does everything of which something is published, and returns what was.
func scenario(t *testing.T) map[string][]row {
	t.Helper()
	s := stack.Embedded(t)
	admin := s.API
	admin.Token = s.TokenFor(t, "admin")
	plain := s.WebSocket(t)
	v1 := speakV1(t, s.URL)
	v1.say(t, `{"type":"Subscribe","id":"all","snapshot":true}`)
	v1.until(t, "Snapshot")

	do := func(status int, method, path string, body any) []byte {
		t.Helper()
		return admin.Do(t, status, method, "/api/v1/"+path, body, nil).Body
	}
	do(201, "POST", "lots", `{"id":"central","name":"Central Garage","timeZone":"Europe/Berlin","address":"1 Market Square","location":{"lat":52.5,"lon":13.4},"heartbeatSeconds":3600}`)
	do(201, "POST", "lots/central/zones", `{"id":"central-L1","name":"Level 1","level":1}`)
	do(201, "POST", "lots/central/spots", `[{"spotId":"A-1","zoneId":"central-L1","name":"A 1","category":"electric","location":{"lat":52.5,"lon":13.4},"heartbeatSeconds":600},{"spotId":"A-2"}]`)
	do(201, "POST", "sensors", `{"id":"a1b2c3d4e5f60718","model":"decoded","spotId":"A-2"}`)
	for _, action := range []string{"occupy", "release", "close", "reopen", "fault", "repair"} {
		do(200, "POST", "spots/A-1/"+action, nil)
	}
	do(200, "PUT", "spots/A-1/reservation", `{"reference":"R-1","until":"2099-01-01T00:00:00Z"}`)
	do(200, "DELETE", "spots/A-1/reservation", nil)
	do(200, "POST", "observations", `[{"spotId":"A-2","occupied":true,"observedAt":"`+time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano)+`"}]`)
	patch(t, admin, "/api/v1/spots/A-1", `{"name":"A one","category":"standard"}`)
	patch(t, admin, "/api/v1/lots/central", `{"name":"Central"}`)
	var key struct{ ID string }
	if err := json.Unmarshal(do(201, "POST", "keys", `{"name":"gate","scopes":["ingest"],"lots":["central"],"expiresAt":"2099-01-01T00:00:00Z"}`), &key); err != nil {
		t.Fatal(err)
	}
	do(201, "POST", "revocations", `{"subject":"somebody"}`)
	do(204, "DELETE", "sensors/a1b2c3d4e5f60718", nil)
	do(204, "DELETE", "spots/A-1", nil)
	do(204, "DELETE", "spots/A-2", nil)
	do(204, "DELETE", "lots/central/zones/central-L1", nil)
	do(204, "DELETE", "lots/central", nil)

	// Another program's record, and one that is no event.
	produce(t, s, s.Topic, row{Key: "F-1", Value: new(`{"type":"ParkingSpotUpdated","spotId":"F-1","status":"free","timestamp":"2026-11-24T03:35:00.123Z"}`)})
	produce(t, s, s.Topic, row{Key: "F-2", Value: new(`[]`)})
	plain.Until(t, "the foreign event", func(all []stack.Frame) bool { return len(all) > 0 && all[len(all)-1].SpotID == "F-1" })
	v1.say(t, `{"type":"Unsubscribe","id":"all"}`)
	v1.until(t, "Unsubscribed")
	v1.say(t, `{"type":"Nothing"}`)
	v1.until(t, "Error")

	all := map[string][]row{}
	ends := map[string]func(row) bool{
		s.Topic:         func(r row) bool { return r.Key == "F-2" },
		s.SpotsTopic:    func(r row) bool { return r.Key == "A-2" && r.Value == nil },
		s.AuditTopic:    func(r row) bool { return r.Key == "lot/central" && strings.Contains(*r.Value, `"outcome":"removed"`) },
		s.AccessTopic:   func(r row) bool { return r.Value != nil && strings.Contains(*r.Value, `"revocation"`) },
		s.RejectedTopic: func(r row) bool { return true },
	}
	for topic, end := range ends {
		all[topic] = consume(t, s, topic, end)
	}
	for _, f := range plain.Frames() {
		all["frames"] = append(all["frames"], row{Value: &f.Raw})
	}
	for _, m := range v1.heard {
		all["parkwire.v1"] = append(all["parkwire.v1"], row{Value: &m})
	}
	return all
}

func patch(t *testing.T, a stack.API, path, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, a.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+a.Token)
	request.Header.Set("Content-Type", "application/merge-patch+json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Fatalf("PATCH %s: %s", path, answer.Status)
	}
}

// conversation is a client of parkwire.v1.
type conversation struct {
	conn  *websocket.Conn
	heard []string
}

func speakV1(t *testing.T, base string) *conversation {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), strings.Replace(base, "http", "ws", 1)+"/notifications", &websocket.DialOptions{Subprotocols: []string{"parkwire.v1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(1 << 20)
	return &conversation{conn: conn}
}

func (c *conversation) say(t *testing.T, message string) {
	t.Helper()
	if err := c.conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

// until hears what comes up to a message of the type.
func (c *conversation) until(t *testing.T, kind string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		_, message, err := c.conn.Read(ctx)
		if err != nil {
			t.Fatalf("waiting for %s, after %d messages: %v", kind, len(c.heard), err)
		}
		c.heard = append(c.heard, string(message))
		var m struct{ Type string }
		if json.Unmarshal(message, &m); m.Type == kind {
			return
		}
	}
}

func kafka(t *testing.T, s *stack.Stack, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(more, kgo.SeedBrokers(s.Kafka))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func produce(t *testing.T, s *stack.Stack, topic string, rows ...row) {
	t.Helper()
	client := kafka(t, s)
	for _, r := range rows {
		record := &kgo.Record{Topic: topic, Key: []byte(r.Key)}
		if r.Value != nil {
			record.Value = []byte(*r.Value)
		}
		for _, key := range slices.Sorted(maps.Keys(r.Headers)) {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: key, Value: []byte(r.Headers[key])})
		}
		if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// consume reads a topic until a record is the last. Records of the compacted twin that are there for their header alone are left out.
func consume(t *testing.T, s *stack.Stack, topic string, last func(row) bool) (all []row) {
	t.Helper()
	client := kafka(t, s, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ended := false; !ended; {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("the last record of %s has not come; there are %d", topic, len(all))
		}
		fetches.EachRecord(func(record *kgo.Record) {
			r := row{Key: string(record.Key), Headers: map[string]string{}}
			for _, h := range record.Headers {
				r.Headers[h.Key] = string(h.Value)
			}
			if record.Value != nil {
				r.Value = new(string(record.Value))
			}
			if strings.HasPrefix(r.Key, "\x00") {
				return
			}
			all = append(all, r)
			ended = ended || last(r)
		})
	}
	slices.SortStableFunc(all, func(a, b row) int { return strings.Compare(a.Key, b.Key) }) // partitions come in any order
	return all
}

// spoken are fields whose values are part of what is published; of others it is that they are there, and their type.
var spoken = map[string]bool{
	"type": true, "status": true, "change": true, "previousStatus": true, "source": true, "outcome": true, "resource.type": true, "code": true, "protocol": true,
	"ce_specversion": true, "ce_type": true, "ce_source": true, "content-type": true,
}

// shape says what a row is made of: a line for each field.
func (r row) shape() (class string, fields map[string]bool) {
	fields = map[string]bool{}
	for name, value := range r.Headers {
		fields["header "+name] = true
		if spoken[name] {
			fields["header "+name+" = "+value] = true
		}
	}
	if r.Value == nil {
		return "tombstone", fields
	}
	var v any
	if json.Unmarshal([]byte(*r.Value), &v) != nil {
		return "text", fields
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, one := range v {
				walk(strings.TrimPrefix(path+"."+name, "."), one)
			}
		case []any:
			fields[path+" is a list"] = true
			for _, one := range v {
				walk(path+"[]", one)
			}
		default:
			fields[fmt.Sprintf("%s is a %T", path, v)] = true
			if text, ok := v.(string); ok && spoken[path] {
				fields[path+" = "+strconv.Quote(text)] = true
			}
		}
	}
	walk("", v)
	o, _ := v.(map[string]any)
	text := func(name string) string { t, _ := o[name].(string); return t }
	class = text("type")
	if change := text("change"); change != "" {
		class += " " + change
	}
	if resource, ok := o["resource"].(map[string]any); ok {
		class = fmt.Sprint(resource["type"], " ", text("outcome"))
	}
	for _, name := range []string{"key", "revocation"} {
		if o[name] != nil {
			class = name
		}
	}
	if o["spotId"] == "F-1" {
		class = "foreign"
	}
	return class, fields
}

// shapes are those of rows, by class.
func shapes(rows []row) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, r := range rows {
		class, fields := r.shape()
		if all[class] == nil {
			all[class] = map[string]bool{}
		}
		maps.Copy(all[class], fields)
	}
	return all
}

// versions returns what each version published, by version and file, in order.
func versions(t *testing.T) (names []string, all map[string]map[string][]row) {
	t.Helper()
	all = map[string]map[string][]row{}
	files, err := filepath.Glob(filepath.Join(published, "v*", "*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		version, name := filepath.Base(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".ndjson")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if all[version] == nil {
			names, all[version] = append(names, version), map[string][]row{}
		}
		for line := range bytes.Lines(text) {
			var r row
			if err := json.Unmarshal(line, &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all[version][name] = append(all[version][name], r)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return number(a) - number(b) })
	return names, all
}

func number(version string) int { n, _ := strconv.Atoi(strings.TrimPrefix(version, "v")); return n }

// What a version has published others read: each field stays, with its type. What comes in addition is published as another version, once and on purpose.
func TestWhatWasPublishedIsStillWritten(t *testing.T) {
	names, all := versions(t)
	now := scenario(t)
	known := map[string]map[string]map[string]bool{} // of any version
	for _, version := range names {
		for file, rows := range all[version] {
			if known[file] == nil {
				known[file] = map[string]map[string]bool{}
			}
			written := shapes(now[file])
			for class, fields := range shapes(rows) {
				if known[file][class] == nil {
					known[file][class] = map[string]bool{}
				}
				maps.Copy(known[file][class], fields)
				for _, field := range slices.Sorted(maps.Keys(fields)) {
					if !written[class][field] {
						t.Errorf("%s, %s: %q of %s is not there any more", file, class, field, version)
					}
				}
			}
		}
	}
	added := false
	for file, rows := range now {
		for class, fields := range shapes(rows) {
			for _, field := range slices.Sorted(maps.Keys(fields)) {
				if known[file][class][field] {
					continue
				}
				if added = true; !*update {
					t.Errorf("%s, %s: %q is new: go test ./test/upgrade -run Published -update publishes it, as another version that is never taken back", file, class, field)
				}
			}
		}
	}
	if !*update || !added || t.Failed() {
		return
	}
	next := 1
	if len(names) > 0 {
		next = number(names[len(names)-1]) + 1
	}
	folder := filepath.Join(published, "v"+strconv.Itoa(next))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for file, rows := range now {
		var lines bytes.Buffer
		e := json.NewEncoder(&lines)
		e.SetEscapeHTML(false)
		for _, r := range rows {
			if err := e.Encode(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, file+".ndjson"), lines.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A log goes back for a week, an audit topic for a year, and compacted topics for ever: records of every version are in them when this one starts.
func TestWhatWasPublishedIsStillRead(t *testing.T) {
	names, all := versions(t)
	if len(names) == 0 {
		t.Fatal("nothing was published")
	}
	for _, version := range names {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := stack.Embedded(t)
			// The lot is left there, so that its history can be asked for.
			changes := slices.DeleteFunc(slices.Clone(all[version][s.AuditTopic]), func(r row) bool {
				return r.Key == "lot/central" && strings.Contains(*r.Value, `"outcome":"removed"`)
			})
			produce(t, s, s.AuditTopic, changes...)
			for _, topic := range []string{s.Topic, s.SpotsTopic, s.AccessTopic} {
				produce(t, s, topic, all[version][topic]...)
			}
			events := map[string]string{} // by spot and version
			for _, r := range all[version][s.Topic] {
				if e, err := event.Decode([]byte(*r.Value)); err == nil {
					events[fmt.Sprint(e.SpotID, "/", e.Version)] = *r.Value
				}
			}
			client := s.WebSocket(t, "after", beginning(t, s))
			frames := client.Until(t, "every published event", func(frames []stack.Frame) bool { return len(frames) >= len(events) })
			for _, f := range frames {
				value, there := events[fmt.Sprint(f.SpotID, "/", f.Version)]
				if want := strings.TrimSuffix(value, "}"); !there || !strings.HasPrefix(f.Raw, want) {
					t.Errorf("a client got %s instead of %s", f.Raw, value)
				}
			}
			var trail struct{ Items []json.RawMessage }
			admin := s.API
			admin.Token = s.TokenFor(t, "admin")
			eventually(t, "the audit service to have every change", func() bool {
				answer, err := admin.Try("GET", "/api/v1/audit?limit=1000", nil)
				trail.Items = nil
				return err == nil && answer.Status == 200 && json.Unmarshal(answer.Body, &trail) == nil && len(trail.Items) >= len(changes)
			})
			eventually(t, "the history service to know the stays", func() bool {
				answer, err := s.Try("GET", "/api/v1/lots/central/stays?limit=10", nil)
				return err == nil && answer.Status == 200 && strings.Contains(string(answer.Body), `"A-1"`)
			})
			for _, r := range all[version][s.AccessTopic] {
				if r.Value == nil {
					continue
				}
				e, err := access.Decode([]byte(*r.Value))
				if err != nil || e.ID == "" || e.Revision == 0 {
					t.Errorf("a record of keys and revocations is not understood: %v, %s", err, *r.Value)
				}
			}
			// The present state of a spot is the newest record of the twin, where the log has nothing that is newer.
			s = stack.Embedded(t)
			produce(t, s, s.SpotsTopic, slices.DeleteFunc(slices.Clone(all[version][s.SpotsTopic]), func(r row) bool { return r.Value == nil })...)
			s.One.Stop(t)
			s.One.Restart(t)
			snapshot := s.WebSocket(t, "snapshot", "1", "spot", "A-2").Count(t, 1)
			if f := snapshot[0]; f.SpotID != "A-2" || f.Version == 0 || f.LotID != "central" {
				t.Errorf("the state that was published is read as %s", f.Raw)
			}
		})
	}
}

// beginning is a cursor before everything.
func beginning(t *testing.T, s *stack.Stack) string {
	t.Helper()
	topic, err := metadata(t.Context(), kafka(t, s), s.Topic)
	if err != nil {
		t.Fatal(err)
	}
	return event.Cursor{Topic: topic, Offsets: event.NewOffsets(6)}.String()
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
