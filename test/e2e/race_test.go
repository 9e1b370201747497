//go:build race

package e2e

// raced says that the race detector watches, which makes a request cost ten times as much.
const raced = true
