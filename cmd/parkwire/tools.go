package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"parkwire/internal/client"
	"parkwire/internal/replay"
	"parkwire/internal/watch"
)

// The tools speak to a running platform: where, and as whom.
const defaultURL = "http://localhost:5000"

func replayReadings(ctx context.Context, s streams, args []string) error {
	flags := newFlags(s, "replay --input FILE --lot ID [--time-zone TZ] [--speed N|max] [--url URL]     PARKWIRE_TOKEN: as whom")
	url := urlFlag(flags, s)
	input := flags.String("input", "", "CSV file with local_time,spot_id,status; - for standard input")
	lot := flags.String("lot", "", "id of the lot that the spots belong to; made where there is none")
	zone := flags.String("time-zone", "", "IANA name of the zone of the times, such as America/Sao_Paulo; empty: the lot's")
	speed := flags.String("speed", "max", "times as fast as it was recorded, or max")
	if err := parse(flags, args); err != nil {
		return err
	}
	for name, value := range map[string]string{"input": *input, "lot": *lot} {
		if value == "" {
			return usageError(fmt.Sprintf("--%s is missing, as in `parkwire replay --input readings.csv --lot central --time-zone Europe/Berlin`", name))
		}
	}
	times, err := replay.ParseSpeed(*speed)
	if err != nil {
		return usageError("--speed: " + err.Error())
	}
	c, err := newClient(*url, s)
	if err != nil {
		return err
	}
	defer c.Close()
	return replay.Run(ctx, replay.Options{
		Client: c, Input: *input, Stdin: s.in, Lot: *lot, TimeZone: *zone, Speed: times, Out: s.out, Err: s.err, Terminal: isTerminal(s.err),
	})
}

func watchEvents(ctx context.Context, s streams, args []string) error {
	flags := newFlags(s, "watch [--lot ID] [--zone ID] [--spot ID] [--status S] [--change C] [--after CURSOR] [--json] [--url URL]")
	o := watch.Options{Out: s.out, Err: s.err, Colours: isTerminal(s.out) && s.env("NO_COLOR") == ""}
	url := urlFlag(flags, s)
	repeated(flags, "lot", &o.Lots)
	repeated(flags, "zone", &o.Zones)
	repeated(flags, "spot", &o.Spots)
	repeated(flags, "status", &o.Statuses)
	repeated(flags, "change", &o.Changes)
	flags.StringVar(&o.After, "after", "", "cursor of an event: what came later is printed first")
	flags.BoolVar(&o.JSON, "json", false, "print each event as it came, one a line")
	if err := parse(flags, args); err != nil {
		return err
	}
	c, err := newClient(*url, s)
	if err != nil {
		return err
	}
	o.URL, o.Token = c.URL(), s.env("PARKWIRE_TOKEN")
	return watch.Run(ctx, o)
}

func repeated[S ~string](flags *flag.FlagSet, name string, values *[]S) {
	flags.Func(name, "only events of this "+name+"; may be repeated", func(text string) error { *values = append(*values, S(text)); return nil })
}

func urlFlag(flags *flag.FlagSet, s streams) *string {
	return flags.String("url", cmp.Or(s.env("PARKWIRE_URL"), defaultURL), "where the platform is (PARKWIRE_URL)")
}

func newClient(url string, s streams) (*client.Client, error) {
	waiting := func(err error) { fmt.Fprintf(s.err, "%v; trying again\n", err) }
	c, err := client.New(client.Options{URL: url, Token: s.env("PARKWIRE_TOKEN"), Waiting: waiting})
	if err != nil {
		return nil, usageError("--url: " + err.Error())
	}
	return c, nil
}

// env returns an environment variable; of several of one name the last.
func (s streams) env(name string) (value string) {
	for _, pair := range s.environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// isTerminal reports whether a stream goes to a person's eyes.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
