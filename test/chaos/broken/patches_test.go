package main

import (
	"os/exec"
	"path"
	"testing"

	"parkwire/test/e2e/stack"
)

// Whoever changes what is broken on purpose learns it here, and not when the suite is run the next time.
func TestEveryBreakageFitsTheCode(t *testing.T) {
	for _, b := range breakages {
		overlay, err := b.overlay(stack.Root(), t.TempDir())
		if err != nil {
			t.Error(err)
			continue
		}
		args := []string{"build", "-overlay", overlay}
		for _, p := range b.patches {
			args = append(args, "./"+path.Dir(p.file))
		}
		cmd := exec.Command("go", args...)
		cmd.Dir = stack.Root()
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("the breakage %q does not build: %v\n%s", b.name, err, out)
		}
	}
}
