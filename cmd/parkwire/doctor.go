package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"parkwire/internal/app"
	"parkwire/internal/config"
	"parkwire/internal/doctor"
)

// examine looks at everything that a target depends on. The exit code is 0 where nothing is broken, 1 where something is.
func examine(ctx context.Context, s streams, args []string) error {
	target, args := targetOf(args)
	flags := newFlags(s, "doctor [all|gateway|parking|notifications|history|audit|alerts] [--json] [--within D] [settings]")
	loader := config.NewLoader()
	loader.RegisterFlags(flags)
	asJSON := flags.Bool("json", false, "print the findings as JSON")
	within := flags.Duration("within", 15*time.Second, "how long each check may take")
	if err := parse(flags, args); err != nil {
		return err
	}
	c, r := resolved(s, loader, target)
	if c != nil {
		// The parts tell what they do in their logs; here what they found is told once, as findings.
		logger := slog.New(slog.NewTextHandler(io.Discard, nil))
		of := app.Examine(ctx, c, app.Options{Version: version, Logger: logger}, *within)
		r.Add(of.Findings...)
	}
	if *asJSON {
		if err := writeReport(s, "-", r); err != nil {
			return err
		}
	} else if err := r.Print(s.out); err != nil {
		return err
	}
	return r.Failure()
}

// resolved reads the configuration, of which what is wrong is a finding like any other.
func resolved(s streams, loader *config.Loader, target config.Target) (*config.Resolved, doctor.Report) {
	r := doctor.Report{Target: string(target), Version: version}
	err := loader.Load(s.environ)
	var c *config.Resolved
	if err == nil {
		c, err = loader.Resolve(target)
	}
	var wrong config.Errors
	switch {
	case errors.As(err, &wrong):
		for _, one := range wrong {
			mend := ""
			if one.Example != "" {
				mend = fmt.Sprintf("for example: --%s %s   or   %s=%s", one.Field, one.Example, config.EnvName(one.Field), one.Example)
			}
			one.Example = ""
			r.Add(doctor.Finding{Check: "configuration", State: doctor.Broken, Says: one.Error(), Mend: mend})
		}
	case err != nil:
		r.Add(doctor.Finding{Check: "configuration", State: doctor.Broken, Says: err.Error(), Mend: "name one of the targets that `parkwire doctor -h` lists"})
	default:
		set := 0
		for _, one := range loader.Settings() {
			if strings.HasPrefix(one.Source, "flag") || strings.HasPrefix(one.Source, "PARKWIRE_") || strings.Contains(one.Source, ":") {
				set++
			}
		}
		r.Add(doctor.Finding{Check: "configuration", State: doctor.OK, Says: fmt.Sprintf("%d settings are set; `parkwire config %s` prints all", set, target)})
	}
	for _, warning := range loader.Warnings {
		r.Add(doctor.Finding{Check: "configuration", State: doctor.Warning, Says: warning, Mend: "correct it, or take it away"})
	}
	return c, r
}
