package observability

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// folder is where what is tested lies.
func folder() string { return filepath.Join(stack.Root(), "deploy", "observability") }

// dashboard is what is needed here of one as Grafana keeps it.
type dashboard struct {
	UID, Title string
	Panels     []panel
}

type panel struct {
	Type, Title string
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Max        *float64
			Decimals   *int
			Thresholds struct {
				Steps []struct {
					Color string
					Value *float64
				}
			}
			Custom struct{ Stacking struct{ Mode string } }
		}
	}
	Targets []target
}

type target struct{ Expr, LegendFormat string }

func (p panel) stacked() bool { return p.FieldConfig.Defaults.Custom.Stacking.Mode == "normal" }

// query is the expression as Grafana would send it, for all processes and a window.
func (t target) query(window time.Duration) string {
	return strings.NewReplacer("$instance", ".*", "$__rate_interval", window.String()).Replace(t.Expr)
}

var placeholder = regexp.MustCompile(`{{ *(\w+) *}}`)

// legend is what a series is called.
func (t target) legend(labels map[string]string) string {
	return placeholder.ReplaceAllStringFunc(t.LegendFormat, func(name string) string {
		return labels[placeholder.FindStringSubmatch(name)[1]]
	})
}

// dashboards reads all of them, by the names of their files.
func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder(), "dashboards", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no dashboards: %v", err)
	}
	all := map[string]dashboard{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = d
	}
	return all
}
