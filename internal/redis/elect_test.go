package redis

import (
	"errors"
	"testing"
)

func TestMostSentinelsNameTheMaster(t *testing.T) {
	away, none := answer{err: errors.New("away")}, answer{}
	a, b := answer{address: "a"}, answer{address: "b"}
	for _, c := range []struct {
		what    string
		answers []answer
		before  string
		want    string
	}{
		{"nobody was asked", []answer{none, none, none}, "", ""},
		{"one of three alone is not enough", []answer{a, none, none}, "", ""},
		{"two of three are", []answer{none, a, a}, "", "a"},
		{"two of three against the one before", []answer{a, b, b}, "a", "b"},
		{"one that was cut off names the old one", []answer{a, b, b}, "b", "b"},
		{"one that knows more waits for a second", []answer{a, a, b}, "a", "a"},
		{"the others are away", []answer{away, a, away}, "", "a"},
		{"the others are away, and it names another", []answer{away, b, away}, "a", "b"},
		{"one against one", []answer{a, b, away}, "", ""},
		{"one against one, and the one before", []answer{a, b, away}, "b", "b"},
		{"all are away", []answer{away, away, away}, "a", "a"},
		{"there is only one", []answer{a}, "", "a"},
		{"of two, one was not asked yet", []answer{a, none}, "", ""},
	} {
		if got := elect(c.answers, c.before); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
