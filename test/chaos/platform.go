package main

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"parkwire/test/e2e/stack"
)

// platform is what faults are injected into: NGINX in front of 2 gateways, 2 parking and 3 notification processes, on the
// servers, each process with links of its own to these.
type platform struct {
	*servers
	*stack.Stack
	links map[string]*links // by the name of a process
}

// usual are the settings of every process, unless a scenario has others: short times, so that what a scenario shows is soon over.
var usual = []string{"PARKWIRE_DRAIN_WINDOW=2s"}

func startPlatform(t stack.T, s *servers) *platform {
	p := &platform{servers: s, links: map[string]*links{}}
	p.Stack = stack.Assemble(t, stack.Servers{Kafka: strings.Join(s.kafka, ","), Redis: redisURL(s.sentinels), Database: s.database.String()},
		stack.Layout{Gateways: 2, Parking: 2, Live: 3, Env: func(name string) []string {
			if strings.HasPrefix(name, "gateway") {
				return usual
			}
			l := newLinks(t, s)
			p.links[name] = l
			return append(slices.Clone(usual), "PARKWIRE_KAFKA_BROKERS="+strings.Join(addresses(l.kafka), ","),
				"PARKWIRE_REDIS_URL="+redisURL(addresses(l.sentinels)))
		}}, "--rate-limit", "0")
	for _, n := range p.Parking { // whose database has a schema of its own, which Assemble made
		n.Settings = []string{"PARKWIRE_DATABASE_URL=" + p.DatabaseThrough(t, p.links[n.Name].database)}
	}
	p.StartAll(t)
	p.WaitAllReady(t)
	p.StartEdge(t)
	return p
}

// configure restarts live instances with further settings, until the end of the trial.
func (p *platform) configure(t *trial, settings ...string) {
	for _, n := range p.Live {
		n.Settings = settings
	}
	t.Cleanup(func() {
		for _, n := range p.Live {
			n.Settings = nil
			n.Stop(t)
		}
		p.heal(t)
	})
	for _, n := range p.Live {
		n.Stop(t)
		n.Start(t.lasting())
	}
	for _, n := range p.Live {
		n.WaitReady(t)
	}
}

// heal makes everything whole again: links, servers, processes.
func (p *platform) heal(t *trial) {
	for _, l := range p.links {
		for _, proxy := range l.all() {
			proxy.Open(t)
		}
	}
	p.all(t, "start")
	for _, n := range append(p.Nodes(), p.Edge) {
		select {
		case <-n.Exited():
			n.Start(t.lasting())
		default:
			n.Signal(t, syscall.SIGCONT)
		}
	}
	for _, n := range append(p.Nodes(), p.Edge) {
		n.WaitReady(t)
	}
}

// linksOf are those of all processes of a part.
func (p *platform) linksOf(nodes []*stack.Node) (all []*links) {
	for _, n := range nodes {
		all = append(all, p.links[n.Name])
	}
	return all
}

// others are the nodes but one.
func others(nodes []*stack.Node, but *stack.Node) []*stack.Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n *stack.Node) bool { return n == but })
}

var metricsClient = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// metric reads one metric of a process: the sum over those of its labels that contain label. known is false where there is no
// answer or no such metric.
func metric(n *stack.Node, name, label string) (sum float64, known bool) {
	answer, err := metricsClient.Get(n.MetricsURL())
	if err != nil {
		return 0, false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		rest, found := strings.CutPrefix(line, name)
		if !found || rest[0] != ' ' && rest[0] != '{' || !strings.Contains(rest, label) {
			continue
		}
		if v, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' ')+1:]), 64); err == nil {
			sum, known = sum+v, true
		}
	}
	return sum, known
}

// sum adds a metric up over processes.
func sum(nodes []*stack.Node, name, label string) (total float64) {
	for _, n := range nodes {
		v, _ := metric(n, name, label)
		total += v
	}
	return total
}

// leader is the parking process whose relay carries the rows. The load must be running.
func (p *platform) leader(t *trial) *stack.Node {
	const carried = "parkwire_relay_produced_events_total"
	before := map[*stack.Node]float64{}
	for _, n := range p.Parking {
		before[n], _ = metric(n, carried, "")
	}
	var leads *stack.Node
	t.until(30*time.Second, "one parking process to lead the relay", func() bool {
		for _, n := range p.Parking {
			if now, known := metric(n, carried, ""); known && now > before[n] {
				leads = n
			}
		}
		return leads != nil
	})
	return leads
}

// memory is how much memory processes have in use, in MiB, the most that any of them has.
func memory(nodes []*stack.Node) (most float64) {
	for _, n := range nodes {
		v, _ := metric(n, "process_resident_memory_bytes", "")
		most = max(most, v/(1<<20))
	}
	return most
}

// settled waits until what was written has gone through the relay.
func (p *platform) settled(t *trial) {
	t.until(3*time.Minute, "the outbox to be empty", func() bool {
		for _, n := range p.Parking {
			if lag, known := metric(n, "parkwire_relay_pending_rows", ""); !known || lag > 0 {
				return false
			}
		}
		return true
	})
}

// position asks for the cursor of the present.
func (p *platform) position(t *trial) string {
	var page struct{ After string }
	p.Do(t, 200, "GET", "/api/v1/spots?limit=1", nil, &page)
	if page.After == "" {
		t.Fatalf("the list of spots has no cursor")
	}
	return page.After
}

// logs are what every process of the platform said.
func (p *platform) logs() map[string]string {
	logs := map[string]string{}
	for _, n := range append(p.Nodes(), p.Edge) {
		logs[n.Name] = n.Log()
	}
	return logs
}

// within is a context that ends with the trial or after d.
func within(t *trial, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.ctx, d)
}
