package e2e

import (
	"cmp"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"parkwire/internal/trace/tracetest"
	"parkwire/test/e2e/stack"
)

const (
	fallWidth = 1000
	fallLeft  = 392 // where time begins
	fallRight = 24
	fallTop   = 108
	fallRow   = 26
)

// drawTrace draws the spans of a trace as they came, one a row, each below the one that began it.
func drawTrace(t *testing.T, root tracetest.Span, h hops) {
	t.Helper()
	type row struct {
		tracetest.Span
		depth int
	}
	var rows []row
	var walk func(s tracetest.Span, depth int)
	walk = func(s tracetest.Span, depth int) {
		rows = append(rows, row{s, depth})
		var below hops
		for _, one := range h {
			if one.Parent == s.ID {
				below = append(below, one)
			}
		}
		slices.SortFunc(below, func(a, b tracetest.Span) int {
			return cmp.Or(a.Begin.Compare(b.Begin), strings.Compare(a.Service, b.Service))
		})
		for _, one := range below {
			walk(one, depth+1)
		}
	}
	walk(root, 0)
	end := root.End
	for _, r := range rows {
		if r.End.After(end) {
			end = r.End
		}
	}
	whole := end.Sub(root.Begin)
	x := func(at time.Time) float64 {
		return fallLeft + float64(at.Sub(root.Begin))/float64(whole)*(fallWidth-fallLeft-fallRight)
	}
	d := &picture{}
	height := fallTop + len(rows)*fallRow + 24
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="One change of a spot, hop by hop">`, fallWidth, height)
	fmt.Fprintf(d, "<style>%s%s</style><rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n", pictureStyle, fallStyle)
	d.text(16, 30, "title", "start", "One change of a spot, hop by hop")
	d.text(16, 52, "soft", "start", fmt.Sprintf("Trace %s: %d spans of %d processes, %s.", root.Trace, len(rows), processes(h), shown(whole)))
	step := scaleOf(whole)
	for at := time.Duration(0); at <= whole; at += step {
		fmt.Fprintf(d, `<path class="axis" d="M%.1f %dV%d"/>`, x(root.Begin.Add(at)), fallTop-12, height-16)
		d.text(x(root.Begin.Add(at)), fallTop-18, "soft", "middle", shown(at))
	}
	for i, r := range rows {
		y := float64(fallTop + i*fallRow)
		service := strings.TrimPrefix(r.Service, "parkwire-")
		d.text(float64(16+14*r.depth), y+16, "", "start", html.EscapeString(nameOf(r.Span)))
		d.text(fallLeft-12, y+16, "soft", "end", service)
		from, to := x(r.Begin), x(r.End)
		fmt.Fprintf(d, `<rect class="hop %s" x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2"><title>%s %s, %s after the beginning, for %s</title></rect>`+"\n",
			service, from, y+4, max(2, to-from), fallRow-10, service, html.EscapeString(r.Name), shown(r.Begin.Sub(root.Begin)), shown(r.End.Sub(r.Begin)))
		length := shown(r.End.Sub(r.Begin))
		if to+60 < fallWidth {
			d.text(max(from+2, to)+5, y+16, "soft", "start", length)
		} else {
			d.text(from-5, y+16, "soft", "end", length)
		}
	}
	d.WriteString("</svg>\n")
	if err := os.WriteFile(filepath.Join(stack.Root(), "docs", "images", "trace.svg"), []byte(d.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

const fallStyle = `
svg{font-size:12.5px}.hop{fill:#8b93a1}.hop.gateway{fill:#1f6feb}.hop.parking{fill:#b35900}.hop.notifications{fill:#1a7f37}.hop.history{fill:#8250df}.hop.audit{fill:#bf3989}.hop.alerts{fill:#c0392b}
`

// nameOf is a span's name without what is only of the test's topics.
func nameOf(s tracetest.Span) string {
	name := s.Name
	for _, verb := range []string{"send ", "process "} {
		if strings.HasPrefix(name, verb+"e2e-") {
			name = verb + "parking-events"
		}
	}
	switch {
	case s.Attributes["parkwire.clients"] != "":
		name += " (" + s.Attributes["parkwire.clients"] + ")"
	case s.Kind == tracepb.Span_SPAN_KIND_SERVER:
		name = strings.Replace(name, "/api/v1", "", 1)
	}
	return name
}

func processes(h hops) int {
	instances := map[string]bool{}
	for _, s := range h {
		instances[s.Instance] = true
	}
	return len(instances)
}

// scaleOf returns between which times lines are drawn: 4 to 10 of them.
func scaleOf(whole time.Duration) time.Duration {
	for step := time.Millisecond; ; step *= 10 {
		for _, n := range []time.Duration{1, 2, 5} {
			if whole/(n*step) < 10 {
				return n * step
			}
		}
	}
}

func shown(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return fmt.Sprintf("%.3g ms", float64(d.Microseconds())/1000)
}
