package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Pictures are made by hand: text, bars and lines in colours that can be read on white and on black.
const svgStyle = `<style>
text{font:13px system-ui,sans-serif;fill:#24292f}.dim{fill:#57606a;font-size:12px}.bar{fill:#8c959f}.ours{fill:#1f6feb}.limit{fill:#bf8700}
.line{fill:none;stroke-width:2}.l0{stroke:#1f6feb}.l1{stroke:#bf8700}.l2{stroke:#2da44e}.d0{fill:#1f6feb}.d1{fill:#bf8700}.d2{fill:#2da44e}
.grid{stroke:#d0d7de}.range{stroke:#24292f;stroke-width:1.5}.even{stroke:#8c959f;stroke-dasharray:4 4}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.grid{stroke:#3d444d}.range{stroke:#e6edf3}.bar{fill:#6e7681}}
</style>
`

func svg(width, height int, title, body string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img"><title>%s</title>
%s%s</svg>
`, width, height, html.EscapeString(title), svgStyle, body)
}

// A bar is one row of a bar chart: the median, and a line from the least to the most.
type bar struct {
	label, class string
	spread       spread
}

// bars draws rows from the largest to the least as they come.
func bars(title, unit string, rows []bar) string {
	const width, left, right, row = 760, 250, 110, 26
	var most float64
	for _, r := range rows {
		most = max(most, r.spread.max)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<text x="8" y="20">%s</text><text class="dim" x="%d" y="20" text-anchor="end">%s</text>`+"\n", html.EscapeString(title), width-8, html.EscapeString(unit))
	x := func(v float64) float64 { return left + v/most*(width-left-right) }
	for i, r := range rows {
		y := 36 + i*row
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect class="%s" x="%d" y="%d" width="%.1f" height="16" rx="2"/>`,
			left-8, y+13, html.EscapeString(strings.ReplaceAll(r.label, "`", "")), r.class, left, y, x(r.spread.median)-left)
		from, to := x(r.spread.min), x(r.spread.max)
		fmt.Fprintf(&b, `<path class="range" d="M%.1f %dH%.1fM%.1f %dv8M%.1f %dv8"/><text x="%.1f" y="%d">%s</text>`+"\n",
			from, y+8, to, from, y+4, to, y+4, to+8, y+13, count(r.spread.median))
	}
	return svg(width, 44+len(rows)*row, title, b.String())
}

// A curve is points of growing x.
type curve struct {
	label  string
	points [][2]float64
}

// curves draws lines on logarithmic axes, and beside each a broken one that grows as x does, from its first point: what lies on or under it is no
// worse than linear.
func curves(title, xUnit string, lines []curve) string {
	const width, height, left, right, top, bottom = 760, 360, 64, 24, 56, 40
	lowX, highX, lowY, highY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, l := range lines {
		for _, p := range l.points {
			lowX, highX, lowY, highY = min(lowX, p[0]), max(highX, p[0]), min(lowY, p[1]), max(highY, p[1])
		}
	}
	lowX, lowY = math.Floor(math.Log10(lowX)), math.Floor(math.Log10(lowY))
	highX, highY = max(math.Ceil(math.Log10(highX)), lowX+1), max(math.Ceil(math.Log10(highY)), lowY+1)
	x := func(v float64) float64 { return left + (math.Log10(v)-lowX)/(highX-lowX)*(width-left-right) }
	y := func(v float64) float64 {
		return height - bottom - (math.Log10(v)-lowY)/(highY-lowY)*(height-top-bottom)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<text x="8" y="20">%s</text><text class="dim" x="%d" y="%d" text-anchor="end">%s</text>`+"\n", html.EscapeString(title), width-right, height-6, html.EscapeString(xUnit))
	for e := lowX; e <= highX; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(&b, `<path class="grid" d="M%.1f %dV%d"/><text class="dim" x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", x(v), top, height-bottom, x(v), height-bottom+16, short(v))
	}
	for e := lowY; e <= highY; e++ {
		v := math.Pow(10, e)
		fmt.Fprintf(&b, `<path class="grid" d="M%d %.1fH%d"/><text class="dim" x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", left, y(v), width-right, left-6, y(v)+4, short(v))
	}
	at := 8
	for i, l := range lines {
		fmt.Fprintf(&b, `<rect class="d%d" x="%d" y="30" width="12" height="12" rx="2"/><text class="dim" x="%d" y="41">%s</text>`, i, at, at+18, html.EscapeString(l.label))
		at += 40 + 7*len(l.label)
		if len(l.points) == 0 {
			continue
		}
		first, last := l.points[0], l.points[len(l.points)-1]
		end := min(first[1]*last[0]/first[0], math.Pow(10, highY))
		fmt.Fprintf(&b, `<path class="even" d="M%.1f %.1fL%.1f %.1f"/><path class="line l%d" d="M`, x(first[0]), y(first[1]), x(first[0]*end/first[1]), y(end), i)
		for j, p := range l.points {
			if j > 0 {
				b.WriteString("L")
			}
			fmt.Fprintf(&b, "%.1f %.1f", x(p[0]), y(p[1]))
		}
		b.WriteString("\"/>")
		for _, p := range l.points {
			fmt.Fprintf(&b, `<circle class="d%d" cx="%.1f" cy="%.1f" r="3.5"/>`, i, x(p[0]), y(p[1]))
		}
		b.WriteString("\n")
	}
	return svg(width, height, title, b.String())
}

// short writes a power of ten.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%gM", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%gk", v/1e3)
	}
	return fmt.Sprintf("%g", v)
}
