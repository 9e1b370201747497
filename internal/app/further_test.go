package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parkwire/internal/config"
)

// asideOf returns an app that serves one module, and a part of a service in it.
func asideOf(serves string, p part) part {
	a := &App{config: &config.Resolved{Serves: serves}, options: Options{Logger: slog.New(slog.DiscardHandler)}}
	return a.aside("history", p)
}

func runOf(ctx context.Context, p part, other part) (*health, error) {
	h := &health{}
	h.add("history", p)
	h.add("other", other)
	r := &runner{
		graph: graph{"history": {}, "other": {}}, names: []string{"history", "other"}, parts: map[string]part{"history": p, "other": other}, logger: slog.New(slog.DiscardHandler),
	}
	return h, r.run(ctx, func() {}, time.Minute)
}

// Whatever becomes of a further service, the others go on, and it is told.
func TestAFurtherServiceThatFailsEndsNothing(t *testing.T) {
	broken := errors.New("the file is malformed")
	for name, p := range map[string]part{
		"at the start": {start: func(context.Context) error { return broken }, ready: func() error { return nil }},
		"later":        {run: func(context.Context) error { return broken }, ready: func() error { return nil }},
		"by ending":    {run: func(context.Context) error { return nil }, ready: func() error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d diary
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				aside := asideOf("gateway", p)
				h, err := runOf(ctx, aside, d.part("other"))
				if err != nil || ctx.Err() == nil {
					t.Errorf("the process ended with %v", err)
				}
				ready, troubles := h.report()
				if !ready || len(troubles) != 1 || troubles[0].unfit || !strings.Contains(troubles[0].reason.Error(), "out of order") {
					t.Errorf("ready %v, troubles %+v", ready, troubles)
				}
			})
		})
	}
}

func TestAProcessThatIsThereForAFurtherServiceEndsWithIt(t *testing.T) {
	broken := errors.New("the file is malformed")
	p := asideOf("history", part{run: func(context.Context) error { return broken }, ready: func() error { return broken }, vital: true})
	h, err := runOf(t.Context(), p, part{})
	if !errors.Is(err, broken) {
		t.Errorf("it ended with %v", err)
	}
	if ready, _ := h.report(); ready {
		t.Error("it is ready without what it is there for")
	}
}

func TestThePlatformDoesNotWaitForAFurtherService(t *testing.T) {
	h := &health{}
	h.add("history", asideOf("gateway", part{ready: func() error { return errors.New("it catches up") }, vital: true}))
	ready, troubles := h.report()
	if !ready || len(troubles) != 1 || troubles[0].unfit {
		t.Errorf("ready %v, troubles %+v", ready, troubles)
	}
}
