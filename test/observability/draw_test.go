package observability

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
	"time"
)

// line is a series with its name.
type line struct {
	name string
	series
}

const (
	width   = 1200
	margin  = 12
	column  = (width - 2*margin) / 24
	unit    = 32 // the height of one row of the grid
	heading = 56
	most    = 8 // names in a legend
)

// draw draws a dashboard as Grafana would, more or less.
func draw(d dashboard, shown map[int][]line, from, to time.Time) string {
	var s strings.Builder
	bottom := 0
	for _, p := range d.Panels {
		bottom = max(bottom, p.GridPos.Y+p.GridPos.H)
	}
	height := heading + bottom*unit + margin
	fmt.Fprintf(&s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s"><style>%s</style><rect class="page" width="100%%" height="100%%"/>`+"\n",
		width, height, html.EscapeString(d.Title), style)
	text(&s, margin+4, 34, "title", "start", d.Title)
	text(&s, width-margin-4, 34, "soft", "end", fmt.Sprintf("%s of a platform of 8 processes under load, by its Prometheus", to.Sub(from).Round(time.Second)))
	for i, p := range d.Panels {
		x, y := float64(margin+p.GridPos.X*column), float64(heading+p.GridPos.Y*unit)
		w, h := float64(p.GridPos.W*column-8), float64(p.GridPos.H*unit-8)
		if p.Type == "row" {
			text(&s, x+4, y+unit-12, "section", "start", p.Title)
			continue
		}
		fmt.Fprintf(&s, `<rect class="panel" x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="4"/>`, x, y, w, h)
		text(&s, x+10, y+18, "name", "start", p.Title)
		lines := shown[i]
		if p.Type == "stat" {
			drawStat(&s, p, lines, x, y, w, h)
		} else {
			drawLines(&s, p, lines, from, to, x, y, w, h)
		}
	}
	s.WriteString("</svg>\n")
	return s.String()
}

const style = `
svg{--page:#f4f5f7;--panel:#fff;--edge:#dde1e7;--ink:#1b1f24;--soft:#667085;--grid:#e6e9ee;font:12px system-ui,sans-serif;
--c0:#1f77d0;--c1:#e08e0b;--c2:#2f9e44;--c3:#d6336c;--c4:#7048e8;--c5:#0c8599;--c6:#a15c07;--c7:#868e96;--c8:#c92a2a;--c9:#5c940d}
@media(prefers-color-scheme:dark){svg{--page:#0f1216;--panel:#171b21;--edge:#262c35;--ink:#e6e9ee;--soft:#9aa4b2;--grid:#262c35;
--c0:#6ea8fe;--c1:#f0b35a;--c2:#69db7c;--c3:#f783ac;--c4:#b197fc;--c5:#66d9e8;--c6:#e8b06a;--c7:#adb5bd;--c8:#ff8787;--c9:#a9e34b}}
.page{fill:var(--page)}.panel{fill:var(--panel);stroke:var(--edge)}text{fill:var(--ink)}.title{font-size:20px;font-weight:600}.section{font-size:13px;font-weight:600}
.name{font-weight:600}.soft{fill:var(--soft);font-size:11px}.grid{stroke:var(--grid)}.value{font-size:30px;font-weight:600}polyline{fill:none;stroke-width:1.5;stroke-linejoin:round}
.green{fill:var(--c2)}.blue{fill:var(--c0)}.orange{fill:var(--c1)}.red{fill:var(--c8)}
`

func text(s *strings.Builder, x, y float64, class, anchor, what string) {
	fmt.Fprintf(s, `<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, html.EscapeString(what))
}

// drawStat shows the newest value, and how it came about.
func drawStat(s *strings.Builder, p panel, lines []line, x, y, w, h float64) {
	if len(lines) == 0 {
		return
	}
	values := lines[0].values
	last := values[len(values)-1]
	color := "blue"
	for _, step := range p.FieldConfig.Defaults.Thresholds.Steps {
		if step.Value == nil || last >= *step.Value {
			color = step.Color
		}
	}
	top := slices.Max(values)
	if top > 0 {
		var points strings.Builder
		for i, v := range values {
			fmt.Fprintf(&points, "%.1f,%.1f ", x+6+(w-12)*float64(i)/float64(max(1, len(values)-1)), y+h-6-(h*0.3)*v/top)
		}
		fmt.Fprintf(s, `<polyline points="%s" style="stroke:var(--c7);opacity:.7"/>`, strings.TrimSpace(points.String()))
	}
	text(s, x+w/2, y+h/2+14, "value "+color, "middle", shownAs(last, p.FieldConfig.Defaults.Unit, p.FieldConfig.Defaults.Decimals))
}

func drawLines(s *strings.Builder, p panel, lines []line, from, to time.Time, x, y, w, h float64) {
	slices.SortStableFunc(lines, func(a, b line) int { return strings.Compare(a.name, b.name) })
	legendRows := float64((min(len(lines), most) + 1) / 2)
	left, right, top, bottom := x+58, x+w-10, y+30, y+h-24-14*legendRows
	if p.stacked() {
		lines = slices.Clone(lines)
		slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(mean(b.values), mean(a.values)) })
		lines = piled(lines)
	}
	highest := 0.0
	for _, l := range lines {
		highest = max(highest, slices.Max(l.values))
	}
	if m := p.FieldConfig.Defaults.Max; m != nil {
		highest = *m
	}
	step := niceStep(highest/4, p.FieldConfig.Defaults.Unit)
	ceiling := step * math.Max(1, math.Ceil(highest/step-1e-9))
	for v := 0.0; v <= ceiling+step/2; v += step {
		at := bottom - (bottom-top)*v/ceiling
		fmt.Fprintf(s, `<path class="grid" d="M%.1f %.1fH%.1f"/>`, left, at, right)
		text(s, left-6, at+4, "soft", "end", shownAs(v, p.FieldConfig.Defaults.Unit, nil))
	}
	span := to.Sub(from)
	every := niceTime(span / 4)
	for at := time.Duration(0); at <= span; at += every {
		px := left + (right-left)*float64(at)/float64(span)
		text(s, px, bottom+14, "soft", "middle", clock(at))
	}
	begin := float64(from.UnixMilli()) / 1000
	for i := len(lines) - 1; i >= 0; i-- {
		l := lines[i]
		var points strings.Builder
		last := 0.0
		for j, v := range l.values {
			px := left + (right-left)*(l.times[j]-begin)/span.Seconds()
			fmt.Fprintf(&points, "%.1f,%.1f ", px, bottom-(bottom-top)*min(v, ceiling)/ceiling)
			last = px
		}
		first := left + (right-left)*(l.times[0]-begin)/span.Seconds()
		if p.stacked() {
			fmt.Fprintf(s, `<polygon points="%.1f,%.1f %s%.1f,%.1f" style="fill:var(--c%d);opacity:.35"/>`, first, bottom, points.String(), last, bottom, i%10)
		}
		fmt.Fprintf(s, `<polyline points="%s" style="stroke:var(--c%d)"/>`, strings.TrimSpace(points.String()), i%10)
	}
	for i, l := range lines {
		if i == most {
			break
		}
		lx, ly := x+12+float64(i%2)*(w-16)/2, y+h-8-14*(legendRows-1-float64(i/2))
		fmt.Fprintf(s, `<rect x="%.1f" y="%.1f" width="10" height="3" style="fill:var(--c%d)"/>`, lx, ly-5, i%10)
		name := l.name
		if i == most-1 && len(lines) > most {
			name = fmt.Sprintf("%s, and %d more", name, len(lines)-most)
		}
		text(s, lx+15, ly, "soft", "start", name)
	}
}

// piled lays each series on those before it.
func piled(lines []line) []line {
	sum := map[float64]float64{}
	for i := range lines {
		values := slices.Clone(lines[i].values)
		for j, at := range lines[i].times {
			sum[at] += values[j]
			values[j] = sum[at]
		}
		lines[i].values = values
	}
	return lines
}

func mean(values []float64) (m float64) {
	for _, v := range values {
		m += v / float64(len(values))
	}
	return m
}

// niceStep is a round number that is not less.
func niceStep(least float64, unit string) float64 {
	if least <= 0 {
		return map[bool]float64{true: 0.25, false: 1}[unit == "percentunit"]
	}
	base, size := 10.0, 1.0
	if unit == "bytes" {
		base = 1024
	}
	for size > least {
		size /= base
	}
	for size*base <= least {
		size *= base
	}
	steps := []float64{1, 2, 2.5, 5, 10}
	if unit == "bytes" {
		steps = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
	}
	for _, n := range steps {
		if n*size >= least {
			return n * size
		}
	}
	return base * size
}

func niceTime(least time.Duration) time.Duration {
	for _, d := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute} {
		if d >= least {
			return d
		}
	}
	return 10 * time.Minute
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// shownAs is a value in its unit.
func shownAs(v float64, unit string, decimals *int) string {
	number := func(v float64) string {
		if decimals != nil {
			return fmt.Sprintf("%.*f", *decimals, v)
		}
		if v >= 100 {
			return fmt.Sprintf("%.0f", v)
		}
		return fmt.Sprintf("%.3g", v)
	}
	scaled := func(base float64, units ...string) string {
		i := 0
		for v >= base && i < len(units)-1 {
			v /= base
			i++
		}
		return strings.TrimSpace(number(v) + " " + units[i])
	}
	switch unit {
	case "s":
		switch {
		case v == 0:
			return "0 s"
		case v < 0.001:
			return number(v*1e6) + " µs"
		case v < 1:
			return number(v*1000) + " ms"
		case v < 120:
			return number(v) + " s"
		}
		return number(v/60) + " min"
	case "bytes":
		return scaled(1024, "B", "KiB", "MiB", "GiB")
	case "Bps":
		return scaled(1000, "B/s", "kB/s", "MB/s", "GB/s")
	case "ops":
		return scaled(1000, "/s", "k/s", "M/s")
	case "percentunit":
		return number(100*v) + " %"
	}
	return scaled(1000, "", "k", "M")
}
