// Package watch prints notifications as they come.
package watch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	parkwire "parkwire/clients/go"
	"parkwire/internal/client"
	"parkwire/internal/event"
	"parkwire/internal/problem"
)

// Options configure [Run]. URL, Out and Err are required.
type Options struct {
	URL   string
	Token string // empty: as nobody
	// What is printed: events that match one of the values in each field that has any.
	Lots, Zones, Spots []string
	Statuses           []parkwire.Status
	Changes            []parkwire.Change
	After              string // the cursor behind which to begin; empty: now

	JSON    bool // print each event as it came, one a line, with the cursor behind it where there is one
	Colours bool
	Out     io.Writer
	Err     io.Writer // is told of connections that are lost and won again
	// Zone is whose clock the times are shown by; nil: that of this machine.
	Zone *time.Location
	// Backoff is how long to wait before a try; nil: as [parkwire.Options] says.
	Backoff func(try int) time.Duration
}

// Run prints until ctx ends, which is no error. A lost connection is won again, and what was missed
// meanwhile is printed then. It returns an error when the platform refuses what is asked, or
// when Out takes no more.
func Run(ctx context.Context, o Options) error {
	err := run(ctx, o)
	var refused *parkwire.RefusedError
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.As(err, &refused):
		return client.Advise(problem.New(refused.StatusCode, refused.Code, refused.Error()), "read")
	}
	return err
}

func run(ctx context.Context, o Options) error {
	print := o.printer()
	tell := teller{out: o.Err}
	options := parkwire.Options{URLs: []string{o.URL}, Backoff: o.Backoff, OnStatus: tell.status}
	if o.Token != "" {
		options.Token = parkwire.StaticToken(o.Token)
	}
	c, err := parkwire.Connect(ctx, options)
	if err != nil {
		return err
	}
	defer c.Close()
	filter := parkwire.Filter{Lots: o.Lots, Zones: o.Zones, Spots: o.Spots, Statuses: o.Statuses, Changes: o.Changes}
	for after := o.After; ; after = "" {
		subscription, err := c.Subscribe(filter, parkwire.After(after))
		if err != nil {
			return err
		}
		for message, err := range subscription.Messages(ctx) {
			if errors.Is(err, parkwire.ErrCursorExpired) {
				fmt.Fprintln(o.Err, "the platform no longer has what came after the last event: some are missing here")
				break
			}
			if err == nil {
				err = show(print, o.Err, message)
			}
			if err != nil {
				return err
			}
		}
	}
}

// printer returns what prints an event, or whatever other programs published.
func (o Options) printer() func(raw []byte, cursor string) error {
	if !o.JSON {
		p := &printer{out: o.Out, colours: o.Colours, zone: o.Zone}
		if o.Zone == nil {
			p.zone = time.Local
		}
		return func(raw []byte, _ string) error { return p.print(raw) }
	}
	return func(raw []byte, cursor string) error {
		var line bytes.Buffer
		if cursor != "" {
			raw = event.AppendCursor(nil, raw, cursor)
		}
		if err := json.Compact(&line, raw); err != nil { // other programs may use several lines
			return err
		}
		line.WriteByte('\n')
		_, err := line.WriteTo(o.Out)
		return err
	}
}

func show(print func(raw []byte, cursor string) error, log io.Writer, message parkwire.Message) error {
	switch m := message.(type) {
	case parkwire.Event:
		return print(m.Raw, m.Cursor)
	case parkwire.Foreign:
		return print(m.JSON, "")
	case parkwire.Conflated:
		fmt.Fprintf(log, "%d events are missing here, older ones of their spots: this end was too slow\n", m.Omitted)
	case parkwire.Gap:
		fmt.Fprintf(log, "%s: the versions between %d and %d did not come, which is a defect\n", printable(m.SpotID), m.After, m.Version)
	}
	return nil
}

// teller tells what happens to the connection, each change once.
type teller struct {
	out         io.Writer
	lost, stale bool
}

func (t *teller) status(s parkwire.ConnectionStatus) {
	if lost := !s.Connected; lost != t.lost {
		if t.lost = lost; lost {
			fmt.Fprintf(t.out, "not connected to %v; trying again\n", s.Err)
		} else {
			fmt.Fprintln(t.out, "connected again: going on behind the last event")
		}
	}
	if stale := !s.StaleSince.IsZero(); s.Connected && stale != t.stale {
		if t.stale = stale; stale {
			fmt.Fprintln(t.out, "the platform cannot reach its event log: what happens now comes later")
		} else {
			fmt.Fprintln(t.out, "the platform reaches its event log again")
		}
	}
}
