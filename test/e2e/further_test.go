package e2e

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// What one of the further services answers first, by its name.
var furtherPaths = map[string]string{
	"history": "/api/v1/lots/aside/metrics", "audit": "/api/v1/audit/head", "alerts": "/api/v1/alerts/rules",
}

// awaitAnswer asks until the answer has the status, for a minute.
func awaitAnswer(t *testing.T, api stack.API, path string, want int) stack.Answer {
	t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		answer, err := api.Try("GET", path, nil)
		if err == nil && answer.Status == want {
			if err := stack.Described("GET", path, answer); err != nil {
				t.Error(err)
			}
			return answer
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("%s is still answered with %d %s (%v) instead of %d", path, answer.Status, answer.Body, err, want)
		}
	}
}

// Spots change and people hear of it, whichever of the further services is dead, and who asks for one of those is told.
func TestThePlatformGoesOnWithoutItsFurtherServices(t *testing.T) {
	t.Parallel()
	s := stack.Assemble(t, stack.Servers{Kafka: newBroker(t).Addr()}, stack.Layout{Gateways: 1, Parking: 1, Live: 1, History: 1, Audit: 1, Alerts: 1})
	s.StartAll(t)
	s.WaitAllReady(t)
	admin := stack.API{URL: s.URL, Token: s.TokenFor(t, "admin")}
	s.AddLot(t, "aside", "aside-1")
	for name, path := range furtherPaths {
		t.Logf("%s answers %s", name, awaitAnswer(t, admin, path, 200).Body)
	}
	further := map[string]*stack.Node{"history": s.History[0], "audit": s.Audit[0], "alerts": s.Alerts[0]}
	for _, n := range further {
		n.Kill(t)
	}
	for name, path := range furtherPaths {
		if answer := awaitAnswer(t, admin, path, 503); !strings.Contains(string(answer.Body), name) || answer.Header.Get("Retry-After") == "" {
			t.Errorf("without the service %s comes %s", name, answer.Body)
		}
	}
	listener := s.WebSocket(t)
	spot := s.Act(t, "aside-1", "occupy")
	if f := listener.Count(t, 1)[0]; f.SpotID != "aside-1" || f.Version != spot.Version {
		t.Errorf("without the services comes %v", f)
	}
	status, reason := s.Gateways[0].Readiness()
	for began := time.Now(); status == 200 && !strings.Contains(reason, "history: ") && time.Since(began) < time.Minute; time.Sleep(50 * time.Millisecond) {
		status, reason = s.Gateways[0].Readiness()
	}
	if status != 200 || !strings.Contains(reason, "further: degraded: ") {
		t.Errorf("the gateway's readiness is %d: %s", status, reason)
	}
	for name, n := range further {
		n.Restart(t)
		awaitAnswer(t, admin, furtherPaths[name], 200)
	}
}

// A gateway that knows of no further services says so.
func TestAPlatformWithoutFurtherServicesSaysSo(t *testing.T) {
	t.Parallel()
	s := stack.Assemble(t, stack.Servers{Kafka: newBroker(t).Addr()}, stack.Layout{Gateways: 1, Parking: 1, Live: 1})
	s.StartAll(t)
	s.WaitAllReady(t)
	admin := stack.API{URL: s.URL, Token: s.TokenFor(t, "admin")}
	for name, path := range furtherPaths {
		if p := admin.Refused(t, 503, "GET", path, nil); !strings.HasSuffix(p.Type, ":service-not-configured") || !strings.Contains(p.Detail, name) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// Alerts come through NGINX and a gateway as they are sent. When the gateway ends, the stream ends between two of them, and the client is told when to come back.
func TestAlertsAreStreamedThroughTheEdge(t *testing.T) {
	t.Parallel()
	s := stack.Assemble(t, stack.Servers{Kafka: newBroker(t).Addr()}, stack.Layout{Gateways: 1, Parking: 1, Live: 1, Alerts: 1})
	s.StartAll(t)
	s.WaitAllReady(t)
	s.StartEdge(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	open := func() (*http.Response, *bufio.Reader) {
		r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/api/v1/alerts/stream?access_token="+s.TokenFor(t, "read"), nil) // as an EventSource asks
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Body.Close() })
		return answer, bufio.NewReader(answer.Body)
	}
	for range 2 { // the second time it was started again
		answer, lines := open()
		if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || !strings.HasPrefix(kind, "text/event-stream") {
			t.Fatalf("the stream is answered with %d %s", answer.StatusCode, kind)
		}
		if first, err := lines.ReadString('\n'); err != nil { // before anything happens
			t.Fatalf("the stream begins with %q, %v", first, err)
		}
		s.Gateways[0].Stop(t)
		rest, err := io.ReadAll(lines)
		if text := string(rest); err != nil || !strings.Contains(text, "\nretry: ") || !strings.HasSuffix(text, "\n\n") {
			t.Errorf("the stream ends with %q, %v", text, err)
		}
		s.Gateways[0].Restart(t)
	}
}
