// Parkwire tells people, the moment it happens, that a parking spot was added, occupied or
// released. `parkwire help` lists what this binary can do.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	_ "time/tzdata" // time zones of lots, wherever the binary runs

	"parkwire/internal/config"
)

// version is set when the binary is built: -ldflags "-X main.version=1.2.3". So is revision, the commit, where Go cannot see it for itself.
var (
	version  = "dev"
	revision = ""
)

// Exit codes: 0 done, 1 failed, 2 the command line or the configuration cannot be used, 130 ended by a second
// signal.
const (
	exitFailure     = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// A command is one subcommand. run gets the arguments behind its name.
type command struct {
	name, summary string
	run           func(ctx context.Context, io streams, args []string) error
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
}

func commands() []command {
	return []command{
		{"all", "run every part in one process, on embedded defaults", serve(config.All)},
		{"demo", "run all, with a generated city that lives", demo},
		{"gateway", "run the gateway: dashboard, REST interface, routing", serve(config.Gateway)},
		{"parking", "run the parking service: spots, transitions, outbox, relay", serve(config.Parking)},
		{"notifications", "run the notification service: Kafka to Redis to WebSocket and SSE clients", serve(config.Notifications)},
		{"history", "run the history service: what was, for how long, and how full; open feeds", serve(config.History)},
		{"audit", "run the audit service: who did what; `audit verify` checks its chain", runAudit},
		{"alerts", "run the alert service: what people wait for, and how they are told", serve(config.Alerts)},
		{"rebuild", "delete what history, audit or alerts has made of the log, and make it again", rebuild},
		{"replay", "send recorded readings to a running platform", replayReadings},
		{"watch", "print notifications as they come", watchEvents},
		{"verify", "check on a running platform that no notification is lost, repeated or out of order", verifyDelivery},
		{"load", "open very many clients, publish, and measure and check what reaches them", loadClients},
		{"token", "print a token", token},
		{"config", "print each effective setting and where it came from", printConfig},
		{"doctor", "examine everything that a deployment depends on, and say what to mend", examine},
		{"health", "ask the process on this machine whether it is ready", askHealth},
		{"version", "print the version, or what the binary is made of", printVersion},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	endAtOnceOnSecondSignal(ctx)
	os.Exit(run(ctx, streams{os.Stdin, os.Stdout, os.Stderr, os.Environ()}, os.Args[1:]))
}

// endAtOnceOnSecondSignal lets somebody who does not want to wait for the first one have their way.
func endAtOnceOnSecondSignal(first context.Context) {
	again := make(chan os.Signal, 2)
	signal.Notify(again, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-first.Done()
		<-again // the first one, which came here too
		<-again
		os.Exit(exitInterrupted)
	}()
}

// run runs the command that args name and returns the exit code.
func run(ctx context.Context, s streams, args []string) int {
	switch {
	case len(args) == 2 && args[0] == "help":
		args = []string{args[1], "-h"}
	case len(args) == 1 && args[0] == "--version":
		args = []string{"version"}
	}
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(s.out)
		if len(args) == 0 {
			return exitUsage
		}
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, s, args[1:])
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return 0
		case errors.As(err, new(usageError)), errors.As(err, new(config.Errors)):
			fmt.Fprintf(s.err, "parkwire %s: %v\n", c.name, err)
			return exitUsage
		}
		fmt.Fprintf(s.err, "parkwire %s: %v\n", c.name, err)
		return exitFailure
	}
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	fmt.Fprintf(s.err, "parkwire: there is no command %q%s; `parkwire help` lists them\n", args[0], config.DidYouMean(args[0], names))
	return exitUsage
}

// usageError is a command line that cannot be used.
type usageError string

func (e usageError) Error() string { return string(e) }

func usage(w io.Writer) {
	fmt.Fprint(w, "Parkwire tells people, the moment it happens, that a parking spot was added, occupied or released.\n\n"+
		"usage: parkwire COMMAND [settings]\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(t, "  %s\t%s\n", c.name, c.summary)
	}
	t.Flush()
	fmt.Fprint(w, "\n`parkwire COMMAND -h` lists the settings of a command. Each is a flag (--listen :5000), an environment\n"+
		"variable (PARKWIRE_LISTEN), or a line of a YAML file (listen: :5000) named by --config; flags win over\n"+
		"variables, and variables over the file.\n")
}

// newFlags returns the flags of a command. Its help begins with what the command line looks like.
func newFlags(s streams, synopsis string) *flag.FlagSet {
	f := flag.NewFlagSet("parkwire", flag.ContinueOnError)
	f.SetOutput(io.Discard) // errors are told by run
	f.Usage = func() {
		fmt.Fprintf(s.out, "usage: parkwire %s\n\n", synopsis)
		t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		f.VisitAll(func(one *flag.Flag) {
			fallback := ""
			if one.DefValue != "" && one.DefValue != "false" {
				fallback = fmt.Sprintf(" (default %s)", one.DefValue)
			}
			fmt.Fprintf(t, "  --%s\t%s%s\n", one.Name, one.Usage, fallback)
		})
		t.Flush()
	}
	return f
}

// parse parses the flags of a command that takes no other arguments.
func parse(f *flag.FlagSet, args []string) error {
	help := f.Usage
	f.Usage = func() {} // for what is wrong, one line says more than all flags
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			help()
			return err
		}
		text := err.Error()
		if wrong, unknown := strings.CutPrefix(text, "flag provided but not defined: -"); unknown {
			var names []string
			f.VisitAll(func(one *flag.Flag) { names = append(names, one.Name) })
			text = "there is no flag --" + wrong + config.DidYouMean(wrong, names)
		}
		return usageError(text + "; -h lists the flags")
	}
	if f.NArg() > 0 {
		return usageError(fmt.Sprintf("%q is no flag: they are written --name value, or --name=value; -h lists them", strings.Join(f.Args(), " ")))
	}
	return nil
}
