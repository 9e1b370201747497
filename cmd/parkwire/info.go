package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"parkwire/internal/config"
)

// printConfig prints the effective configuration of a target.
func printConfig(_ context.Context, s streams, args []string) error {
	target := config.All
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		target, args = config.Target(args[0]), args[1:]
	}
	flags := newFlags(s, "config [all|gateway|parking|notifications|history|audit|alerts] [--format text|json] [settings]")
	loader := config.NewLoader()
	loader.RegisterFlags(flags)
	format := flags.String("format", "text", "how it is printed: text or json")
	if err := parse(flags, args); err != nil {
		return err
	}
	if *format != "text" && *format != "json" {
		return usageError(fmt.Sprintf("--format: %q is none of text, json", *format))
	}
	if err := loader.Load(s.environ); err != nil {
		return err
	}
	// What is missing is told after what there is.
	_, missing := loader.Resolve(target)
	for _, warning := range loader.Warnings {
		fmt.Fprintln(s.err, "warning:", warning)
	}
	if err := loader.Print(s.out, *format == "json"); err != nil {
		return err
	}
	return missing
}

// askHealth asks /readyz of the process on this machine, for supervisors that can only run a command.
func askHealth(ctx context.Context, s streams, args []string) error {
	flags := newFlags(s, "health [--admin-listen ADDRESS]")
	loader := config.NewLoader()
	loader.RegisterFlags(flags, "admin-listen")
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := loader.Load(s.environ); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+config.Dialable(loader.Config().AdminListen)+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("nothing answers at admin-listen: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return err
	}
	fmt.Fprint(s.out, string(text))
	if answer.StatusCode != http.StatusOK {
		return errors.New("the process is not ready")
	}
	return nil
}

func printVersion(_ context.Context, s streams, args []string) error {
	if err := parse(newFlags(s, "version"), args); err != nil {
		return err
	}
	revision := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = " " + setting.Value[:min(12, len(setting.Value))]
			}
		}
	}
	fmt.Fprintf(s.out, "parkwire %s%s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
