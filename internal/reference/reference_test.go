package reference

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"parkwire/api"
)

func get(t *testing.T, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, path string) string {
	t.Helper()
	response := get(t, path)
	b, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%s is answered with %d: %v", path, response.StatusCode, err)
	}
	return string(b)
}

// What programs are told is what people are told: every operation, parameter, answer, field and channel is on a page.
func TestThePagesSayAllThatTheDescriptionsSay(t *testing.T) {
	for path, source := range map[string]string{"/docs/rest": api.OpenAPI, "/docs/events": api.AsyncAPI} {
		page := text(t, path)
		words := strings.Join(strings.Fields(page), " ")
		var document map[string]any
		if err := yaml.Unmarshal([]byte(source), &document); err != nil {
			t.Fatal(err)
		}
		said := 0
		var walk func(key string, v any)
		walk = func(key string, v any) {
			switch v := v.(type) {
			case []any:
				for _, one := range v {
					walk(key, one)
				}
			case map[string]any:
				if key == "properties" || key == "paths" || key == "schemas" {
					for name := range v {
						said++
						if !strings.Contains(page, ">"+name+"<") {
							t.Errorf("%s lacks %q of the %s", path, name, key)
						}
					}
				}
				for name, one := range v {
					if key == "properties" || name != "example" && name != "examples" && name != "servers" && name != "components" {
						walk(name, one)
					}
				}
			case string:
				if first, _, _ := strings.Cut(v, "\n"); (key == "summary" || key == "description" || key == "title") && !strings.Contains(first, "|") {
					said++
					plain := string(phrase(first))
					if !strings.Contains(words, plain) {
						t.Errorf("%s lacks the %s %q", path, key, first)
					}
				}
			}
		}
		delete(document, "tags")
		if path == "/docs/events" {
			delete(document, "operations") // which say of the platform what the channels say of its clients
		}
		walk("", document)
		if said < 30 {
			t.Errorf("%s: only %d things were looked for", path, said)
		}
	}
}

var (
	anchor    = regexp.MustCompile(`href="(/[^"#]*)?#([^"]*)"`)
	id        = regexp.MustCompile(`\bid="([^"]*)"`)
	forbidden = regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:|(src|href)="(https?:)?//|@import|(?-i:[^a-z]url\()`)
)

func TestThePagesNeedNothingFromElsewhereAndNoScript(t *testing.T) {
	for _, path := range Paths {
		if found := forbidden.FindString(text(t, path)); found != "" {
			t.Errorf("%s has %q", path, found)
		}
		response := get(t, path)
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, ":") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		if again := get(t, path, "If-None-Match", response.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("%s again is answered with %d", path, again.StatusCode)
		}
	}
	if response := get(t, "/docs/else"); response.StatusCode != 404 {
		t.Errorf("what is not there is answered with %d", response.StatusCode)
	}
}

func TestEveryLinkWithinAPageLeadsSomewhere(t *testing.T) {
	for _, path := range Paths[:3] {
		page := text(t, path)
		var ids []string
		for _, m := range id.FindAllStringSubmatch(page, -1) {
			if slices.Contains(ids, m[1]) {
				t.Errorf("%s has %q twice", path, m[1])
			}
			ids = append(ids, m[1])
		}
		for _, m := range anchor.FindAllStringSubmatch(page, -1) {
			if !slices.Contains(ids, m[2]) {
				t.Errorf("%s: nothing is at #%s", path, m[2])
			}
		}
	}
}

// Descriptions are text: nothing that stands in one becomes a part of the page.
func TestTextIsNotTakenForMarkup(t *testing.T) {
	const hostile = "<b>x</b> `<i>` **<u>** &amp;\n\n* <li>\n\n| <td> |\n|---|\n| \"<script>\" |"
	for _, html := range []string{string(prose(hostile)), string(phrase(hostile))} {
		for _, tag := range []string{"<b>", "<i>", "<u>", "<script>", "<li><li>", "<td><td>"} {
			if strings.Contains(html, tag) {
				t.Errorf("%s became a part of %s", tag, html)
			}
		}
	}
	n, err := parse("type: '<b>'\nenum: ['<i>']\nformat: '<u>'\n")
	if html := string(typeOf(n)); err != nil || strings.ContainsAny(strings.NewReplacer("<code>", "", "</code>", "").Replace(html), "<>") {
		t.Errorf("the type is %s: %v", html, err)
	}
}

// The examples in Go are compiled with everything else; those in TypeScript are read by Node, and those for a shell by bash.
func TestTheExamplesAreProgramsOfTheirLanguages(t *testing.T) {
	tasks, err := readTasks()
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		for _, way := range task.Ways {
			var check *exec.Cmd
			name := filepath.Join(t.TempDir(), "example.mjs")
			if err := os.WriteFile(name, []byte(way.Text), 0o600); err != nil {
				t.Fatal(err)
			}
			switch way.Language {
			case "curl":
				check = exec.CommandContext(t.Context(), "bash", "-n", name)
			case "TypeScript":
				check = exec.CommandContext(t.Context(), "node", "--check", name)
			default:
				continue
			}
			if check.Err != nil {
				t.Logf("not checked: %v", check.Err)
			} else if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s in %s: %v\n%s", task.Title, way.Language, err, out)
			}
		}
	}
}
