package watch

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parkwire/internal/event"
)

// printer prints events as lines whose columns stand below each other.
type printer struct {
	out     io.Writer
	colours bool
	zone    *time.Location
	widths  [4]int // of the columns so far; they only grow
}

const layout = "2006-01-02 15:04:05.000"

// The colours of statuses (https://en.wikipedia.org/wiki/ANSI_escape_code#Colors).
var colours = map[event.Status]string{
	event.Free: "32", event.Occupied: "31", event.Reserved: "35", event.Closed: "90", event.OutOfService: "90",
	event.Unknown: "33", event.Removed: "90",
}

func (p *printer) print(raw []byte) error {
	e, err := event.Decode(raw)
	if err != nil {
		_, err := fmt.Fprintln(p.out, printable(string(raw)))
		return err
	}
	place := e.LotID
	if e.ZoneID != "" {
		place += " " + e.ZoneID
	}
	change := string(e.Change)
	if change == "" {
		change = "-" // another program wrote it
	}
	columns := [4]string{printable(change), printable(e.SpotID), printable(place), printable(string(e.PreviousStatus))}
	var line strings.Builder
	when := strings.Repeat(" ", len(layout)) // other programs may leave it out
	if !e.Timestamp.IsZero() {
		when = e.Timestamp.In(p.zone).Format(layout)
	}
	line.WriteString(when)
	for i, text := range columns {
		p.widths[i] = max(p.widths[i], utf8.RuneCountInString(text))
		fmt.Fprintf(&line, "  %s%s", text, strings.Repeat(" ", p.widths[i]-utf8.RuneCountInString(text)))
	}
	line.WriteString(" → ")
	status := printable(string(e.Status))
	if colour := colours[e.Status]; p.colours && colour != "" {
		status = "\x1b[" + colour + "m" + status + "\x1b[0m"
	}
	line.WriteString(status)
	if e.Version > 0 {
		fmt.Fprintf(&line, "  v%d", e.Version)
	}
	if e.Source != "" {
		line.WriteString("  " + printable(e.Source))
	}
	_, err = fmt.Fprintln(p.out, line.String())
	return err
}

// printable keeps what other programs wrote into an event from moving the cursor of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, s)
}
