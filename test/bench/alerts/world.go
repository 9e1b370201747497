//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

// world is a platform with its spots, rules and listeners.
type world struct {
	settings
	platform *stack.Stack
	ingest   string // token
	client   *http.Client
	spots    []string
	taken    []bool
	watched  map[string]int // rules of each spot that speak each time that it becomes free
	random   *rand.Rand

	mu    sync.Mutex
	heard []heard
}

// heard is one alert that came on a stream.
type heard struct {
	spot, occurred, kind string
	at                   time.Time
}

// ownSchemas returns the settings by which one run has schemas of its own in a database, which are dropped after it.
func ownSchemas(t stack.T, address string) []string {
	t.Helper()
	name := fmt.Sprintf("bench_alerts_%d", time.Now().UnixNano())
	execute := func(query string) error {
		conn, err := pgx.Connect(context.Background(), address)
		if err != nil {
			return err
		}
		defer conn.Close(context.Background())
		_, err = conn.Exec(context.Background(), query)
		return err
	}
	if err := execute("create schema " + name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, schema := range []string{name, name + "_history", name + "_audit", name + "_alerts"} {
			_ = execute("drop schema if exists " + schema + " cascade")
		}
	})
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", name)
	u.RawQuery = query.Encode()
	return []string{"--database-url", u.String(), "--services-prefix", strings.ReplaceAll(name, "_", "-")}
}

func (s settings) prepare(t stack.T, args ...string) *world {
	t.Helper()
	w := &world{
		settings: s, watched: map[string]int{}, random: rand.New(rand.NewPCG(1, 2)),
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	w.platform = stack.Embedded(t, append(args, "--rate-limit", "0")...)
	w.ingest = w.platform.TokenFor(t, "ingest")
	for l := range s.lots {
		var ids []string
		for i := range perLot {
			ids = append(ids, fmt.Sprintf("%03d-%03d", l, i))
		}
		w.platform.AddLot(t, fmt.Sprintf("lot-%03d", l), ids...)
		w.spots = append(w.spots, ids...)
	}
	w.taken = make([]bool, len(w.spots))
	tokens := make([]string, s.subjects)
	for i := range tokens {
		tokens[i] = strings.TrimSpace(stack.Run(t, time.Minute, nil, stack.Binary(t), "token", "--subject", fmt.Sprintf("subject-%03d", i), "--data-dir", w.platform.DataDir()))
	}
	w.waitForSpots(t, tokens[0])
	w.half(t)
	w.write(t, tokens)
	for _, token := range tokens {
		w.listen(t, token)
	}
	return w
}

// waitForSpots waits until the last spot is known to the alert service.
func (w *world) waitForSpots(t stack.T, token string) {
	t.Helper()
	rule := map[string]any{"name": "first", "enabled": false, "target": map[string]any{"spotId": w.spots[len(w.spots)-1]}, "condition": map[string]any{"type": "any_free"}}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		status, answer := w.post(token, "/api/v1/alerts/rules", rule)
		if status == http.StatusCreated {
			var made struct{ ID string }
			_ = json.Unmarshal(answer, &made)
			_, _ = stack.API{URL: w.platform.URL, Token: token}.Try("DELETE", "/api/v1/alerts/rules/"+made.ID, nil)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a rule is answered %d %s", status, answer)
		}
	}
}

// half occupies half of the spots, so that counts are about where the rules look.
func (w *world) half(t stack.T) {
	t.Helper()
	for begin := 0; begin < len(w.spots); begin += perLot {
		var list []int
		for i := begin; i < begin+perLot; i += 2 {
			list = append(list, i)
		}
		w.change(t, list)
	}
}

// change sends the readings by which spots become what they are not.
func (w *world) change(t stack.T, spots []int) {
	var body bytes.Buffer
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	for _, i := range spots {
		w.taken[i] = !w.taken[i]
		fmt.Fprintf(&body, `{"spotId":%q,"occupied":%v,"observedAt":%q}`+"\n", w.spots[i], w.taken[i], now)
	}
	r, err := http.NewRequest("POST", w.platform.URL+"/api/v1/observations", &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.ingest)
	r.Header.Set("Content-Type", "application/x-ndjson")
	response, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	if response.StatusCode != 200 || !bytes.Contains(answer, fmt.Appendf(nil, `"accepted":%d`, len(spots))) {
		t.Fatalf("readings are answered %s: %s", response.Status, answer)
	}
}

func (w *world) post(token, path string, body any) (int, []byte) {
	text, _ := json.Marshal(body)
	r, _ := http.NewRequest("POST", w.platform.URL+path, bytes.NewReader(text))
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := w.client.Do(r)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	return response.StatusCode, answer
}

// write gives each subject its rules: four of ten about a spot, two of ten each about the free spots and the occupancy of a lot, and one of ten
// each about any free spot in it, which is always so, and about stays, which are never long enough.
func (w *world) write(t stack.T, tokens []string) {
	t.Helper()
	type one struct {
		token string
		rule  map[string]any
	}
	rules := make(chan one)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed string
	for range 8 {
		wg.Go(func() {
			for r := range rules {
				if status, answer := w.post(r.token, "/api/v1/alerts/rules", r.rule); status != http.StatusCreated {
					mu.Lock()
					failed = fmt.Sprintf("a rule is answered %d %s", status, answer)
					mu.Unlock()
				}
			}
		})
	}
	for _, token := range tokens {
		for i := range w.each {
			lot := map[string]any{"lotId": fmt.Sprintf("lot-%03d", w.random.IntN(w.lots))}
			rule := map[string]any{"name": "n", "initially": "wait", "target": lot}
			switch i % 10 {
			case 0, 1, 2, 3:
				spot := w.spots[w.random.IntN(len(w.spots))]
				w.watched[spot]++
				rule["target"], rule["condition"] = map[string]any{"spotId": spot}, map[string]any{"type": "any_free"}
			case 4, 5:
				rule["condition"] = map[string]any{"type": "free_at_least", "count": perLot/2 - 25 + w.random.IntN(50), "margin": 3}
			case 6, 7:
				rule["condition"] = map[string]any{"type": "occupancy_above", "percent": 45 + w.random.IntN(10), "margin": 1}
			case 8:
				rule["condition"] = map[string]any{"type": "any_free"}
			default:
				rule["condition"] = map[string]any{"type": "overstay", "minutes": 600}
			}
			rules <- one{token, rule}
		}
	}
	close(rules)
	wg.Wait()
	if failed != "" {
		t.Fatal(failed)
	}
}

// listen opens a subject's stream.
func (w *world) listen(t stack.T, token string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := http.NewRequestWithContext(ctx, "GET", w.platform.URL+"/api/v1/alerts/stream", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "text/event-stream")
	response, err := w.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 200 {
		t.Fatalf("the stream is answered %s", response.Status)
	}
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); <-ended; response.Body.Close() })
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(response.Body)
		for lines.Buffer(nil, 1<<20); lines.Scan(); {
			text, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			at := time.Now()
			var d struct {
				SpotID, OccurredAt string
				Condition          struct{ Type string }
			}
			if json.Unmarshal([]byte(text), &d) == nil {
				w.mu.Lock()
				w.heard = append(w.heard, heard{d.SpotID, d.OccurredAt, d.Condition.Type, at})
				w.mu.Unlock()
			}
		}
	}()
}

// measure sends changes for a while, and compares what was heard with what the log has.
func (w *world) measure(t stack.T) (f figure) {
	const batch = 15
	log := w.follow(t)
	w.mu.Lock()
	w.heard = nil
	w.mu.Unlock()
	before, retries := machine.Usage([]int{w.platform.One.PID()}), w.retries(t)
	expected := 0
	began := time.Now()
	for time.Since(began) < w.length {
		if ahead := time.Duration(f.changes)*time.Second/time.Duration(w.rate) - time.Since(began); ahead > 0 {
			time.Sleep(ahead)
		}
		spots := make([]int, 0, batch)
		for len(spots) < batch {
			if i := w.random.IntN(len(w.spots)); !slices.Contains(spots, i) {
				spots = append(spots, i)
				if w.taken[i] {
					expected += w.watched[w.spots[i]]
				}
			}
		}
		w.change(t, spots)
		f.changes += batch
	}
	if slow := time.Since(began) - w.length; slow > w.length/20 && !w.quick {
		t.Fatalf("so many changes cannot be sent here: %d took %v", f.changes, time.Since(began))
	}
	f.busy = machine.Usage([]int{w.platform.One.PID()}).Since(before).Servers.Seconds() / time.Since(began).Seconds()
	f.retries = w.retries(t) - retries
	time.Sleep(2 * time.Second) // for what is too much, too
	log.stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	single := 0
	for _, h := range w.heard {
		appended, ok := log.appended[h.spot+" "+h.occurred]
		if !ok {
			t.Fatalf("an alert tells of no event: %+v", h)
		}
		if h.kind == "any_free" {
			single++
		}
		f.took = append(f.took, max(0, h.at.Sub(appended)))
	}
	f.decisions = len(w.heard)
	slices.Sort(f.took)
	if single != expected || len(log.appended) != f.changes {
		t.Fatalf("%d spots became free that a rule watches, and %d alerts tell of that; the log has %d events of %d changes", expected, single, len(log.appended), f.changes)
	}
	return f
}

var retried = regexp.MustCompile(`(?m)^parkwire_database_update_retries_total\{database="alerts"\} (\d+)$`)

// retries is how many transactions of the service were done again because others were in the way.
func (w *world) retries(t stack.T) int {
	t.Helper()
	found := retried.FindStringSubmatch(w.platform.One.Metrics(t))
	if found == nil {
		t.Fatal("the metrics do not say how many transactions were done again")
	}
	n, _ := strconv.Atoi(found[1])
	return n
}

// following reads the log as another program does, to know when each event was written.
type following struct {
	appended map[string]time.Time // by spot and time of the event
	stop     func()
}

func (w *world) follow(t stack.T) *following {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(w.platform.Kafka), kgo.ConsumeTopics(w.platform.Topic), kgo.ConsumeResetOffset(kgo.NewOffset().AfterMilli(time.Now().UnixMilli())))
	if err != nil {
		t.Fatal(err)
	}
	f := &following{appended: map[string]time.Time{}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				var e struct{ SpotID, Timestamp string }
				if json.Unmarshal(r.Value, &e) == nil {
					f.appended[e.SpotID+" "+e.Timestamp] = r.Timestamp
				}
			})
		}
	}()
	f.stop = func() { cancel(); <-ended; client.Close() }
	time.Sleep(time.Second) // until it reads
	return f
}
