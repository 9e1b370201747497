package app

import (
	"slices"
	"strings"
	"testing"

	"parkwire/internal/config"
)

func TestEveryModuleComesBehindWhatItNeeds(t *testing.T) {
	for _, target := range config.Targets {
		names, err := modules.order([]string{"server", string(target), "broker", "bridge"})
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		for i, name := range names {
			for _, needed := range modules[name].needs {
				if at := slices.Index(names, needed); at < 0 || at > i {
					t.Errorf("%s: %s is at %d and needs %s, which is at %d", target, name, i, needed, at)
				}
			}
			for _, before := range modules[name].after {
				if at := slices.Index(names, before); at > i {
					t.Errorf("%s: %s is at %d and comes after %s, which is at %d", target, name, i, before, at)
				}
			}
		}
	}
}

func TestATargetBringsWhatItNeedsAndNothingElse(t *testing.T) {
	for target, want := range map[config.Target]string{
		config.Gateway:       "certificate gateway identity limits server",
		config.Parking:       "certificate data-dir log parking relay server store",
		config.Notifications: "bus certificate identity live log notifications server",
		config.History:       "certificate data-dir history history-db log server",
		config.Audit:         "audit audit-db certificate data-dir log server",
		config.Alerts:        "alerts alerts-db certificate data-dir log server",
		config.All: "alerts alerts-db all audit audit-db bus certificate data-dir gateway history history-db identity limits live log notifications parking relay " +
			"server store",
	} {
		names, err := modules.order([]string{"server", string(target)})
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s runs %q; it needs %q", target, got, want)
		}
	}
}

func TestAGraphThatCannotBeOrderedIsRefused(t *testing.T) {
	circle := graph{"a": {needs: []string{"b"}}, "b": {needs: []string{"c"}}, "c": {after: []string{"a"}}}
	if _, err := circle.order([]string{"a"}); err == nil || !strings.Contains(err.Error(), "circle") {
		t.Errorf("a circle was ordered: %v", err)
	}
	missing := graph{"a": {needs: []string{"b"}}}
	if _, err := missing.order([]string{"a"}); err == nil || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("a module that does not exist was ordered: %v", err)
	}
}
