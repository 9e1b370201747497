package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/audit"
	"parkwire/internal/config"
	"parkwire/internal/progress"
	"parkwire/internal/sqldb"
)

// runAudit runs the service, or `parkwire audit verify`.
func runAudit(ctx context.Context, s streams, args []string) error {
	if len(args) > 0 && args[0] == "verify" {
		return verifyAudit(ctx, s, args[1:])
	}
	return serve(config.Audit)(ctx, s, args)
}

// reachDatabase is how long a database may take to answer before nothing can be told.
const reachDatabase = 30 * time.Second

// verifyAudit ends with exit code 0 only where the audit chain, or an export of it, is as it was recorded. It changes nothing.
func verifyAudit(ctx context.Context, s streams, args []string) error {
	flags := newFlags(s, "audit verify [--audit-database-url URL | --data-dir DIR | --file FILE] [--head SEQUENCE:HASH]… [--public-key FILE]…")
	loader := config.NewLoader()
	loader.RegisterFlags(flags, "data-dir", "database-url", "database-password-file", "audit-database-url", "audit-database-password-file", "services-prefix")
	file := flags.String("file", "", "an export to check, NDJSON or CSV, instead of the database; - for standard input")
	report := flags.String("json", "", "file for the report as JSON; - for standard output, instead of the text")
	v := audit.Verification{Keys: audit.Keys{}}
	flags.Func("head", "a head that was noted before, which the chain must still have; may be repeated", func(text string) error {
		note, err := audit.ParseNote(text)
		v.Notes = append(v.Notes, note)
		return err
	})
	flags.Func("public-key", "file with the key under which heads are signed (PEM); may be repeated", func(path string) error {
		key, err := audit.ReadPublicKey(path)
		if err == nil {
			v.Keys.Add(key)
		}
		return err
	})
	if err := parse(flags, args); err != nil {
		return err
	}
	if *file != "" && len(v.Keys) > 0 {
		return usageError("--public-key is for a database: an export has no signatures. Compare it with a signed head by --head")
	}
	line := progress.NewLine(s.err, isTerminal(s.err), 200*time.Millisecond)
	v.Progress = func(done, total int64) {
		if !line.Due() {
			return
		}
		text := fmt.Sprintf("%d records", done)
		if total > 0 {
			text = fmt.Sprintf("%d of %d records (%d %%)", done, total, 100*done/total)
		}
		line.Show(text)
	}
	began := time.Now()
	var r audit.Report
	var err error
	if *file != "" {
		r, err = verifyExport(s, *file, v)
	} else {
		r, err = verifyDatabase(ctx, s, loader, v)
	}
	line.Clear()
	if err != nil {
		return err
	}
	r.Seconds = float64(time.Since(began).Milliseconds()) / 1000
	if *report != "-" {
		if err := r.Print(s.out); err != nil {
			return err
		}
	}
	if err := writeReport(s, *report, r); err != nil {
		return err
	}
	return r.Failure()
}

func verifyExport(s streams, path string, v audit.Verification) (audit.Report, error) {
	var from io.Reader = s.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return audit.Report{}, fmt.Errorf("--file: %w", err)
		}
		defer f.Close()
		from = f
	}
	return audit.VerifyFile(from, v)
}

func verifyDatabase(ctx context.Context, s streams, loader *config.Loader, v audit.Verification) (audit.Report, error) {
	if err := loader.Load(s.environ); err != nil {
		return audit.Report{}, err
	}
	at, err := loader.ResolveDatabase(config.Audit)
	if err != nil {
		return audit.Report{}, err
	}
	if path, ok := strings.CutPrefix(at.URL, config.SQLite); ok {
		if _, err := os.Stat(path); err != nil {
			return audit.Report{}, fmt.Errorf("there is no audit database: %w; --data-dir or --audit-database-url says where it is", err)
		}
	}
	logger := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	db, err := sqldb.Open(sqldb.Options{
		URL: at.URL, PasswordFile: at.PasswordFile, MaxConns: at.Connections, Schema: at.Schema, Sets: audit.Sets(), ReadOnly: true, Logger: logger, Registerer: prometheus.NewRegistry(),
	})
	if err != nil {
		return audit.Report{}, fmt.Errorf("--audit-database-url: %w", err)
	}
	defer db.Close()
	start, cancel := context.WithTimeout(ctx, reachDatabase)
	defer cancel()
	if err := db.Start(start); err != nil {
		if errors.Is(err, context.DeadlineExceeded) && db.Ready() != nil {
			err = db.Ready()
		}
		return audit.Report{}, fmt.Errorf("the audit database: %w", err)
	}
	return audit.Verify(ctx, db, v)
}
