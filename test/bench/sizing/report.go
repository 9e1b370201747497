//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"parkwire/test/bench/document"
	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

// mark is where the page begins to be written.
const mark = "<!-- measured: go run ./test/bench/sizing -->\n"

// Towns are sizes that were not measured, for which the model is asked: instances of notifications are as many as perClients gives.
var towns = []struct {
	name                   string
	clients, changes, lots int
}{
	{"a garage", 100, 1, 1},
	{"a small town", 1_000, 6, 20},
	{"a city", 50_000, 60, 200},
	{"a large city", 200_000, 250, 500},
	{"a country", 1_000_000, 750, 2_000},
}

// perClients is how many clients one notification instance is planned for.
const perClients = 50_000

func (s settings) report(points []point) error {
	m := modelOf(points)
	text := table(points) + laws(m) + asked(m) + s.about()
	if s.to == "" {
		fmt.Print("\n", text)
		return nil
	}
	fmt.Fprintf(os.Stderr, "the page is %s\n", s.to)
	return document.Fill(s.to, mark, text)
}

func table(points []point) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### What was measured\n\nCores that were busy, and resident memory of its own (RssAnon), of all processes of a service together.\n\n| clients | changes/s | deliveries/s |")
	for _, service := range services {
		fmt.Fprintf(&b, " %s |", service)
	}
	fmt.Fprintf(&b, " Kafka, Redis, PostgreSQL, kernel |\n|---:|---:|---:|%s\n", strings.Repeat("---:|", len(services)+1))
	for _, p := range points {
		fmt.Fprintf(&b, "| %s | %.0f | %s |", count(p.Clients), p.Changes, count(int(p.Deliveries)))
		for _, service := range services {
			cell := fmt.Sprintf("%.3f, %.0f MB", p.Cores[service], p.Memory[service]/1e6)
			if service == "notifications" {
				cell = fmt.Sprintf("%d: %s", p.Instances, cell)
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		fmt.Fprintf(&b, " %.3f |\n", p.Others)
	}
	b.WriteString("\nBefore the figures of notifications stands how many processes they are.\n")
	return b.String()
}

func laws(m model) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### The model\n\nLeast squares over the table above, without negative parts. Microseconds of CPU time, and bytes.\n\n"+
		"| service | CPU: a process, µs/s | a change, µs | a delivery, µs | a client, µs/s | errs by | memory: a process | each change/s | a client | errs by |\n|---|%s\n", strings.Repeat("---:|", 9))
	for _, service := range services {
		cores, memory := m.cores[service], m.memory[service]
		fmt.Fprintf(&b, "| %s |", service)
		for i, each := range cores.Each {
			if service != "notifications" && i > 1 {
				b.WriteString(" – |")
			} else {
				fmt.Fprintf(&b, " %.4g |", each*1e6)
			}
		}
		fmt.Fprintf(&b, " %.0f %% |", 100*cores.Error)
		for i, each := range memory.Each {
			switch {
			case i == 0:
				fmt.Fprintf(&b, " %.0f MB |", each/1e6)
			case service != "notifications" && i == 2:
				b.WriteString(" – |")
			default:
				fmt.Fprintf(&b, " %.0f |", each)
			}
		}
		fmt.Fprintf(&b, " %.0f %% |\n", 100*memory.Error)
	}
	fmt.Fprintf(&b, `
With I instances of notifications, N clients, L lots of which each client follows one, and C changes a second:

* D = C · N / L deliveries a second, if clients and changes are spread evenly; D = C · N where everybody follows everything.
* notifications: cores = I · a process + C · I · a change + D · a delivery + N · a client; memory = I · a process + C · I · each change/s + N · a client. Every instance hears of every change.
* every other service: cores = a process + C · a change; memory = a process + C · each change/s.
* the kernel takes about 5,200 bytes more for each connection ([benchmarks](benchmarks.md)).
`)
	return b.String()
}

func asked(m model) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### Other sizes, by the model\n\nOne instance of notifications for each %s clients, and two at least. What is not measured is extrapolated, and says so by being here: plan twice of it.\n\n| for | clients | lots | changes/s | deliveries/s |", count(perClients))
	for _, service := range services {
		fmt.Fprintf(&b, " %s |", service)
	}
	fmt.Fprintf(&b, " connections in the kernel |\n|---|%s\n", strings.Repeat("---:|", len(services)+5))
	for _, town := range towns {
		p := point{Clients: town.clients, Instances: max(2, (town.clients+perClients-1)/perClients), Changes: float64(town.changes)}
		p.Deliveries = p.Changes * float64(town.clients) / float64(town.lots)
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %s |", town.name, count(town.clients), count(town.lots), town.changes, count(int(p.Deliveries)))
		for _, service := range services {
			cores, memory := m.needs(service, p)
			cell := fmt.Sprintf("%.2g cores, %.0f MB", cores, memory/1e6)
			if service == "notifications" {
				cell = fmt.Sprintf("%d: %s", p.Instances, cell)
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		fmt.Fprintf(&b, " %.0f MB |\n", float64(town.clients)*5_200/1e6)
	}
	return b.String()
}

func (s settings) about() string {
	return fmt.Sprintf("\n%s, Parkwire %s; %s, %d cores that everything shares, clients and servers too; %s. %s spots on %d lots; each measurement %v, after %v.\n",
		time.Now().UTC().Format("2006-01-02"), machine.Says("git", "-C", stack.Root(), "describe", "--tags", "--always", "--dirty"), machine.Processor(), runtime.NumCPU(), runtime.Version(), count(s.lots*s.spots), s.lots, s.length, s.settle)
}

func count(n int) string { return document.Thousands(strconv.Itoa(n)) }
