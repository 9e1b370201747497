package main

import (
	"testing"

	"parkwire/test/e2e/stack"
)

// Whoever changes what is broken on purpose learns it here, and not when the suite is run the next time.
func TestEveryBreakageFitsTheCode(t *testing.T) {
	for _, b := range breakages {
		if _, err := b.apply(stack.Root()); err != nil {
			t.Error(err)
		}
	}
}
