// Broken breaks Parkwire on purpose, one small patch at a time, and runs the scenario of test/chaos that must find it. It succeeds
// when every breakage was found: then the suite is worth something.
//
//	go run ./test/chaos/broken            all of them
//	go run ./test/chaos/broken holes      one
//
// Nothing in the tree is changed: patched files stand in for the real ones while a binary is built (go build -overlay).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"parkwire/test/e2e/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "broken:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	dir, err := os.MkdirTemp("", "parkwire-broken-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root := stack.Root()
	chaos := filepath.Join(dir, "chaos")
	if err := build(ctx, root, chaos, "./test/chaos"); err != nil {
		return err
	}
	var missed []error
	for _, b := range breakages {
		if len(names) > 0 && !slices.Contains(names, b.name) {
			continue
		}
		found, err := b.try(ctx, root, dir, chaos)
		if err != nil {
			return err
		}
		fmt.Printf("%-11s %-17s %s: %s\n", b.name, b.scenario, b.what, found)
		if found == "" {
			missed = append(missed, fmt.Errorf("%s was not found by %s", b.name, b.scenario))
		}
	}
	return errors.Join(missed...)
}

func build(ctx context.Context, root, path string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-o", path}, args...)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %v: %w\n%s", args, err, out)
	}
	return nil
}

// tries is how often a scenario may miss a breakage that shows only at the wrong moment.
const tries = 3

// try builds Parkwire with the breakage, and returns how the scenario found it; "" where it did not.
func (b breakage) try(ctx context.Context, root, dir, chaos string) (string, error) {
	own := filepath.Join(dir, b.name)
	if err := os.Mkdir(own, 0o755); err != nil {
		return "", err
	}
	overlay, err := b.overlay(root, own)
	if err != nil {
		return "", err
	}
	binary := filepath.Join(own, "parkwire")
	if err := build(ctx, root, binary, "-overlay", overlay, "./cmd/parkwire"); err != nil {
		return "", err
	}
	for range tries {
		file := filepath.Join(own, "result.json")
		cmd := exec.CommandContext(ctx, chaos, "-json", file, b.scenario)
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends what it started
		cmd.WaitDelay = time.Minute
		cmd.Env = append(os.Environ(), stack.EnvBinary+"="+binary)
		cmd.Stderr = os.Stderr
		failed := cmd.Run()
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		found, err := findings(file)
		if err != nil {
			return "", errors.Join(failed, err)
		}
		if found != "" && failed != nil {
			return found, nil
		}
	}
	return "", nil
}

// findings tells what is amiss in a result of test/chaos: a loss, not that something took long.
func findings(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var result struct {
		Scenarios []struct{ Lost, Repeated, OutOfOrder, Wrong int64 }
	}
	if err := json.Unmarshal(text, &result); err != nil {
		return "", err
	}
	for _, s := range result.Scenarios {
		if s.Lost+s.Repeated+s.OutOfOrder+s.Wrong > 0 {
			return fmt.Sprintf("found, %d lost, %d repeated, %d out of order, %d wrong", s.Lost, s.Repeated, s.OutOfOrder, s.Wrong), nil
		}
	}
	return "", nil
}
