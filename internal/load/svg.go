package load

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// The picture is narrow, so that it can be read on a phone, where it is scaled to three quarters.
const (
	width   = 480
	left    = 68 // of the plots, for the numbers
	right   = 464
	plot    = 120 // height of one
	spacing = 190 // from one to the next
	top     = 150
)

// style follows the reader's colours.
const style = `
svg{--ink:#1b1f24;--soft:#667085;--line:#d5dae1;--paper:#fff;--a:#1f6feb;--b:#0b8457;--c:#9a5b00;font:15px system-ui,sans-serif}
@media(prefers-color-scheme:dark){svg{--ink:#e6e9ee;--soft:#9aa4b2;--line:#3a424d;--paper:#14181d;--a:#6ea8fe;--b:#4cc38a;--c:#f0b35a}}
.paper{fill:var(--paper)}text{fill:var(--ink)}.soft{fill:var(--soft);font-size:13px}.title{font-size:18px;font-weight:600}
.axis{stroke:var(--line);fill:none}.a{stroke:var(--a)}.b{stroke:var(--b)}.c{fill:var(--c)}.curve{fill:none;stroke-width:2;stroke-linejoin:round}
.mark{stroke:var(--ink);stroke-dasharray:3 3}`

// SVG draws the run: clients and deliveries over time, and the latencies of the last phase.
func (r Report) SVG() []byte {
	d := &drawing{}
	height := top + 2*spacing + plot + 60
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="parkwire load">`, width, height)
	fmt.Fprintf(d, "<style>%s\n</style><rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n", style)
	d.text(16, 32, "title", "start", fmt.Sprintf("%s clients, %s", grouped(float64(r.Clients.Connected)), strings.ReplaceAll(r.Pattern, ",", ", ")))
	d.text(16, 56, "soft", "start", fmt.Sprintf("%s by %s, %s, events of %d bytes, %s", r.Protocol, r.Publish, r.subscriptions(), r.Bytes, r.Hardware))
	d.text(16, 80, "", "start", fmt.Sprintf("%s deliveries/s (median), p99 %s", grouped(r.DeliveriesPerSecond.Median), milliseconds(r.Latency.P99)))
	d.text(16, 102, "", "start", fmt.Sprintf("of %s: %s lost, %s repeated, %s out of order", grouped(float64(r.Events.Expected)),
		grouped(float64(r.Events.Lost)), grouped(float64(r.Events.Repeated)), grouped(float64(r.Events.OutOfOrder))))
	times, clients := make([]float64, 0, len(r.Samples)), make([]float64, 0, len(r.Samples))
	for _, s := range r.Samples {
		times, clients = append(times, s.Seconds), append(clients, float64(s.Clients))
	}
	d.curve(top, "clients", "a", times, clients)
	d.curve(top+spacing, "deliveries/s", "b", times, rates(r.Samples))
	d.latencies(top+2*spacing, r.Histogram, r.Latency)
	d.WriteString("</svg>\n")
	return []byte(d.String())
}

// rates are deliveries a second, between each sample and the one before it.
func rates(samples []Sample) []float64 {
	all := make([]float64, len(samples))
	for i := 1; i < len(samples); i++ {
		if took := samples[i].Seconds - samples[i-1].Seconds; took > 0.01 {
			all[i] = float64(samples[i].Delivered-samples[i-1].Delivered) / took
		}
	}
	return all
}

type drawing struct{ strings.Builder }

func (d *drawing) text(x, y float64, class, anchor, text string) {
	fmt.Fprintf(d, `<text x="%.0f" y="%.0f" class="%s" text-anchor="%s">%s</text>`+"\n", x, y, class, anchor, html.EscapeString(text))
}

// frame draws the axes of a plot whose highest value is most.
func (d *drawing) frame(y float64, title string, most float64) {
	d.text(left, y-12, "", "start", title)
	for _, part := range []float64{0, 0.5, 1} {
		line := y + plot*(1-part)
		fmt.Fprintf(d, `<path class="axis" d="M%d %.1fH%d"/>`, left, line, right)
		d.text(left-8, line+4, "soft", "end", short(most*part))
	}
}

// curve draws values over time. Of many it keeps the highest of each point of the picture.
func (d *drawing) curve(y float64, title, class string, times, values []float64) {
	most := niceAbove(values)
	d.frame(y, title, most)
	end := 1.0
	if len(times) > 0 {
		end = max(times[len(times)-1], 0.001)
	}
	var path strings.Builder
	at, highest := -1.0, 0.0
	point := func() {
		if at >= 0 {
			fmt.Fprintf(&path, "%s%.0f %.1f", map[bool]string{true: "M", false: "L"}[path.Len() == 0], at, y+plot*(1-highest/most))
		}
	}
	for i, v := range values {
		x := math.Round(left + times[i]/end*(right-left))
		if x != at {
			point()
			at, highest = x, v
		}
		highest = max(highest, v)
	}
	point()
	fmt.Fprintf(d, `<path class="curve %s" d="%s"/>`+"\n", class, path.String())
	d.text(left, y+plot+20, "soft", "start", "0 s")
	d.text(right, y+plot+20, "soft", "end", fmt.Sprintf("%.3g s", end))
}

// bars is how many the histogram is drawn with.
const bars = 44

// latencies draws a histogram over a logarithmic axis.
func (d *drawing) latencies(y float64, buckets []Bucket, l Latency) {
	if len(buckets) == 0 {
		d.text(left, y-12, "", "start", "latency: nothing was measured")
		return
	}
	low := math.Floor(math.Log10(max(buckets[0].UpToMs, 0.01)))
	high := max(math.Ceil(math.Log10(max(buckets[len(buckets)-1].UpToMs, 0.01))), low+1)
	place := func(ms float64) float64 { return min(max((math.Log10(max(ms, 0.001))-low)/(high-low), 0), 1) }
	counts := make([]float64, bars)
	for _, b := range buckets {
		counts[min(int(place(b.UpToMs)*bars), bars-1)] += float64(b.Count)
	}
	most := niceAbove(counts)
	d.frame(y, fmt.Sprintf("latency: p50 %s, p99 %s, max %s", milliseconds(l.P50), milliseconds(l.P99), milliseconds(l.Max)), most)
	const step = float64(right-left) / bars
	for i, n := range counts {
		if n > 0 {
			h := max(1, plot*n/most)
			fmt.Fprintf(d, `<rect class="c" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, left+float64(i)*step, y+plot-h, step-1, h)
		}
	}
	for _, q := range []float64{l.P50, l.P99} {
		fmt.Fprintf(d, `<path class="mark" d="M%.1f %.1fv%d"/>`, left+place(q)*(right-left), y, plot)
	}
	for power := low; power <= high; power++ {
		anchor := "middle"
		if power == high {
			anchor = "end"
		}
		d.text(left+(power-low)/(high-low)*(right-left), y+plot+20, "soft", anchor, milliseconds(math.Pow(10, power)))
	}
}

// niceAbove is the least 1, 2 or 5 of a power of ten that no value exceeds.
func niceAbove(values []float64) float64 {
	highest := 1.0
	for _, v := range values {
		highest = max(highest, v)
	}
	power := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, step := range []float64{1, 2, 5} {
		if highest <= step*power {
			return step * power
		}
	}
	return 10 * power
}

// short is a number with a unit instead of zeros.
func short(v float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= unit.size {
			return strconv.FormatFloat(v/unit.size, 'g', 3, 64) + unit.name
		}
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// grouped writes thousands apart.
func grouped(v float64) string {
	text := strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func milliseconds(ms float64) string {
	if ms >= 1000 {
		return strconv.FormatFloat(ms/1000, 'g', 3, 64) + " s"
	}
	return strconv.FormatFloat(ms, 'g', 3, 64) + " ms"
}
