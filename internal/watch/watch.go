// Package watch prints notifications as they come.
package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"

	"parkwire/internal/client"
)

// Options configure [Run]. Client, Out and Err are required.
type Options struct {
	Client *client.Client
	// What is printed: events that match one of the values in each field that has any.
	Lots, Zones, Spots, Statuses, Changes []string
	After                                 string // the cursor behind which to begin; empty: now

	JSON    bool // print each event as it came, one a line
	Colours bool
	Out     io.Writer
	Err     io.Writer // is told of connections that are lost and won again
	// Zone is whose clock the times are shown by; nil: that of this machine.
	Zone *time.Location
}

// Run prints until ctx ends, which is no error. A lost connection is won again, and what was missed
// meanwhile is printed then. It returns an error when the platform refuses what is asked, or
// when Out takes no more.
func Run(ctx context.Context, o Options) error {
	p := &printer{out: o.Out, colours: o.Colours, zone: o.Zone}
	if o.Zone == nil {
		p.zone = time.Local
	}
	print := p.print
	if o.JSON {
		print = func(raw []byte) error {
			var line bytes.Buffer
			if err := json.Compact(&line, raw); err != nil { // other programs may use several lines
				return err
			}
			line.WriteByte('\n')
			_, err := line.WriteTo(o.Out)
			return err
		}
	}
	lost := false
	err := o.Client.Follow(ctx, client.Follow{
		Filter: url.Values{"lot": o.Lots, "zone": o.Zones, "spot": o.Spots, "status": o.Statuses, "change": o.Changes},
		After:  o.After,
		Event:  print,
		State: func(s client.State, err error) {
			switch {
			case s == client.Expired:
				fmt.Fprintln(o.Err, "the platform no longer has what came after the last event: some are missing here")
			case s == client.Disconnected:
				lost = true
				fmt.Fprintf(o.Err, "not connected to %s: %v; trying again\n", o.Client.URL(), err)
			case lost:
				fmt.Fprintln(o.Err, "connected again: going on behind the last event")
			}
		},
	})
	return client.Advise(err, "read")
}
