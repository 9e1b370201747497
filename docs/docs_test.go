// Package docs holds the documents for users, and the tests that keep them true.
package docs

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parkwire/internal/config"
	"parkwire/test/e2e/stack"
)

var update = flag.Bool("update", false, "write what is generated into the documents")

func TestMain(m *testing.M) { os.Exit(stack.Main(m)) }

func TestConfigurationListsEverySetting(t *testing.T) {
	var table strings.Builder
	table.WriteString("| setting | default | what it is |\n|---|---|---|\n")
	for f := range fields(reflect.TypeFor[config.Config]()) {
		fallback, help := "", f.Get("help")
		if f.Get("default") != "" {
			fallback = "`" + f.Get("default") + "`"
		} else if f.Get("secret") != "all" {
			help += ". Example: `" + f.Get("example") + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", f.Get("name"), fallback, strings.ReplaceAll(help, "|", `\|`))
	}
	generated(t, "configuration.md", table.String())
}

func fields(config reflect.Type) func(yield func(reflect.StructTag) bool) {
	return func(yield func(reflect.StructTag) bool) {
		for i := range config.NumField() {
			if !yield(config.Field(i).Tag) {
				return
			}
		}
	}
}

func TestTheIndexListsEveryDecision(t *testing.T) {
	files, err := filepath.Glob("adr/[0-9]*.md")
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	for _, file := range files {
		title, _, _ := strings.Cut(read(t, file), "\n")
		number, rest, ok := strings.Cut(strings.TrimPrefix(title, "# "), ". ")
		name := filepath.Base(file)
		if !ok || fmt.Sprintf("%04s", number) != name[:4] {
			t.Errorf("%s begins with %q instead of its number and its title", file, title)
		}
		fmt.Fprintf(&list, "* [%s](%s) %s\n", name[:4], name, rest)
	}
	generated(t, "adr/README.md", list.String())
}

// generated compares what stands between two marks in a document with what should.
func generated(t *testing.T, file, want string) {
	t.Helper()
	const begin, end = "<!-- generated: go test ./docs -update -->\n", "<!-- end -->"
	text := read(t, file)
	before, rest, _ := strings.Cut(text, begin)
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("%s has no lines %s and %s", file, strings.TrimSpace(begin), end)
	}
	fresh := before + begin + want + end + after
	if fresh == text {
		return
	}
	if !*update {
		t.Fatalf("%s is not up to date: go test ./docs -update", file)
	}
	if err := os.WriteFile(file, []byte(fresh), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:\s]+)(?:#[^)]*)?\)`) // with a colon it leads elsewhere
	for _, file := range documents(t) {
		for _, found := range link.FindAllStringSubmatch(read(t, file), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), found[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", file, found[1])
			}
		}
	}
}

// documents are all Markdown files for readers.
func documents(t *testing.T) []string {
	t.Helper()
	files := []string{"../README.md"}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestMetricsOfTheDocumentsExist asks a platform for its metrics, one with an MQTT broker, which need not be there. Those of Redis, of TLS and of parts elsewhere
// are not there in one process.
func TestMetricsOfTheDocumentsExist(t *testing.T) {
	metrics := stack.Embedded(t, "--mqtt-url", "mqtt://"+stack.Address(stack.Port(t))).One.Metrics(t)
	for _, name := range regexp.MustCompile(`\bparkwire_[a-z_]+\w`).FindAllString(read(t, "operating.md"), -1) {
		absent := slices.ContainsFunc([]string{"parkwire_bus_", "parkwire_tls_", "parkwire_gateway_instances_"}, func(p string) bool { return strings.HasPrefix(name, p) })
		if !strings.Contains(metrics, "\n"+name) && !absent {
			t.Errorf("there is no metric %s", name)
		}
	}
}
