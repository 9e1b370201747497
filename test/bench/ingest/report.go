//go:build linux

package main

import (
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"parkwire/test/bench/document"
	"parkwire/test/bench/machine"
	"parkwire/test/e2e/stack"
)

// report writes docs/ingestion.md and its picture.
func (s settings) report(all []contender, found results, began time.Time) error {
	var page, picture strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&page, format+"\n", args...) }
	line("# Ingestion\n")
	line("How many readings a second are taken and kept, each acknowledged when it is on the disk: by Parkwire as a whole (`parkwire all`: gateway, rules, database with outbox and history, "+
		"relay, event log, bridge and notifications), and beside it by what people write for that, and by the database alone. Written by `go run ./test/bench/ingest` from what it measured on %s (UTC). "+
		"Every figure is the median of %d rounds that alternate between all, with the least and the most; ratios are taken within a round. Differences under 20 %% are noise.\n", began.UTC().Format("2006-01-02 15:04"), s.rounds)
	line("![Readings a second, by what takes them](benchmarks/ingestion.svg)\n")
	height := 8
	for _, m := range modes {
		line("## %s\n", m.title)
		if m.size == 1 {
			line("%d connections, each with one reading a request, and the next one when it is answered.\n", m.connections)
		} else {
			line("%d connections, each with NDJSON of %d readings: all spots of a lot. The next request goes out when the last one is answered.\n", m.connections, m.size)
		}
		line("| | least | readings/s | most | × handler | CPU, µs a reading | of the limit |\n|---|---:|---:|---:|---:|---:|---:|")
		rows := slices.DeleteFunc(slices.Clone(all), func(c contender) bool { return len(found[c.name][m.name]) == 0 })
		for _, c := range rows {
			f := found[c.name][m.name]
			least, median, most := spread(f, figure.rate)
			_, kind, _ := strings.Cut(c.name, "-")
			line("| %s | %s | %s | %s | %s | %s | %s |", c.title, count(least), count(median), count(most),
				ratio(f, found["plain-"+kind][m.name]), cost(f), ratio(f, found["raw-"+kind][m.name]))
		}
		line("")
		if m.change {
			for _, c := range rows {
				if c.class == "ours" {
					least, median, most := spread(found[c.name][m.name], figure.logRate)
					line("%s, until the event log has the last change: %s a second (%s to %s).", c.title, count(median), count(least), count(most))
				}
			}
			line("")
		}
		height = bars(&picture, height, m.title, rows, found, m.name)
	}
	line("%s", strings.TrimSpace(method)+"\n")
	line("## The machine\n\n* %s, %d cores; Linux %s\n* Go %s; SQLite by modernc.org/sqlite; %s, with fsync\n* Parkwire %s\n", machine.Processor(), runtime.NumCPU(), machine.Says("uname", "-r"),
		strings.TrimPrefix(runtime.Version(), "go"), machine.Says("postgres", "--version"), machine.Says("git", "-C", stack.Root(), "describe", "--tags", "--always", "--dirty"))
	line("%d lots of %d spots. Generator, servers and databases share the cores; the generator's share is small (0.2 to 0.5 µs a reading in batches, 20 to 30 µs for a single one).", s.lots, perLot)
	text := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 %d" width="760" height="%[1]d" role="img"><title>Readings a second, by what takes them</title>
<style>
text{font:13px system-ui,sans-serif;fill:#24292f}.dim{fill:#57606a;font-size:12px}.bar{fill:#8c959f}.ours{fill:#1f6feb}.limit{fill:#bf8700}.range{stroke:#24292f;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.range{stroke:#e6edf3}.bar{fill:#6e7681}}
</style>
%s</svg>
`, height, picture.String())
	if err := os.WriteFile(filepath.Join(s.to, "benchmarks", "ingestion.svg"), []byte(text), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(s.to, "ingestion.md"), []byte(page.String()), 0o644)
}

const method = `
## How to read this

* **Parkwire does more than the others.** Each request has a token, which is verified, and counts against limits; each reading is validated; each is compared with the state of its spot, so that late and
  repeated ones move nothing; and a change is an event with its version, which is in the outbox and the history in the same transaction, then in the event log (twice: log and compacted twin), and with the notification service. In the
  single process all of that shares the cores with the taking of readings.
* **The handler** is what tutorials show: ` + "`net/http`, `encoding/json`" + `, and an upsert a reading, for a batch in one transaction. It verifies no token, knows no limits, and tells nobody of a change: for it readings that change something are the same as
  others. What it acknowledges is as safe (SQLite with ` + "`synchronous = full`" + `).
* **The limit** is a loop in one process around the database: the same rows by the fastest statements there are, without HTTP, and for changes a row of 300 bytes each, which nobody reads or removes. Its rows are narrow: a spot of Parkwire has 23 columns and five indexes.
* **One reading a request** costs a commit each. Parkwire commits readings that wait together, the handler one after the other: that is the difference, and why SQLite with one writer is no bottleneck.

## Where the time goes

Of a change on SQLite, by the profile of ` + "`parkwire all`" + ` (CPU of all its parts, about 80 µs):

| part | share | what it is |
|---|---:|---|
| SQLite: the spot | 30 % | one narrow update: the row, and two indexes |
| SQLite: outbox and history | 12 % | rows in statements of twenty |
| SQLite: commit and checkpoint | 5 % | its log; one fsync a group |
| relay: reading and clearing the outbox | 11 % | what a transactional outbox costs |
| relay, client and server of Kafka: the log and its twin | 16 % | |
| bridge and notifications | 9 % | |
| HTTP, decoding, rules, making events | 8 % | |
| collecting garbage | 9 % | |

All of SQLite's writing is one thread's. What would make it faster is less of it: SQLite in C instead of in Go (with cgo), or no history.
Of a reading that changes nothing nearly all is that one narrow update, which names no index: some 9 of 13 µs.

## Again

` + "```sh\ngo run ./test/bench/ingest          # five rounds, some ten minutes\ngo run ./test/bench/ingest -quick   # does it work here?\n```" + `
`

// bars draws the rows of one mode below what is there, and returns where it ends.
func bars(b *strings.Builder, y int, title string, rows []contender, found results, mode string) int {
	const left, right, row = 330, 90, 24
	var top float64
	for _, c := range rows {
		_, _, most := spread(found[c.name][mode], figure.rate)
		top = max(top, most)
	}
	x := func(v float64) float64 { return left + v/top*(760-left-right) }
	fmt.Fprintf(b, `<text x="8" y="%d">%s</text><text class="dim" x="752" y="%[1]d" text-anchor="end">readings/s: median, least to most</text>`+"\n", y+14, html.EscapeString(title))
	y += 26
	for _, c := range rows {
		least, median, most := spread(found[c.name][mode], figure.rate)
		fmt.Fprintf(b, `<text class="dim" x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%d" y="%d" width="%.1f" height="15" rx="2"/>`,
			left-8, y+12, html.EscapeString(c.title), c.class, left, y, x(median)-left)
		fmt.Fprintf(b, `<path class="range" d="M%.1f %dH%.1f"/><text x="%.1f" y="%d">%s</text>`+"\n", x(least), y+7, x(most), x(most)+8, y+12, count(median))
		y += row
	}
	return y + 14
}

func spread(all []figure, of func(figure) float64) (least, median, most float64) {
	return spreadOf(each(all, of))
}

func each(all []figure, of func(figure) float64) (values []float64) {
	for _, f := range all {
		values = append(values, of(f))
	}
	return values
}

func spreadOf(values []float64) (least, median, most float64) {
	slices.Sort(values)
	n := len(values)
	return values[0], (values[(n-1)/2] + values[n/2]) / 2, values[n-1]
}

// ratio is the median of the rounds' ratios, with the least and the most.
func ratio(of, by []figure) string {
	if len(by) != len(of) {
		return "–"
	}
	var all []float64
	for i := range of {
		all = append(all, of[i].rate()/by[i].rate())
	}
	least, median, most := spreadOf(all)
	if least == most {
		return fmt.Sprintf("%.2f", median)
	}
	return fmt.Sprintf("%.2f (%.2f to %.2f)", median, least, most)
}

func cost(all []figure) string {
	if _, median, _ := spread(all, figure.cost); median > 0 {
		return fmt.Sprintf("%.1f", median)
	}
	return "–"
}

// count writes a number to three digits that mean something, with commas between thousands.
func count(v float64) string {
	if v >= 1000 {
		unit := math.Pow(10, math.Floor(math.Log10(v))-2)
		v = math.Round(v/unit) * unit
	}
	return document.Thousands(fmt.Sprintf("%.0f", v))
}
