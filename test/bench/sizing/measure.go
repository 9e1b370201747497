//go:build linux

package main

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

// run names the lots, by which "parkwire load" subscribes.
const run = "sizing"

// services are the parts in the order of the page.
var services = []string{"gateway", "parking", "notifications", "history", "audit", "alerts"}

// A point is what was measured with so many clients and changes.
type point struct {
	Clients    int
	Instances  int                // of notifications
	Changes    float64            // a second, as the event log has them
	Deliveries float64            // a second
	Cores      map[string]float64 // busy, by service; all instances of notifications together
	Memory     map[string]float64 // resident and its own (RssAnon), in bytes
	Others     float64            // cores that Kafka, Redis, PostgreSQL and the kernel on nobody's account kept busy
}

// perInstance bounds the clients of one process: it may open 20,000 files on many machines.
const perInstance = 16_700

func (s settings) measure(t stack.T) []point {
	servers := stack.RealServers(t)
	var all []point
	for _, clients := range s.clients {
		w := s.start(t, servers, clients)
		for _, rate := range s.rates {
			p := w.point(t, rate)
			fmt.Fprintf(os.Stderr, "%d clients, %.0f changes/s: %.0f deliveries/s; %s\n", p.Clients, p.Changes, p.Deliveries, p.cores())
			all = append(all, p)
		}
		w.end(t)
	}
	return all
}

func (p point) cores() string {
	var parts []string
	for _, service := range services {
		parts = append(parts, fmt.Sprintf("%s %.3f cores %.0f MB", service, p.Cores[service], p.Memory[service]/1e6))
	}
	return strings.Join(parts, ", ")
}

// A world is a platform with its clients.
type world struct {
	settings
	platform *stack.Stack
	load     *stack.Process
	sensors  *sensors
	clients  int
}

func (s settings) start(t stack.T, servers stack.Servers, clients int) *world {
	t.Helper()
	instances := max(2, (clients+perInstance-1)/perInstance)
	w := &world{settings: s, clients: clients}
	w.platform = stack.Assemble(t, servers, stack.Layout{
		Gateways: 1, Parking: 1, Live: instances, History: 1, Audit: 1, Alerts: 1,
		Env: func(string) []string { return []string{"PARKWIRE_LIVE_HANDSHAKE_RATE=100000"} },
	}, "--rate-limit", "0")
	w.platform.StartAll(t)
	w.platform.WaitAllReady(t)
	var spots []string
	for l := range s.lots {
		var own []string
		for i := range s.spots {
			own = append(own, fmt.Sprintf("%s-%d-%d", run, l+1, i+1))
		}
		w.platform.AddLot(t, fmt.Sprintf("%s-%d", run, l+1), own...)
		spots = append(spots, own...)
	}
	w.sensors = newSensors(t, w.platform, spots)
	urls := w.platform.Instances()
	for i := range urls {
		urls[i] = "ws" + strings.TrimPrefix(urls[i], "http") + "/notifications"
	}
	w.load = stack.Start(t, "load", nil, stack.Binary(t), "load", "--url", strings.Join(urls, ","), "--clients", strconv.Itoa(clients),
		"--lots", strconv.Itoa(s.lots), "--run", run, "--publish", "none", "--pattern", "idle", "--duration", "1h")
	for deadline := time.Now().Add(5 * time.Minute); w.total(t, "parkwire_live_connections") < float64(clients); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%.0f of %d clients came:\n%s", w.total(t, "parkwire_live_connections"), clients, w.load.Output())
		}
	}
	w.still(t)
	return w
}

// still waits until everybody has heard of the spots that were added.
func (w *world) still(t stack.T) {
	t.Helper()
	for last, deadline := -1.0, time.Now().Add(2*time.Minute); ; time.Sleep(3 * time.Second) {
		events := w.total(t, "parkwire_live_events_total")
		if events == last {
			return
		}
		if last = events; time.Now().After(deadline) {
			t.Fatalf("events still come, %.0f by now, and nobody makes any", events)
		}
	}
}

func (w *world) end(t stack.T) {
	t.Helper()
	w.load.Signal(t, syscall.SIGTERM)
	w.load.Wait(t, time.Minute)
	for _, n := range w.platform.Nodes() {
		n.Stop(t)
	}
}

// point lets changes come, and measures what each service needs for them.
func (w *world) point(t stack.T, rate int) point {
	t.Helper()
	stop := w.sensors.begin(t, rate)
	defer stop()
	time.Sleep(w.settle)
	p := point{Clients: w.clients, Instances: len(w.platform.Live), Cores: map[string]float64{}, Memory: map[string]float64{}}
	parts := w.parts()
	var everyone []int
	before := map[string]time.Duration{}
	for service, pids := range parts {
		before[service] = machine.Usage(pids).Servers
		everyone = append(everyone, pids...)
	}
	everyone = append(everyone, descendants(w.load.PID())...)
	changes, deliveries, usage, began := w.total(t, "parkwire_live_events_total"), w.total(t, "parkwire_live_deliveries_total"), machine.Usage(everyone), time.Now()
	time.Sleep(w.length)
	took := time.Since(began).Seconds()
	spent := machine.Usage(everyone).Since(usage)
	p.Others = max(0, (spent.Machine-spent.Servers-spent.Own).Seconds()/took)
	p.Deliveries = (w.total(t, "parkwire_live_deliveries_total") - deliveries) / took
	p.Changes = (w.total(t, "parkwire_live_events_total") - changes) / took / float64(len(w.platform.Live)) // each instance counts all
	for service, pids := range parts {
		p.Cores[service] = (machine.Usage(pids).Servers - before[service]).Seconds() / took
		for _, pid := range pids {
			p.Memory[service] += ownMemory(t, pid)
		}
	}
	return p
}

// parts are the processes of each service.
func (w *world) parts() map[string][]int {
	all := map[string][]int{}
	for service, nodes := range map[string][]*stack.Node{
		"gateway": w.platform.Gateways, "parking": w.platform.Parking, "notifications": w.platform.Live,
		"history": w.platform.History, "audit": w.platform.Audit, "alerts": w.platform.Alerts,
	} {
		for _, n := range nodes {
			all[service] = append(all[service], n.PID())
		}
	}
	return all
}

// total adds up a metric over its labels and over all notification instances.
func (w *world) total(t stack.T, name string) (sum float64) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^` + name + `(?:\{[^}]*\})? (\S+)$`)
	for _, n := range w.platform.Live {
		for _, found := range line.FindAllStringSubmatch(n.Metrics(t), -1) {
			value, err := strconv.ParseFloat(found[1], 64)
			if err != nil {
				t.Fatalf("%s: %v", found[0], err)
			}
			sum += value
		}
	}
	return sum
}

// ownMemory is the resident memory of a process that is not a file's, in bytes.
func ownMemory(t stack.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	kib, err := strconv.Atoi(cmp.Or(append(strings.Fields(rest), "")[0], "none"))
	if err != nil {
		t.Fatalf("/proc/%d/status says no RssAnon", pid)
	}
	return float64(kib) * 1024
}

// descendants are a process and those that it started.
func descendants(pid int) []int {
	all := []int{pid}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	for _, one := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(one); err == nil {
			all = append(all, descendants(child)...)
		}
	}
	return all
}
