package e2e

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"parkwire/internal/webhook"
	"parkwire/internal/webpush/webpushtest"
	"parkwire/test/e2e/stack"
)

// alertSettings let receivers of a test, which are not public, be told.
var alertSettings = []string{"alerts-webhook-allow=127.0.0.0/8", "alerts-vapid-subject=mailto:ops@example.org"}

// eachWithAlerts runs a test on both ways to run the platform.
func eachWithAlerts(t *testing.T, test func(t *testing.T, s *stack.Stack)) {
	t.Run("embedded", func(t *testing.T) {
		stack.WantEmbedded(t)
		var args []string
		for _, setting := range alertSettings {
			args = append(args, "--"+setting)
		}
		test(t, stack.Embedded(t, append(args, "--rate-limit=0")...))
	})
	t.Run("distributed", func(t *testing.T) {
		key := t.TempDir() + "/vapid.key"
		writeVAPIDKey(t, key)
		s := stack.Assemble(t, stack.RealServers(t), stack.Layout{Gateways: 2, Parking: 1, Live: 1, Alerts: 2, Env: func(name string) (env []string) {
			if strings.HasPrefix(name, "gateway") {
				return []string{"PARKWIRE_RATE_LIMIT=0"}
			}
			if !strings.HasPrefix(name, "alerts") {
				return nil
			}
			for _, setting := range append(alertSettings, "alerts-vapid-key-file="+key) {
				name, value, _ := strings.Cut(setting, "=")
				env = append(env, "PARKWIRE_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
			}
			return env
		}})
		s.StartAll(t)
		s.WaitAllReady(t)
		test(t, s)
	})
}

// writeVAPIDKey writes the key that alerts services share.
func writeVAPIDKey(t *testing.T, path string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// alertReceiver takes webhooks and web push messages, slowly enough that some are under way at any time.
type alertReceiver struct {
	*httptest.Server
	mu  sync.Mutex
	got []alertRequest
}

type alertRequest struct {
	path   string
	header http.Header
	body   []byte
	at     time.Time // when it came
}

func newAlertReceiver(t *testing.T) *alertReceiver {
	r := &alertReceiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return // its sender was killed
		}
		r.mu.Lock()
		r.got = append(r.got, alertRequest{request.URL.Path, request.Header.Clone(), body, time.Now()})
		r.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		w.WriteHeader(http.StatusCreated)
	}))
	t.Cleanup(r.Close)
	return r
}

// at returns what came to a path.
func (r *alertReceiver) at(path string) (got []alertRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.got {
		if one.path == path {
			got = append(got, one)
		}
	}
	return got
}

// alertMessage is what webhooks and browsers get.
type alertMessage struct {
	ID, Type string
	Data     struct{ ID, RuleID, SpotID, Text string }
}

func readMessage(t *testing.T, text []byte) alertMessage {
	t.Helper()
	var m alertMessage
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return m
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after two minutes: %s", what)
		}
	}
}

type added struct{ ID, Secret string }

// awaitAlert waits until the service has heard that something is so. It reads the event log, a moment later than it was answered.
func awaitAlert(t *testing.T, s *stack.Stack, target, condition map[string]any) {
	t.Helper()
	rule := alertRule(t, s, target, condition)
	var list struct{ Items []struct{ RuleID string } }
	until(t, "the service has not heard of it", func() bool {
		s.Do(t, 200, "GET", "/api/v1/alerts/decisions?rule="+rule.ID, nil, &list)
		return len(list.Items) > 0
	})
	s.Do(t, 204, "DELETE", "/api/v1/alerts/rules/"+rule.ID, nil, nil)
}

// alertRule makes a rule that speaks each time that its condition comes true. The service hears of a new spot a moment later than whoever added it.
func alertRule(t *testing.T, s *stack.Stack, target, condition map[string]any, channels ...string) (rule added) {
	t.Helper()
	body := map[string]any{"name": "test", "target": target, "condition": condition, "channels": append([]string{}, channels...)}
	until(t, "the service does not know what the rule is about", func() bool {
		answer, err := s.Try("POST", "/api/v1/alerts/rules", body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Status == http.StatusUnprocessableEntity {
			return false
		}
		if answer.Status != http.StatusCreated {
			t.Fatalf("making a rule is answered with %d %s", answer.Status, answer.Body)
		}
		return json.Unmarshal(answer.Body, &rule) == nil
	})
	return rule
}

// listenToAlerts opens the stream, and sends what stands behind "data:".
func listenToAlerts(t *testing.T, s *stack.Stack) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/api/v1/alerts/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the stream is answered with %d", answer.StatusCode)
	}
	events, ended := make(chan string, 100), make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(answer.Body)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
				events <- strings.TrimSpace(data)
			}
		}
	}()
	t.Cleanup(func() { cancel(); answer.Body.Close(); <-ended })
	return events
}

// A rule is made over the gateway, its spot is released, and whoever wants to know hears the same.
func TestAnAlertReachesWebhookBrowserAndStream(t *testing.T) {
	eachWithAlerts(t, func(t *testing.T, s *stack.Stack) {
		receiver := newAlertReceiver(t)
		browser := webpushtest.NewBrowser(t)
		s.AddLot(t, "central", "a-01")
		s.Act(t, "a-01", "occupy")
		var hook, push added
		s.Do(t, 201, "POST", "/api/v1/alerts/channels", map[string]any{"kind": "webhook", "name": "mine", "url": receiver.URL + "/hook"}, &hook)
		var key struct{ Key string }
		s.Do(t, 200, "GET", "/api/v1/alerts/push-key", nil, &key)
		s.Do(t, 201, "POST", "/api/v1/alerts/channels", map[string]any{"kind": "push", "subscription": map[string]any{
			"endpoint": receiver.URL + "/push", "expirationTime": nil, "keys": map[string]any{"p256dh": browser.P256DH(), "auth": browser.Auth()},
		}}, &push)
		awaitAlert(t, s, map[string]any{"lotId": "central"}, map[string]any{"type": "occupancy_above", "percent": 99})
		rule := alertRule(t, s, map[string]any{"spotId": "a-01"}, map[string]any{"type": "any_free"}, hook.ID, push.ID)
		events := listenToAlerts(t, s)
		s.Act(t, "a-01", "release")

		until(t, "no webhook came", func() bool { return len(receiver.at("/hook")) > 0 })
		request := receiver.at("/hook")[0]
		if err := webhook.Verify(hook.Secret, request.header, request.body, request.at); err != nil {
			t.Errorf("the webhook: %v", err)
		}
		told := readMessage(t, request.body)
		if told.Type != "alert.fired" || told.ID != request.header.Get("webhook-id") || told.Data.RuleID != rule.ID || !strings.Contains(told.Data.Text, "free") {
			t.Errorf("the webhook says %s", request.body)
		}
		until(t, "no push message came", func() bool { return len(receiver.at("/push")) > 0 })
		request = receiver.at("/push")[0]
		text, err := browser.Read(request.body)
		if err != nil {
			t.Fatal(err)
		}
		if m := readMessage(t, text); m.Data.ID != told.Data.ID {
			t.Errorf("the browser reads %s", text)
		}
		if authorization := request.header.Get("Authorization"); !strings.HasSuffix(authorization, "k="+key.Key) {
			t.Errorf("the push service is shown %s, and not the key %s", authorization, key.Key)
		}
		for found := false; !found; {
			select {
			case event := <-events:
				found = strings.Contains(event, told.Data.ID)
			case <-time.After(2 * time.Minute):
				t.Fatal("the stream says nothing of it")
			}
		}
		var list struct {
			Items []struct{ State, DecisionID string }
		}
		until(t, "the deliveries are not recorded", func() bool {
			s.Do(t, 200, "GET", "/api/v1/alerts/deliveries?state=delivered", nil, &list)
			return len(list.Items) == 2
		})
		for _, d := range list.Items {
			if d.DecisionID != told.Data.ID {
				t.Errorf("a delivery is of %s", d.DecisionID)
			}
		}
	})
}

const alertRestarts = 20

// The service is ended twenty times while it decides and delivers, by SIGTERM and SIGKILL in turns. Every release is told to the receiver once; only
// what was cut off by SIGKILL may come again, under the same id.
func TestTwentyRestartsLoseNoAlertAndRepeatNone(t *testing.T) {
	eachWithAlerts(t, func(t *testing.T, s *stack.Stack) {
		receiver := newAlertReceiver(t)
		spots := ids("r", 10)
		s.AddLot(t, "restarted", spots...)
		awaitAlert(t, s, map[string]any{"lotId": "restarted"}, map[string]any{"type": "free_at_least", "count": len(spots)})
		for _, spot := range spots {
			s.Act(t, spot, "occupy")
		}
		awaitAlert(t, s, map[string]any{"lotId": "restarted"}, map[string]any{"type": "occupancy_above", "percent": 99})
		var hook added
		s.Do(t, 201, "POST", "/api/v1/alerts/channels", map[string]any{"kind": "webhook", "url": receiver.URL + "/hook"}, &hook)
		for _, spot := range spots {
			alertRule(t, s, map[string]any{"spotId": spot}, map[string]any{"type": "any_free"}, hook.ID)
		}
		nodes := s.Alerts
		if s.One != nil {
			nodes = []*stack.Node{s.One}
		}
		released := 0
		for round := range alertRestarts {
			before := len(receiver.at("/hook"))
			for _, spot := range spots {
				s.Act(t, spot, "release")
				released++
				s.Act(t, spot, "occupy")
			}
			until(t, "nothing is delivered", func() bool { return len(receiver.at("/hook")) > before }) // the others are under way
			for _, n := range nodes {
				if round%2 == 0 {
					n.Stop(t)
				} else {
					n.Kill(t)
				}
			}
			for _, n := range nodes {
				n.Start(t)
			}
			for _, n := range nodes {
				n.WaitReady(t)
			}
		}
		type delivery struct {
			ID, DecisionID, State string
			Attempts, Interrupted int
		}
		var list struct{ Items []delivery }
		until(t, "not everything is delivered", func() bool {
			s.Do(t, 200, "GET", "/api/v1/alerts/deliveries?limit=5000", nil, &list)
			delivered := 0
			for _, d := range list.Items {
				if d.State == "delivered" {
					delivered++
				}
			}
			return delivered >= released
		})
		if len(list.Items) != released {
			t.Errorf("%d releases have %d deliveries", released, len(list.Items))
		}
		times, decisions := map[string]int{}, map[string]string{}
		for _, request := range receiver.at("/hook") {
			m := readMessage(t, request.body)
			if err := webhook.Verify(hook.Secret, request.header, request.body, request.at); err != nil || m.ID != request.header.Get("webhook-id") {
				t.Errorf("a webhook that is not as it should be: %v, %s", err, request.body)
			}
			times[m.ID]++
			if other, known := decisions[m.Data.ID]; known && other != m.ID {
				t.Errorf("the decision %s is told under two ids", m.Data.ID)
			}
			decisions[m.Data.ID] = m.ID
		}
		if len(times) != released {
			t.Errorf("%d releases reached the receiver under %d ids", released, len(times))
		}
		repeats, interrupted := 0, 0
		for _, d := range list.Items {
			repeats += times[d.ID] - 1
			interrupted += d.Interrupted
			if times[d.ID]-1 > d.Interrupted {
				t.Errorf("%s came %d times, and %d of its attempts are known to have been cut off", d.ID, times[d.ID], d.Interrupted)
			}
		}
		t.Logf("%d alerts over %d restarts: %d attempts cut off by SIGKILL, %d of them had arrived and came again", released, alertRestarts, interrupted, repeats)
	})
}
