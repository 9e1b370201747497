// Package e2e proves what the platform promises, on its real binary: see package stack for how it is run.
package e2e

import (
	"os"
	"testing"

	"parkwire/test/e2e/stack"
)

func TestMain(m *testing.M) { os.Exit(stack.Main(m)) }
