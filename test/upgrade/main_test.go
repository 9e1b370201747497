// Package upgrade proves that a platform changes without loss: what an earlier version published is read by this one, the database of this version serves the
// earlier one, a rolling update there and back loses nothing, and a backup brings back what it should.
package upgrade

import (
	"flag"
	"os"
	"testing"

	"parkwire/test/e2e/stack"
)

var update = flag.Bool("update", false, "publish what is new: write the files of a new version, and the sums of new migrations")

func TestMain(m *testing.M) { os.Exit(stack.Main(m)) }
