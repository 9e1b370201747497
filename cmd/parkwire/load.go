package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	generator "parkwire/internal/load"
)

// loadClients ends with exit code 0 only where every client was connected and got everything once and in order.
func loadClients(ctx context.Context, s streams, args []string) error {
	if len(args) == 1 && args[0] == "child" { // a process that holds clients
		return generator.Child()
	}
	flags := newFlags(s, "load --url ws://HOST:PORT/notifications[,…] --clients N --publish kafka://HOST:PORT/TOPIC …     PARKWIRE_TOKEN: as whom")
	o := generator.Defaults()
	o.Token, o.Err, o.Terminal = s.env("PARKWIRE_TOKEN"), s.err, isTerminal(s.err)
	flags.Func("url", "where clients connect: ws://HOST:PORT/PATH, several with commas; may be repeated; without it PARKWIRE_URL, or "+defaultURL, func(text string) error {
		o.URLs = append(o.URLs, strings.Split(text, ",")...)
		return nil
	})
	flags.IntVar(&o.Clients, "clients", o.Clients, "how many clients")
	flags.StringVar(&o.Protocol, "protocol", o.Protocol, "what they speak: "+strings.Join(generator.Protocols, ", "))
	flags.IntVar(&o.Lots, "lots", o.Lots, "each client subscribes to one of so many lots; 0: to everything")
	flags.Float64Var(&o.Ramp, "ramp", o.Ramp, "new connections a second; 0: as fast as the server takes them")
	flags.DurationVar(&o.Patience, "patience", o.Patience, "how long to wait for the next client, or for the next frame, before giving up")
	flags.StringVar(&o.Publish, "publish", o.Publish, "where events are published: kafka://HOST:PORT[,HOST:PORT]/TOPIC, redis://HOST:PORT/CHANNEL, none")
	flags.StringVar(&o.Run, "run", o.Run, "letters and digits that name the events; empty: at random. With --publish none: those of another load are listened to")
	flags.IntVar(&o.Size, "size", o.Size, "bytes to which an event is padded; without any it has about 200")
	flags.StringVar(&o.Pattern, "pattern", o.Pattern, "some of "+strings.Join(generator.Patterns, ", ")+", with commas, one after the other: "+
		"lone and burst publish when all have the last one; steady, waves and storm at a rate, while clients go and come; idle holds")
	flags.IntVar(&o.Rounds, "rounds", o.Rounds, "of lone and of burst")
	flags.IntVar(&o.Burst, "burst", o.Burst, "events of a burst")
	flags.IntVar(&o.Warmup, "warmup", o.Warmup, "events to every lot at the beginning that are checked and not measured")
	flags.Float64Var(&o.Rate, "rate", o.Rate, "events a second of steady, waves and storm")
	flags.DurationVar(&o.For, "duration", o.For, "how long these publish, and idle holds; 0: until --events or Ctrl-C")
	flags.IntVar(&o.Events, "events", o.Events, "how many these publish at most; 0: as many as --duration allows")
	flags.Float64Var(&o.Cut, "cut", o.Cut, "share of the clients that waves and storm disconnect")
	flags.DurationVar(&o.Every, "every", o.Every, "how often they do that")
	flags.DurationVar(&o.Away, "away", o.Away, "how long the clients of waves stay away; those of a storm come back at once")
	flags.StringVar(&o.Sched, "sched", o.Sched, "how the kernel schedules the clients: batch lets the server run while it has something to do, other is the default of the system")
	flags.IntVar(&o.Processes, "processes", o.Processes, "that hold the clients; 0: one for each 16,000")
	file := flags.String("json", "", "file for the report as JSON; - for standard output, instead of the text")
	picture := flags.String("svg", "", "file for a picture of the run")
	if err := parse(flags, args); err != nil {
		return err
	}
	if len(o.URLs) == 0 {
		o.URLs = []string{cmp.Or(s.env("PARKWIRE_URL"), defaultURL)}
	}
	report, err := generator.Run(ctx, o)
	if wrong := generator.OptionError(""); errors.As(err, &wrong) {
		return usageError(err.Error())
	}
	if err != nil {
		return err
	}
	if *file != "-" {
		if err := report.Print(s.out); err != nil {
			return err
		}
	}
	if err := writeReport(s, *file, report); err != nil {
		return err
	}
	if *picture != "" {
		if err := os.WriteFile(*picture, report.SVG(), 0o644); err != nil {
			return fmt.Errorf("writing the picture: %w", err)
		}
	}
	return report.Failure()
}
