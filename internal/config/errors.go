package config

import (
	"fmt"
	"strings"
)

// FieldError is one wrong or missing value.
type FieldError struct {
	Field   string // the setting's name
	Source  string // where the value stands; "" where it is missing
	Reason  string
	Example string // a value that would do
}

func (e FieldError) Error() string {
	var b strings.Builder
	b.WriteString(e.Field)
	if e.Source != "" {
		fmt.Fprintf(&b, " (from %s)", e.Source)
	}
	fmt.Fprintf(&b, ": %s", e.Reason)
	if e.Example != "" {
		fmt.Fprintf(&b, "\n    for example: --%s %s   or   %s=%s", e.Field, e.Example, EnvName(e.Field), e.Example)
	}
	return b.String()
}

// Errors is everything that is wrong, so that nobody has to start once for each mistake.
type Errors []FieldError

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = "  " + one.Error()
	}
	return "the configuration cannot be used:\n" + strings.Join(lines, "\n")
}

// EnvName returns the environment variable of a setting: PARKWIRE_KAFKA_BROKERS for kafka-brokers.
func EnvName(name string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

const envPrefix = "PARKWIRE_"

// nearest returns the name that was probably meant, or "": the one at the smallest edit
// distance, if that is at most a third of the name's length.
func nearest(name string, among []string) string {
	best, bestAt := "", len(name)/3+1
	for _, candidate := range among {
		if d := distance(name, candidate); d < bestAt {
			best, bestAt = candidate, d
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their neighbour.
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// DidYouMean asks about the name that was probably meant, in the form `; did you mean "x"?`, or is "".
func DidYouMean(name string, among []string) string {
	if near := nearest(name, among); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
