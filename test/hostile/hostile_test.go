// Package hostile sends Parkwire what attackers and broken clients send, one attack after the other, and looks after each whether
// the answer is the expected one, the platform lives, nothing was changed, and no secret stands in a log. The tables of attacks are
// in files of their own; docs/security.md shows them.
package hostile

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parkwire/test/e2e/stack"
)

var update = flag.Bool("update", false, "write the tables of attacks into docs/security.md")

func TestMain(m *testing.M) { os.Exit(stack.Main(m)) }

// An attack is a row of a table.
type attack struct {
	what string // is sent
	send func(w *world) string
	want string // what is answered, as send tells it
	edge string // what NGINX answers, where it does not let the request through; "": it does
}

// A group is a table of attacks of one kind.
type group struct {
	title, about string
	attacks      []attack
}

// groups are all tables, in the order of the document.
var groups = []group{
	tokens, foreign, scopes, lots, keys, paths, methods, headers, smuggling, queries, bodies, readings, imports, webhooks, outwards, handshakes, frames, messages,
}

// Through every hop, and in one process, each attack gets its answer and nothing else.
func TestEveryAttackGetsItsAnswerAndNothingElse(t *testing.T) {
	for name, start := range map[string]func(*testing.T) *world{"embedded": embedded, "distributed": distributed} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			for _, g := range groups {
				t.Run(g.title, func(t *testing.T) {
					for _, a := range g.attacks {
						t.Run(a.what, func(t *testing.T) { w.suffers(t, a) })
					}
					w.logsAreClean(t)
				})
			}
		})
	}
}

// suffers is what holds for every attack.
func (w *world) suffers(t *testing.T, a attack) {
	w.t = t
	want := a.want
	if w.edge && a.edge != "" {
		want = a.edge
	}
	if got := a.send(w); got != want {
		t.Errorf("answered with %q; %q was expected", got, want)
	}
	if after := w.state(); after != w.last {
		t.Errorf("something was changed: %s", differing(w.last, after))
		w.last = after
	}
	w.lives(t)
}

// differing shows the lines in which two states differ.
func differing(before, after string) string {
	var all strings.Builder
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range max(len(was), len(is)) {
		switch {
		case i >= len(was):
			all.WriteString("\nnew " + is[i])
		case i >= len(is):
			all.WriteString("\ngone " + was[i])
		case was[i] != is[i]:
			all.WriteString("\nbefore " + was[i] + "\nafter  " + is[i])
		}
	}
	return all.String()
}

func TestTheDocumentShowsEveryAttack(t *testing.T) {
	const begin, end = "<!-- generated: go test ./test/hostile -update -->\n", "<!-- end -->"
	file := filepath.Join(stack.Root(), "docs", "security.md")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(text), begin)
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("%s has no lines %s and %s", file, strings.TrimSpace(begin), end)
	}
	fresh := before + begin + tables() + end + after
	switch {
	case fresh == string(text):
	case !*update:
		t.Fatalf("%s is not up to date: go test ./test/hostile -run Document -update", file)
	default:
		if err := os.WriteFile(file, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tables are all groups as a document shows them.
func tables() string {
	var text strings.Builder
	count := 0
	for _, g := range groups {
		fmt.Fprintf(&text, "### %s\n\n%s\n\n| what is sent | answer |\n|---|---|\n", g.title, g.about)
		for _, a := range g.attacks {
			answer := shown(a.want)
			if a.edge != "" {
				answer += "; NGINX: " + shown(a.edge)
			}
			fmt.Fprintf(&text, "| %s | %s |\n", strings.ReplaceAll(a.what, "|", `\|`), answer)
			count++
		}
		text.WriteString("\n")
	}
	return fmt.Sprintf("%d attacks.\n\n", count) + text.String()
}

// shown marks the codes and the names of fields in an answer.
func shown(answer string) string {
	return regexp.MustCompile(`[a-z]+-[a-z-]+|\b[a-z]+(?:_[a-z]+)+\b|[a-zA-Z]*[a-z][A-Z][a-zA-Z]*|\([^)]+\)`).ReplaceAllStringFunc(answer, func(word string) string {
		return "`" + strings.Trim(word, "()") + "`"
	})
}
