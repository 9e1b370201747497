package alerts_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parkwire/internal/alerts"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
)

// refused checks that a request is refused.
func (in *instance) refused(what string, a answer, status int, slug, field string) {
	in.w.t.Helper()
	got, _ := a.body["field"].(string)
	if a.status != status || a.field("type") != "urn:parkwire:problem:"+slug || got != field {
		in.w.t.Errorf("%s is answered %d %v, want %d %s of field %q", what, a.status, a.body, status, slug, field)
	}
}

func TestRulesAreReadAsTheyWereWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start()
		w.occupied("x/1/a")
		in.settle()
		ada := by("ada")
		full := body{
			"name": "Morgens", "target": body{"lotId": "x", "category": "electric"}, "condition": body{"type": "free_at_least", "count": 3, "margin": 2},
			"enabled": false, "once": true, "initially": "wait", "cooldownSeconds": 600,
			"hours":      []any{body{"days": []any{"mon", "fri"}, "from": "08:00", "to": "10:00"}},
			"quietHours": []any{body{"from": "22:00", "to": "06:00"}}, "timeZone": "Europe/Berlin", "expiresAt": "2099-01-01T00:00:00.000Z",
		}
		a := in.ask(ada, "POST", "/rules", full)
		if a.status != 201 || a.header.Get("Location") != "/api/v1/alerts/rules/"+a.field("id") || a.header.Get("Etag") != `"1"` {
			t.Fatalf("%d %v %v", a.status, a.header, a.body)
		}
		id := a.field("id")
		got := in.ask(ada, "GET", "/rules/"+id, nil)
		for field, want := range map[string]string{
			"name": `"Morgens"`, "target": `{"category":"electric","lotId":"x"}`, "condition": `{"count":3,"margin":2,"type":"free_at_least"}`,
			"enabled": "false", "once": "true", "initially": `"wait"`, "cooldownSeconds": "600", "hours": `[{"days":["mon","fri"],"from":"08:00","to":"10:00"}]`,
			"quietHours":     `[{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"22:00","to":"06:00"}]`,
			"quietHoursThen": `"hold"`, "timeZone": `"Europe/Berlin"`, "expiresAt": `"2099-01-01T00:00:00.000Z"`, "channels": "[]", "version": "1",
		} {
			if text, _ := json.Marshal(got.body[field]); string(text) != want {
				t.Errorf("%s is %s, want %s", field, text, want)
			}
		}
		patched := in.ask(ada, "PATCH", "/rules/"+id, body{"name": "Abends", "condition": body{"type": "overstay", "minutes": 90}, "hours": nil}, "If-Match", `"1"`)
		if patched.status != 200 || patched.field("name") != "Abends" || patched.body["hours"] != nil || patched.header.Get("Etag") != `"2"` ||
			fmt.Sprint(patched.body["condition"]) != "map[minutes:90 type:overstay]" || patched.field("cooldownSeconds") != "600" {
			t.Errorf("patched: %d %v", patched.status, patched.body)
		}
		in.refused("a patch of an old version", in.ask(ada, "PATCH", "/rules/"+id, body{"name": "x"}, "If-Match", `"1"`), 412, "version-mismatch", "")
		in.refused("another's rule", in.ask(by("bert"), "GET", "/rules/"+id, nil), 404, "rule-not-found", "")
		in.refused("another's rule, to delete", in.ask(by("bert"), "DELETE", "/rules/"+id, nil), 404, "rule-not-found", "")
		in.refused("a rule of lots that one may not see", in.ask(by("ada", "y"), "GET", "/rules/"+id, nil), 404, "rule-not-found", "")
		in.refused("nobody", in.ask(http.Header{}, "GET", "/rules", nil), 401, "token-required", "")
		var ids []string
		for i := range 3 {
			ids = append(ids, in.rule(ada, body{"name": fmt.Sprint(i)}))
		}
		first := in.ask(ada, "GET", "/rules?limit=3", nil)
		second := in.ask(ada, "GET", "/rules?limit=3&cursor="+first.field("next"), nil)
		if len(first.body["items"].([]any)) != 3 || len(second.body["items"].([]any)) != 1 || second.body["next"] != nil {
			t.Errorf("pages %v and %v", first.body, second.body)
		}
		if got := in.ask(ada, "DELETE", "/rules/"+ids[0], nil); got.status != 204 {
			t.Errorf("deleting: %d %v", got.status, got.body)
		}
		in.refused("a deleted rule", in.ask(ada, "GET", "/rules/"+ids[0], nil), 404, "rule-not-found", "")
		if list := in.ask(ada, "GET", "/rules", nil); len(list.body["items"].([]any)) != 3 {
			t.Errorf("listed are %v", list.body)
		}
		if list := in.ask(by("ada", "y"), "GET", "/rules", nil); len(list.body["items"].([]any)) != 0 {
			t.Errorf("a token for other lots lists %v", list.body)
		}
	})
}

func TestWhatIsNoRuleIsToldWhatWouldBeOne(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start(func(o *alerts.Options) { o.RulesPerSubject = 2 })
		w.lot("x", "Europe/Berlin")
		w.describe("zone", "x1", "x", body{"id": "x1", "lotId": "x", "name": "One"})
		w.occupied("x/x1/a")
		in.settle()
		w.until("the lot is known", func() bool {
			return in.ask(by("scout"), "POST", "/rules", body{"name": "n", "target": body{"lotId": "x", "zoneId": "x1"}, "condition": body{"type": "any_free"}}).status != 422
		})
		with := func(change body) body {
			rule := body{"name": "n", "target": body{"lotId": "x"}, "condition": body{"type": "any_free"}}
			for name, value := range change {
				if rule[name] = value; value == nil {
					delete(rule, name)
				}
			}
			return rule
		}
		condition := func(c body) body { return with(body{"condition": c}) }
		window := func(w body) body { return with(body{"hours": []any{w}}) }
		for what, c := range map[string]struct {
			rule        body
			status      int
			slug, field string
		}{
			"no name":                          {with(body{"name": nil}), 400, "invalid-field", "name"},
			"an empty name":                    {with(body{"name": " "}), 400, "invalid-field", "name"},
			"no target":                        {with(body{"target": nil}), 400, "invalid-field", "target"},
			"an empty target":                  {with(body{"target": body{}}), 400, "invalid-field", "target"},
			"a spot and a lot":                 {with(body{"target": body{"spotId": "a", "lotId": "x"}}), 400, "invalid-field", "target.spotId"},
			"a zone without its lot":           {with(body{"target": body{"zoneId": "x1"}}), 400, "invalid-field", "target.lotId"},
			"a category that is none":          {with(body{"target": body{"category": "vip"}}), 400, "invalid-field", "target.category"},
			"a spot that is not there":         {with(body{"target": body{"spotId": "zzz"}}), 422, "target-unknown", "target.spotId"},
			"a lot that is not there":          {with(body{"target": body{"lotId": "zzz"}}), 422, "target-unknown", "target.lotId"},
			"a zone that is not there":         {with(body{"target": body{"lotId": "x", "zoneId": "zzz"}}), 422, "target-unknown", "target.zoneId"},
			"no condition":                     {with(body{"condition": nil}), 400, "invalid-field", "condition"},
			"a condition without a type":       {condition(body{}), 400, "invalid-field", "condition.type"},
			"a condition that is none":         {condition(body{"type": "full"}), 400, "invalid-field", "condition.type"},
			"no count":                         {condition(body{"type": "free_at_least"}), 400, "invalid-field", "condition.count"},
			"a count of none":                  {condition(body{"type": "free_at_least", "count": 0}), 400, "invalid-field", "condition.count"},
			"half a spot":                      {condition(body{"type": "free_at_least", "count": 1.5}), 400, "invalid-field", "condition.count"},
			"a margin beyond the count":        {condition(body{"type": "free_at_least", "count": 3, "margin": 4}), 400, "invalid-field", "condition.margin"},
			"no percent":                       {condition(body{"type": "occupancy_above"}), 400, "invalid-field", "condition.percent"},
			"above all":                        {condition(body{"type": "occupancy_above", "percent": 100}), 400, "invalid-field", "condition.percent"},
			"a margin beyond the percent":      {condition(body{"type": "occupancy_above", "percent": 3, "margin": 5}), 400, "invalid-field", "condition.margin"},
			"no minutes":                       {condition(body{"type": "overstay"}), 400, "invalid-field", "condition.minutes"},
			"no time at all":                   {condition(body{"type": "overstay", "minutes": 0}), 400, "invalid-field", "condition.minutes"},
			"what belongs to another":          {condition(body{"type": "any_free", "count": 3}), 400, "unknown-field", "condition.count"},
			"a day that is none":               {window(body{"days": []any{"monday"}}), 400, "invalid-field", "hours[0].days"},
			"no days":                          {window(body{"days": []any{}}), 400, "invalid-field", "hours[0].days"},
			"a time that is none":              {window(body{"from": "8:00", "to": "10:00"}), 400, "invalid-field", "hours[0].from"},
			"a window of nothing":              {window(body{"from": "08:00", "to": "08:00"}), 400, "invalid-field", "hours[0].to"},
			"too many windows":                 {with(body{"quietHours": make([]body, 15)}), 400, "invalid-field", "quietHours"},
			"quiet hours that do else":         {with(body{"quietHours": []any{body{"to": "06:00"}}, "quietHoursThen": "shout"}), 400, "invalid-field", "quietHoursThen"},
			"a zone of time that is none":      {with(body{"timeZone": "Europe/Atlantis"}), 400, "invalid-field", "timeZone"},
			"the past":                         {with(body{"expiresAt": "2020-01-01T00:00:00Z"}), 400, "invalid-field", "expiresAt"},
			"neither on nor off":               {with(body{"enabled": json.RawMessage("null")}), 400, "invalid-field", "enabled"},
			"a beginning that is none":         {with(body{"initially": "maybe"}), 400, "invalid-field", "initially"},
			"a cool-down of years":             {with(body{"cooldownSeconds": 1e9}), 400, "invalid-field", "cooldownSeconds"},
			"a channel of nobody":              {with(body{"channels": []any{"zzz"}}), 400, "invalid-field", "channels"},
			"a channel twice":                  {with(body{"channels": []any{"z", "z"}}), 400, "invalid-field", "channels"},
			"a field that nobody knows":        {with(body{"color": "red"}), 400, "unknown-field", "color"},
			"a field of a target that is none": {with(body{"target": body{"lotId": "x", "level": 1}}), 400, "unknown-field", "target.level"},
		} {
			in.refused(what, in.ask(by("ada"), "POST", "/rules", c.rule), c.status, c.slug, c.field)
		}
		limited := by("ada", "y")
		in.refused("a lot outside", in.ask(limited, "POST", "/rules", with(nil)), 403, "lot-not-allowed", "target.lotId")
		in.refused("a spot outside", in.ask(limited, "POST", "/rules", with(body{"target": body{"spotId": "a"}})), 422, "target-unknown", "target.spotId")
		for range 2 {
			in.rule(by("ada"), nil)
		}
		in.refused("one rule more than may be", in.ask(by("ada"), "POST", "/rules", with(nil)), 409, "too-many-rules", "")
		in.refused("a parameter that nobody knows", in.ask(by("ada"), "GET", "/rules?x=1", nil), 400, "unknown-parameter", "x")
		in.refused("a method that nobody knows", in.ask(by("ada"), "PUT", "/rules", body{}), 405, "method-not-allowed", "")
	})
}

func TestARuleWhoseSpotOrChannelIsGoneCanBeChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start()
		w.free("x/1/a")
		in.settle()
		ada := by("ada")
		hook := in.ask(ada, "POST", "/channels", body{"kind": "webhook", "url": "https://example.org/"}).field("id")
		id := in.rule(ada, body{"target": body{"spotId": "a"}, "condition": body{"type": "overstay", "minutes": 60}, "channels": []any{hook}})
		w.becomes("x/1/a", event.Removed, event.ChangeRemoved)
		in.settle()
		if a := in.ask(ada, "DELETE", "/channels/"+hook, nil); a.status != 204 {
			t.Fatalf("%d %v", a.status, a.body)
		}
		for _, change := range []body{{"enabled": false}, {"name": "other"}, {"enabled": true}, {"condition": body{"type": "any_free"}}} {
			if a := in.ask(ada, "PATCH", "/rules/"+id, change); a.status != 200 {
				t.Errorf("%v is answered %d %v", change, a.status, a.body)
			}
		}
		in.refused("a spot that is gone", in.ask(ada, "PATCH", "/rules/"+id, body{"target": body{"spotId": "a"}}), 422, "target-unknown", "target.spotId")
		in.refused("a channel that is gone", in.ask(ada, "PATCH", "/rules/"+id, body{"channels": []any{hook}}), 400, "invalid-field", "channels")
		if a := in.ask(ada, "PATCH", "/rules/"+id, body{"channels": []any{}}); a.status != 200 {
			t.Errorf("%d %v", a.status, a.body)
		}
	})
}

func TestWhoWritesARuleIsOnTheTopicOfChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		in := w.start()
		w.occupied("x/1/a")
		in.settle()
		id := in.rule(by("ada"), nil)
		in.ask(by("ada"), "PATCH", "/rules/"+id, body{"name": "other"})
		in.ask(by("ada"), "PATCH", "/rules/"+id, body{"name": "other"}) // which changes nothing
		in.ask(by("ada"), "DELETE", "/rules/"+id, nil)
		var told []string
		w.until("three records are there", func() bool {
			told = nil
			for _, r := range w.audits() {
				var change struct {
					ID, Subject, Method, Route, Outcome string
					Resource                            struct{ Type, ID string }
					Before, After                       struct{ Name string }
				}
				if err := json.Unmarshal(r.Value, &change); err != nil {
					t.Fatal(err)
				}
				if change.Resource.ID == id {
					told = append(told, strings.Join([]string{change.Subject, change.Method, change.Route, change.Outcome, change.Resource.Type, change.Before.Name, change.After.Name, string(r.Key)}, " "))
				}
			}
			return len(told) >= 3
		})
		want := []string{
			"ada POST /api/v1/alerts/rules added alertRule  n alertRule/" + id,
			"ada PATCH /api/v1/alerts/rules/{ruleId} changed alertRule n other alertRule/" + id,
			"ada DELETE /api/v1/alerts/rules/{ruleId} removed alertRule other  alertRule/" + id,
		}
		if fmt.Sprint(told) != fmt.Sprint(want) {
			t.Errorf("told\n%q, want\n%q", told, want)
		}
	})
}

// audits returns what the topic of changes has.
func (w *world) audits() (all []kafkalog.Record) {
	w.t.Helper()
	stand, err := w.log.Stand(w.t.Context(), w.topics.AuditTopic)
	if err != nil {
		w.t.Fatal(err)
	}
	from, to := stand.Begin, stand.End
	for p := range from {
		from[p]--
		to[p]--
	}
	err = w.log.RangeOf(w.t.Context(), w.topics.AuditTopic, from, to, func(r kafkalog.Record) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}
