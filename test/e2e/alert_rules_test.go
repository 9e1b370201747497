package e2e

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// Rules, decisions and the stream as a subject meets them, through the gateway.
func TestAlertsAreTheirSubjectsAndEndWithTheirTokens(t *testing.T) {
	t.Parallel()
	eachWithAlerts(t, func(t *testing.T, s *stack.Stack) {
		s.AddLot(t, "central", "c-1", "c-2")
		s.AddLot(t, "north", "n-1")
		token := func(subject, lots string) stack.API {
			args := []string{"token", "--subject", subject, "--scope", "read"}
			if lots != "" {
				args = append(args, "--lots", lots)
			}
			return stack.API{URL: s.URL, Token: strings.TrimSpace(s.Command(t, time.Minute, args...))}
		}
		ada, limited, admin := token("ada", ""), token("ada", "north"), stack.API{URL: s.URL, Token: s.TokenFor(t, "admin")}
		stream := func(api stack.API) io.ReadCloser {
			r, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/api/v1/alerts/stream?access_token="+api.Token, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { answer.Body.Close() })
			if answer.StatusCode != 200 {
				t.Fatalf("the stream is answered with %s", answer.Status)
			}
			return answer.Body
		}
		var rule struct{ ID, Name string }
		body := map[string]any{"name": "any", "initially": "wait", "target": map[string]any{"lotId": "central"}, "condition": map[string]any{"type": "free_at_least", "count": 2}}
		until(t, "the lots are not known", func() bool {
			answer, err := ada.Try("POST", "/api/v1/alerts/rules", map[string]any{"name": "x", "enabled": false, "target": map[string]any{"spotId": "n-1"}, "condition": body["condition"]})
			return err == nil && answer.Status == 201
		})
		awaitAlert(t, s, map[string]any{"lotId": "central"}, map[string]any{"type": "free_at_least", "count": 2}) // which is read from elsewhere than what north is
		ada.Do(t, 201, "POST", "/api/v1/alerts/rules", body, &rule)
		limited.Refused(t, 403, "POST", "/api/v1/alerts/rules", body)
		limited.Refused(t, 404, "GET", "/api/v1/alerts/rules/"+rule.ID, nil)
		token("bert", "").Refused(t, 404, "GET", "/api/v1/alerts/rules/"+rule.ID, nil)
		stack.API{URL: s.URL}.Refused(t, 401, "GET", "/api/v1/alerts/rules", nil)
		heard := stream(ada)
		for round := range 3 {
			s.Act(t, "c-1", "occupy")
			s.Act(t, "c-1", "release")
			text := readUntil(t, heard, "2 spots are free.")
			if n := strings.Count(text, "event: alert"); n != 1 {
				t.Errorf("round %d: the stream has %q", round, text)
			}
		}
		var list struct {
			Items []struct {
				Text     string
				Sequence int64
			}
		}
		ada.Do(t, 200, "GET", "/api/v1/alerts/decisions?rule="+rule.ID, nil, &list)
		if len(list.Items) != 3 || list.Items[0].Sequence <= list.Items[2].Sequence || list.Items[0].Text != "Lot central: 2 spots are free." {
			t.Errorf("decided was %+v", list.Items)
		}
		limited.Do(t, 200, "GET", "/api/v1/alerts/decisions", nil, &list)
		if len(list.Items) != 0 {
			t.Errorf("a token for other lots is told %+v", list.Items)
		}
		admin.Do(t, 201, "POST", "/api/v1/revocations", map[string]any{"subject": "ada"}, nil)
		if rest, err := readAll(t, heard); err != nil || !strings.Contains(rest, "retry: ") || strings.Contains(rest, "event: alert") {
			t.Errorf("when the token was revoked the stream ended with %q, %v", rest, err)
		}
		ada.Refused(t, 401, "GET", "/api/v1/alerts/rules", nil)
	})
}

// readUntil reads until a text stands there, and returns what came.
func readUntil(t *testing.T, from io.Reader, text string) string {
	t.Helper()
	var got strings.Builder
	b := make([]byte, 4096)
	for !strings.Contains(got.String(), text) {
		n, err := from.Read(b)
		got.Write(b[:n])
		if err != nil {
			t.Fatalf("it ended (%v) with %q before %q", err, got.String(), text)
		}
	}
	return got.String()
}

// readAll reads to the end, for two minutes at most.
func readAll(t *testing.T, from io.ReadCloser) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { from.Close() })
	defer stop()
	text, err := io.ReadAll(from)
	return string(text), err
}
