package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parkwire/internal/trace/tracetest"
	"parkwire/test/e2e/stack"
)

// traceSettings have every request followed.
func traceSettings(c *tracetest.Collector) []string {
	return []string{"trace-endpoint=" + c.URL, "trace-share=1", "trace-limit=10000", "alerts-webhook-allow=127.0.0.0/8"}
}

// eachWithTraces runs a test on both ways to run the platform.
func eachWithTraces(t *testing.T, test func(t *testing.T, s *stack.Stack, c *tracetest.Collector)) {
	t.Run("embedded", func(t *testing.T) {
		stack.WantEmbedded(t)
		c := tracetest.New(t)
		var args []string
		for _, setting := range traceSettings(c) {
			args = append(args, "--"+setting)
		}
		test(t, stack.Embedded(t, args...), c)
	})
	t.Run("distributed", func(t *testing.T) {
		c := tracetest.New(t)
		var env []string
		for _, setting := range traceSettings(c) {
			name, value, _ := strings.Cut(setting, "=")
			env = append(env, "PARKWIRE_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
		}
		s := stack.Assemble(t, stack.RealServers(t), stack.Layout{Gateways: 1, Parking: 1, Live: 2, History: 1, Audit: 1, Alerts: 1,
			Env: func(string) []string { return env }})
		s.StartAll(t)
		s.WaitAllReady(t)
		test(t, s, c)
	})
}

// hops are the spans of one trace.
type hops []tracetest.Span

// behind returns those that a span has begun, of that name.
func (h hops) behind(parent tracetest.Span, name string) (found hops) {
	for _, s := range h {
		if s.Parent == parent.ID && s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// services are those that the spans are of, in order of name.
func (h hops) services() (names []string) {
	for _, s := range h {
		names = append(names, strings.TrimPrefix(s.Service, "parkwire-"))
	}
	slices.Sort(names)
	return names
}

func TestOneTraceTellsOfEveryHopOfAChange(t *testing.T) {
	eachWithTraces(t, func(t *testing.T, s *stack.Stack, c *tracetest.Collector) {
		const occupy = "POST /api/v1/spots/{spotId}/occupy"
		receiver := newAlertReceiver(t)
		s.AddLot(t, "central", "A1", "A2")
		var hook added
		s.Do(t, 201, "POST", "/api/v1/alerts/channels", map[string]any{"kind": "webhook", "url": receiver.URL + "/hook"}, &hook)
		alertRule(t, s, map[string]any{"lotId": "central"}, map[string]any{"type": "occupancy_above", "percent": 40}, hook.ID)
		var clients []*stack.Listener
		for range 3 {
			for _, instance := range s.Instances() {
				clients = append(clients, stack.ListenWebSocket(t, instance, nil))
			}
		}
		for range 5 { // so that what is looked at is not the first of its kind
			s.Act(t, "A2", "close")
			s.Act(t, "A2", "reopen")
		}
		for _, client := range clients {
			client.Spot(t, "A2", 11)
		}
		s.Act(t, "A1", "occupy")
		for _, client := range clients {
			frames := client.Spot(t, "A1", 2)
			if raw := frames[len(frames)-1].Raw; strings.Contains(strings.ToLower(raw), "trace") {
				t.Errorf("a client is told of a trace: %s", raw)
			}
		}
		until(t, "the webhook was not told", func() bool { return len(receiver.at("/hook")) > 0 })

		topic, one := s.Topic, s.One != nil
		var edge tracetest.Span
		var h hops
		complete := func() bool {
			roots := slices.DeleteFunc(c.Spans(), func(s tracetest.Span) bool { return s.Name != occupy || s.Parent != "" })
			if len(roots) != 1 {
				return false
			}
			edge = roots[0]
			h = c.Trace(edge.Trace)
			readers := 0
			for _, s := range h {
				if s.Name == "process "+topic {
					readers++
				}
			}
			return readers == 4 && slices.ContainsFunc(h, func(s tracetest.Span) bool { return s.Name == "deliver webhook" }) &&
				slices.ContainsFunc(h, func(s tracetest.Span) bool { return s.Name == "write to clients" })
		}
		until(t, "the collector does not have the whole trace", complete)
		until(t, "an instance has not told of its clients", func() bool { // the last spans come by themselves
			writes := map[string]bool{}
			for _, s := range h {
				if s.Name == "write to clients" {
					writes[s.Instance] = true
				}
			}
			return complete() && len(writes) == len(s.Instances())
		})

		only := func(found hops, what string) tracetest.Span {
			t.Helper()
			if len(found) != 1 {
				t.Fatalf("the trace has %d spans of %s: %+v", len(found), what, h)
			}
			return found[0]
		}
		if edge.Attributes["http.response.status_code"] != "200" || edge.Attributes["http.route"] != "/api/v1/spots/{spotId}/occupy" {
			t.Errorf("the request is told as %v", edge.Attributes)
		}
		asks := edge
		if !one {
			asks = only(h.behind(edge, "ask parking"), "the gateway asking")
		}
		parking := only(h.behind(asks, occupy), "the parking part")
		transaction := only(h.behind(parking, "transaction"), "the transaction")
		if transaction.Attributes["parkwire.events"] != "1" {
			t.Errorf("the transaction is told as %v", transaction.Attributes)
		}
		send := only(h.behind(parking, "send "+topic), "the relay")
		readers := h.behind(send, "process "+topic)
		if got, want := readers.services(), []string{"alerts", "audit", "history", "notifications"}; !one && !slices.Equal(got, want) {
			t.Errorf("the record was read by %v, not by %v", got, want)
		}
		if one && len(readers) != 4 {
			t.Errorf("the record was read %d times, not 4", len(readers))
		}
		told, linked := false, 0
		var publish tracetest.Span
		for _, r := range readers {
			if p := h.behind(r, "publish notifications"); len(p) > 0 {
				publish = only(p, "the bridge")
			}
			linked += len(r.Links)
			for _, w := range h.behind(r, "deliver webhook") {
				told = true
				if header := receiver.at("/hook")[0].header.Get("Traceparent"); !strings.Contains(header, edge.Trace+"-"+w.ID) {
					t.Errorf("the webhook is told %q of the span %s", header, w.ID)
				}
			}
		}
		if !told {
			t.Error("no span tells of the webhook behind the alert service's")
		}
		if linked != 3 {
			t.Errorf("%d transactions of further services are linked, not 3", linked)
		}
		delivered, written := h.behind(publish, "deliver"), 0
		if len(delivered) != len(s.Instances()) {
			t.Errorf("%d instances delivered it, not %d", len(delivered), len(s.Instances()))
		}
		for _, d := range delivered {
			for _, w := range h.behind(d, "write to clients") {
				if w.End.Before(d.Begin) {
					t.Errorf("%+v ended before %+v", w, d)
				}
				written++
			}
		}
		if written == 0 {
			t.Error("no span tells that it was written to clients")
		}
		for _, s := range h {
			if s.Failed {
				t.Errorf("a hop failed: %+v", s)
			}
		}
		if *update && !one {
			drawTrace(t, edge, h)
		}
	})
}

func TestWhatItsCallerDoesNotFollowIsNotFollowed(t *testing.T) {
	c := tracetest.New(t)
	s := stack.Embedded(t, "--trace-endpoint="+c.URL, "--trace-share=0")
	s.AddLot(t, "central", "A1")
	client := s.WebSocket(t)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	for i, flags := range []string{"00", "01"} {
		r, err := http.NewRequest("POST", s.URL+"/api/v1/spots/A1/"+[]string{"occupy", "release"}[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.Token)
		r.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-"+flags)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 200 {
			t.Fatalf("the change is answered with %s", answer.Status)
		}
	}
	client.Spot(t, "A1", 3)
	until(t, "the collector does not have the trace that is followed", func() bool {
		return slices.ContainsFunc(c.Spans(), func(s tracetest.Span) bool { return s.Name == "write to clients" })
	})
	for _, span := range c.Spans() {
		if span.Trace != trace && len(span.Links) == 0 || strings.Contains(span.Name, "occupy") {
			t.Errorf("%+v is followed", span)
		}
	}
}
