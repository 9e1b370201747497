package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"parkwire/test/e2e/stack"
)

// A tool is what contenders are made from, and how it is made; each once a run, into the work folder.
type tool struct {
	name string
	of   []string // beginnings of the contenders that need it
	make func(b *builder, to string) error
}

type builder struct {
	work, peers string
	absent      map[string]string // contenders that cannot run here, and why
}

// build makes everything that the wanted contenders need. Parkwire must be there; a peer that cannot be made is left out, and the
// results say why.
func (b *builder) build() error {
	if b.absent == nil {
		b.absent = map[string]string{}
	}
	for _, t := range []tool{
		{"parkwire", nil, func(_ *builder, to string) error {
			if binary := os.Getenv(stack.EnvBinary); binary != "" {
				return command(stack.Root(), "cp", binary, to)
			}
			return command(stack.Root(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, "./cmd/parkwire")
		}},
		{"send", []string{limit}, func(_ *builder, to string) error {
			return command(stack.Root(), "cc", "-O2", "-o", to, "test/bench/raw/send.c")
		}},
		{"bare", []string{"nbio", "gws", "gorilla"}, func(_ *builder, to string) error {
			return command(filepath.Join(stack.Root(), "test/bench/bare"), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, ".")
		}},
		{"centrifuge", []string{centrifuge}, func(_ *builder, to string) error {
			return command(filepath.Join(stack.Root(), "test/bench/centrifuge"), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, ".")
		}},
		{"seedstack", []string{nodeWS}, (*builder).npm},
		{"socketio", []string{"socketio"}, (*builder).npm},
	} {
		err := t.make(b, filepath.Join(b.work, t.name))
		if err != nil && t.of == nil {
			return err
		}
		for _, c := range contenders() {
			for _, prefix := range t.of {
				if err != nil && strings.HasPrefix(c.name, prefix) {
					b.absent[c.name] = err.Error()
				}
			}
		}
	}
	return nil
}

// npm copies a stack of the peers' folder and installs it as its lock file says.
func (b *builder) npm(to string) error {
	from := filepath.Join(b.peers, filepath.Base(to))
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("its source is not here (%v); -peers names the folder", err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"index.js", "package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			return err
		}
	}
	return command(to, "npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
}

func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if name == "go" {
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		text := strings.TrimSpace(string(out))
		return fmt.Errorf("%s %s: %w %s", name, strings.Join(args, " "), err, text[max(0, len(text)-500):])
	}
	return nil
}
