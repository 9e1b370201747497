package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"parkwire/internal/verify"
)

// verifyDelivery ends with exit code 0 only where the platform kept its promise.
func verifyDelivery(ctx context.Context, s streams, args []string) error {
	flags := newFlags(s, "verify [--url URL] [--duration D] [--rate R] [--clients C] …     PARKWIRE_TOKEN: as whom (scope operate)")
	o := verify.Defaults()
	o.Token, o.Err, o.Terminal = s.env("PARKWIRE_TOKEN"), s.err, isTerminal(s.err)
	url := urlFlag(flags, s)
	flags.Func("listen-url", "a further address of notifications, such as an instance; may be repeated", func(text string) error {
		o.ListenURLs = append(o.ListenURLs, text)
		return nil
	})
	flags.IntVar(&o.Spots, "spots", o.Spots, "spots of the lot that is made for this, and removed again")
	flags.IntVar(&o.Writers, "writers", o.Writers, "how many write at once")
	flags.Float64Var(&o.Rate, "rate", o.Rate, "changes a second, all writers together")
	flags.IntVar(&o.Batch, "batch", o.Batch, "changes a request: 1 occupies and releases, more sends readings")
	flags.DurationVar(&o.For, "duration", o.For, "how long to write; 0: until interrupted")
	flags.IntVar(&o.Clients, "clients", o.Clients, "how many clients listen")
	flags.IntVar(&o.SSE, "sse", o.SSE, "how many of these by server-sent events instead of a WebSocket")
	flags.IntVar(&o.V1, "v1", o.V1, "how many of these by the subprotocol parkwire.v1")
	flags.IntVar(&o.Snapshot, "snapshot", o.Snapshot, "how many of these by parkwire.v1, beginning anew with a snapshot now and then")
	flags.DurationVar(&o.Late, "late", o.Late, "count frames that come later than this after the request")
	flags.DurationVar(&o.Settle, "settle", o.Settle, "how long clients may take at the end until they have seen everything")
	file := flags.String("json", "", "file for the report as JSON; - for standard output, instead of the text")
	if err := parse(flags, args); err != nil {
		return err
	}
	o.URL = *url
	marks, stop := operatorMarks()
	defer stop()
	o.Marks = marks

	report, err := verify.Run(ctx, o)
	if wrong := verify.OptionError(""); errors.As(err, &wrong) {
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
	return report.Failure()
}

func writeReport(s streams, file string, report any) error {
	if file == "" {
		return nil
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if file == "-" {
		_, err = s.out.Write(text)
	} else {
		err = os.WriteFile(file, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}
