package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"parkwire/internal/config"
	"parkwire/internal/sbom"
	"parkwire/web"
)

// printConfig prints the effective configuration of a target.
func printConfig(_ context.Context, s streams, args []string) error {
	target, args := targetOf(args)
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

// targetOf cuts a target off the beginning of the arguments; where they begin with none it is all.
func targetOf(args []string) (config.Target, []string) {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return config.Target(args[0]), args[1:]
	}
	return config.All, args
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

// builtFrom returns the commit that the binary was built from; "" where nobody said so.
func builtFrom(info *debug.BuildInfo) string {
	if revision != "" || info == nil {
		return revision
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return ""
}

func printVersion(_ context.Context, s streams, args []string) error {
	flags := newFlags(s, "version [--sbom]")
	list := flags.Bool("sbom", false, "print what the binary is made of instead: a bill of materials (CycloneDX, JSON)")
	if err := parse(flags, args); err != nil {
		return err
	}
	info, _ := debug.ReadBuildInfo()
	built := builtFrom(info)
	if *list {
		return sbom.Write(s.out, sbom.Options{Version: version, Revision: built, Build: info, Lock: web.Lock})
	}
	fmt.Fprintln(s.out, strings.Join(slices.DeleteFunc([]string{
		"parkwire", version, built[:min(12, len(built))], runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH,
	}, func(part string) bool { return part == "" }), " "))
	return nil
}
