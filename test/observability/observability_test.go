// Package observability proves that what is offered to operators is true: that the rules speak when they should, that each has its runbook, and that
// every panel of the dashboards shows something of a running platform.
package observability

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"parkwire/internal/trace/tracetest"
	"parkwire/test/e2e/stack"
)

func TestMain(m *testing.M) { os.Exit(stack.Main(m)) }

var (
	update = flag.Bool("update", false, "draw the pictures of the dashboards anew")
	watch  = flag.Duration("watch", 12*time.Second, "how long the platform is looked at before the dashboards are")
	crowd  = flag.Int("crowd", 0, "clients of parkwire load besides the few of the test, which publishes too")
)

// rules are the alerts of rules.yaml.
func rules(t *testing.T) (alerts []alert) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder(), "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Groups []struct{ Rules []alert } }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		alerts = append(alerts, g.Rules...)
	}
	return alerts
}

type alert struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func TestEachAlertHasItsRunbook(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(stack.Root(), "docs", "runbooks.md"))
	if err != nil {
		t.Fatal(err)
	}
	var described, told []string
	severities := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^## (\w+)\n\n\*(Page|Ticket)\.\*`).FindAllStringSubmatch(string(text), -1) {
		described = append(described, m[1])
		severities[m[1]] = strings.ToLower(m[2])
	}
	for _, a := range rules(t) {
		told = append(told, a.Alert)
		if want := "docs/runbooks.md#" + strings.ToLower(a.Alert); a.Annotations["runbook"] != want || a.Annotations["summary"] == "" {
			t.Errorf("%s leads to %q, and is told as %q", a.Alert, a.Annotations["runbook"], a.Annotations["summary"])
		}
		if severities[a.Alert] != a.Labels["severity"] {
			t.Errorf("%s is a %s, and its runbook says %q", a.Alert, a.Labels["severity"], severities[a.Alert])
		}
	}
	slices.Sort(described)
	slices.Sort(told)
	if !slices.Equal(described, told) {
		t.Errorf("the runbooks are of\n%q, the alerts are\n%q", described, told)
	}
}

func TestTheRulesSpeakWhenTheyShould(t *testing.T) {
	promtool := program(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "rules_test.yaml"}, {"check", "config", "--syntax-only", "prometheus.yaml"}} {
		command := exec.Command(promtool, args...)
		command.Dir = folder()
		if said, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, said)
		}
	}
}

var metricName = regexp.MustCompile(`\bparkwire_\w+`)

// Whoever renames a metric has to rename it here too.
func TestWhatRulesDashboardsAndDocumentsAskForIsThere(t *testing.T) {
	s, _ := platform(t)
	s.AddLot(t, "central", "A1") // what is counted by its route is there when there was one
	there := map[string]bool{}
	for _, n := range nodes(s) {
		for _, m := range regexp.MustCompile(`(?m)^# TYPE (\w+) (\w+)`).FindAllStringSubmatch(n.Metrics(t), -1) {
			there[m[1]] = true
			if m[2] == "histogram" {
				there[m[1]+"_bucket"], there[m[1]+"_count"], there[m[1]+"_sum"] = true, true, true
			}
		}
	}
	asked := map[string]string{}
	for _, a := range rules(t) {
		for _, name := range metricName.FindAllString(a.Expr, -1) {
			asked[name] = "the alert " + a.Alert
		}
	}
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, one := range p.Targets {
				for _, name := range metricName.FindAllString(one.Expr, -1) {
					asked[name] = "the panel " + p.Title
				}
			}
		}
	}
	for _, document := range []string{"observability.md", "runbooks.md"} {
		text, err := os.ReadFile(filepath.Join(stack.Root(), "docs", document))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metricName.FindAllString(string(text), -1) {
			asked[name] = document
		}
	}
	if len(asked) < 50 {
		t.Fatalf("only %d metrics are asked for", len(asked))
	}
	// Only where a certificate, or an MQTT broker, is configured.
	for _, name := range []string{"parkwire_tls_certificate_expires_seconds", "parkwire_mqtt_connected"} {
		delete(asked, name)
	}
	for name, by := range asked {
		if !there[name] {
			t.Errorf("%s asks for %s, which no process has", by, name)
		}
	}
}

// platform starts a platform of several processes whose changes are traced.
func platform(t *testing.T) (*stack.Stack, *tracetest.Collector) {
	t.Helper()
	c := tracetest.New(t)
	s := stack.Assemble(t, stack.RealServers(t), stack.Layout{Gateways: 1, Parking: 2, Live: 2, History: 1, Audit: 1, Alerts: 1,
		Env: func(string) []string {
			return []string{"PARKWIRE_TRACE_ENDPOINT=" + c.URL, "PARKWIRE_TRACE_SHARE=0.1", "PARKWIRE_RATE_LIMIT=100000", "PARKWIRE_LIVE_HANDSHAKE_RATE=1000"}
		}})
	s.StartAll(t)
	s.WaitAllReady(t)
	return s, c
}

func nodes(s *stack.Stack) (all []*stack.Node) {
	return slices.Concat(s.Gateways, s.Parking, s.Live, s.History, s.Audit, s.Alerts)
}

func TestEveryPanelShowsSomething(t *testing.T) {
	program(t, "prometheus")
	s, _ := platform(t)
	p := scrape(t, nodes(s))
	end := live(t, s)
	from := time.Now()
	time.Sleep(*watch) // something has to happen for rates and quantiles
	to := time.Now()
	end()
	window, step := 10*time.Second, time.Second
	if *update {
		window, step = 15*time.Second, max(time.Second, *watch/100)
	}
	for name, d := range dashboards(t) {
		shown := map[int][]line{} // by the place of the panel
		for i, one := range d.Panels {
			for _, query := range one.Targets {
				found, err := p.ask(query.query(window), from, to, step)
				if err != nil {
					t.Errorf("%s, %s: %s: %v", d.Title, one.Title, query.Expr, err)
				}
				if len(found) == 0 {
					t.Errorf("%s, %s: %s shows nothing", d.Title, one.Title, query.Expr)
				}
				for _, f := range found {
					shown[i] = append(shown[i], line{query.legend(f.labels), f})
				}
			}
		}
		if *update {
			file := filepath.Join(stack.Root(), "docs", "images", "dashboard-"+name+".svg")
			if err := os.WriteFile(file, []byte(draw(d, shown, from, to)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// live has the platform do some of everything until end is called.
func live(t *testing.T, s *stack.Stack) (end func()) {
	t.Helper()
	var spots []string
	for i := range 60 {
		spots = append(spots, fmt.Sprintf("P-%03d", i))
	}
	s.AddLot(t, "central", spots...)
	until := time.Now().Add(time.Minute) // the alert service has to have heard of the lot
	for rule := map[string]any{"name": "half", "target": map[string]any{"lotId": "central"}, "condition": map[string]any{"type": "occupancy_above", "percent": 50}}; ; {
		answer, err := s.Try("POST", "/api/v1/alerts/rules", rule)
		if err == nil && answer.Status == 201 {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("a rule is not taken: %v %s", err, answer.Body)
		}
		time.Sleep(100 * time.Millisecond)
	}
	var clients []*stack.Listener
	for _, instance := range s.Instances() {
		for range 5 {
			clients = append(clients, stack.ListenWebSocket(t, instance, nil))
		}
	}
	stop := make(chan struct{})
	var busy sync.WaitGroup
	work := func(pause time.Duration, do func(n int)) {
		busy.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				case <-time.After(pause/2 + rand.N(pause)):
					do(n)
				}
			}
		})
	}
	try := func(method, path string, body any) { _, _ = s.Try(method, path, body) } // what is refused is shown as well
	work(40*time.Millisecond, func(n int) {
		try("POST", "/api/v1/spots/"+spots[rand.N(len(spots)/2)]+"/"+[]string{"occupy", "release"}[n%2], nil)
	})
	work(100*time.Millisecond, func(n int) {
		var readings []map[string]any
		for range 20 {
			readings = append(readings, map[string]any{"spotId": spots[len(spots)/2+rand.N(len(spots)/2)], "occupied": rand.N(2) == 0, "observedAt": time.Now().UTC().Format(time.RFC3339Nano)})
		}
		try("POST", "/api/v1/observations", readings)
	})
	work(150*time.Millisecond, func(int) {
		try("GET", "/api/v1/spots?lot=central", nil)
		try("GET", "/api/v1/lots/central/summary", nil)
	})
	work(500*time.Millisecond, func(int) { // one that comes back
		seen := clients[0].Frames()
		if len(seen) > 0 {
			stack.ListenWebSocket(t, s.Instances()[0], stack.Query(t, "after", seen[max(0, len(seen)-50)].Cursor)).Close()
		}
		stack.ListenWebSocket(t, s.Instances()[1], stack.Query(t, "snapshot", "1")).Close()
	})
	if *crowd > 0 {
		busy.Go(func() { load(t, s) })
	}
	return func() { close(stop); busy.Wait() }
}

// load is a crowd that comes, is cut off and comes back, and is sent what it publishes itself besides.
func load(t *testing.T, s *stack.Stack) {
	var urls []string
	for _, instance := range s.Instances() {
		urls = append(urls, strings.Replace(instance, "http", "ws", 1)+"/notifications")
	}
	said, err := exec.Command(stack.Binary(t), "load", "--url", strings.Join(urls, ","), "--clients", fmt.Sprint(*crowd), "--publish", "kafka://"+s.Kafka+"/"+s.Topic,
		"--pattern", "steady,storm", "--rate", "20", "--every", "30s", "--cut", "0.3", "--duration", (*watch * 55 / 100).Round(time.Second).String()).CombinedOutput()
	if err != nil {
		t.Errorf("parkwire load: %v\n%s", err, said)
	}
}
