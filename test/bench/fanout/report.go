package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A page is the report that is being written, and its pictures.
type page struct {
	strings.Builder
	data
	pictures map[string]string // by name
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.Builder, format+"\n", args...) }

// picture shows a picture that is written beside the page.
func (p *page) picture(name, alt, svg string) {
	p.pictures[name] = svg
	p.line("![%s](benchmarks/%s.svg)\n", alt, name)
}

// table writes a table; the first column is text, the others are numbers.
func (p *page) table(head []string, rows [][]string) {
	p.line("| %s |\n|---|%s", strings.Join(head, " | "), strings.Repeat("---:|", len(head)-1))
	for _, row := range rows {
		p.line("| %s |", strings.Join(row, " | "))
	}
	p.line("")
}

// report writes what has been measured, at the sizes of the command line, into a page with pictures.
func (o *options) report(b *builder, s *store) error {
	planned := map[job]bool{}
	for _, j := range plan(o.sizes, measures, "", nil) {
		planned[patternless(j)] = true
	}
	p := &page{pictures: map[string]string{}, data: data{sizes: o.sizes, absent: b.absent}}
	for _, r := range s.results {
		if r.Failure == "" && planned[patternless(r.job)] {
			p.results = append(p.results, r)
		}
	}
	if len(p.results) == 0 {
		return fmt.Errorf("nothing has been measured with %d clients that could be reported", o.clients)
	}
	about, err := os.ReadFile(machineFile(o.work))
	if err != nil {
		return err
	}
	p.write(strings.Split(strings.TrimSpace(string(about)), "\n"))
	folder := filepath.Join(o.to, "benchmarks")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, svg := range p.pictures {
		if err := os.WriteFile(filepath.Join(folder, name+".svg"), []byte(svg), 0o644); err != nil {
			return err
		}
	}
	path := filepath.Join(o.to, "benchmarks.md")
	fmt.Fprintf(os.Stderr, "\nthe report is %s\n", path)
	return os.WriteFile(path, []byte(p.String()), 0o644)
}

// patternless is a job without what may be measured alone: the patterns over the same connections.
func patternless(j job) job {
	if j.Measure == fanout {
		j.Patterns = ""
	}
	return j
}

func machineFile(work string) string { return filepath.Join(work, "machine.txt") }

func (p *page) write(about []string) {
	from, to := p.span()
	p.line("# Benchmarks\n")
	p.line("One event to very many clients: Parkwire, and beside it what is used for that today, on the same machine, with the same clients, events and generator, "+
		"in rounds that alternate between all. Written by `make bench` from what it measured from %s to %s (UTC).\n", from.Format("2006-01-02 15:04"), to.Format("2006-01-02 15:04"))
	p.line("Every figure is the median of the rounds, with the least and the most; ratios are taken between neighbours of the same round. Differences under 20 %% are noise.\n")
	p.goals()
	p.rates("lone", "One event to all",
		"The next event is published when all have the last one. An idle connection takes one `send`, and nobody does without it: the loop in C is the wall.")
	p.rates("burst", "Ten events at once",
		"The next ten are published when all have the last ones. What gathers for a client while others are served can go in one write.")
	p.idle()
	p.sched()
	p.manyLots()
	p.growth()
	p.nginx()
	p.theMillion()
	p.method(about)
}

// rates is the section of lone events or of bursts.
func (p *page) rates(pattern, title, text string) {
	speed := deliveries(pattern)
	names := p.names(fanout, speed, true)
	if len(names) == 0 {
		return
	}
	p.line("## %s\n", title)
	p.line("%d clients. %s\n", p.clients, text)
	var rows [][]string
	var drawn []bar
	for _, name := range names {
		f := p.figures(fanout, name, speed)
		s, row := f.spread(), []string{contenderNamed(name).title}
		row = append(row, count(s.min), count(s.median), count(s.max))
		for _, by := range []string{limit, nodeWS, centrifuge} {
			row = append(row, times(ratio(f, p.figures(fanout, by, speed)).median))
		}
		row = append(row, decimals(p.figures(fanout, name, cpuPerDelivery(pattern)).spread().median, 1), p.generatorLimits(pattern, name), p.faults(fanout, name))
		rows = append(rows, row)
		drawn = append(drawn, bar{contenderNamed(name).title, class(name), s})
	}
	p.picture(pattern, title+", deliveries a second", bars(title, "deliveries/s: median, least to most", drawn))
	p.table([]string{"server", "least", "deliveries/s", "most", "of the C loop", "× Node `ws`", "× centrifuge", "server's CPU, µs a delivery", "limited by the generator", "not as it should be"}, rows)
}

// faults says in short what went wrong in the runs of a contender, in all phases together.
func (p *page) faults(measure, name string) string {
	var parts []string
	lost, repeated, unordered := p.wrong(measure, name)
	var ended int64
	for _, r := range p.of(measure, name) {
		ended += r.Report.Clients.Lost
	}
	for _, f := range []struct {
		n    uint64
		what string
	}{{lost, "frames lost"}, {repeated, "repeated"}, {unordered, "out of order"}, {uint64(ended), "connections ended by the server"}} {
		if f.n > 0 {
			parts = append(parts, count(float64(f.n))+" "+f.what)
		}
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, ", ")
}

func (p *page) generatorLimits(pattern, name string) string {
	switch of, all, _ := p.bottleneck(fanout, name, pattern); of {
	case 0:
		return "no"
	default:
		return fmt.Sprintf("%d of %d rounds", of, all)
	}
}

// class is the colour of a contender.
func class(name string) string {
	switch {
	case strings.HasPrefix(name, "parkwire"):
		return "ours"
	case strings.HasPrefix(name, limit):
		return "limit"
	}
	return "bar"
}

// idle is the section of connections that are only held.
func (p *page) idle() {
	total := func(r result) float64 { return userMemory(r) + p.kernelMemory(r) }
	names := p.names(fanout, total, false)
	if len(names) == 0 {
		return
	}
	p.line("## An idle connection\n")
	p.line("What a subscribed connection costs, seconds after the last one came and before the first event. User memory is the growth of the server processes' own resident memory " +
		"(RssAnon), garbage of the handshakes included. The kernel's is the growth of its slabs, stacks, page tables and socket buffers on the whole machine, for both ends of a connection; " +
		"the client's end, which is the same for all, is taken to be half of what the C loop and its clients take, and is not counted.\n")
	var rows [][]string
	var drawn []bar
	for _, name := range names {
		user, kernel := p.figures(fanout, name, userMemory).spread(), p.figures(fanout, name, p.kernelMemory).spread()
		all := p.figures(fanout, name, total)
		s := all.spread()
		rows = append(rows, []string{contenderNamed(name).title, count(user.min), count(user.median), count(user.max), count(kernel.median), count(s.median),
			times(ratio(all, p.figures(fanout, centrifuge, total)).median), decimals(p.figures(fanout, name, base).spread().median, 0)})
		drawn = append(drawn, bar{contenderNamed(name).title, class(name), s})
	}
	p.picture("idle", "Memory of an idle connection, bytes", bars("An idle connection: the server's memory, user and kernel", "bytes: median, least to most", drawn))
	p.table([]string{"server", "user, least", "user, bytes", "user, most", "kernel, bytes", "together", "of centrifuge", "one process without clients, MB"}, rows)
}

// base is the memory of one process before its first client, in MB.
func base(r result) float64 { return float64(r.Memory.Base) / float64(r.Instances) / 1e6 }
