package e2e

import (
	"net/url"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parkwire/test/e2e/stack"
)

// A key that one gateway was asked to make and to revoke is known to all gateways and notification instances, and while the parking part
// is away what they know holds.
func TestAKeyHoldsEverywhereUntilItIsRevokedAndThenNowhere(t *testing.T) {
	stack.ForEach(t, func(t *testing.T, s *stack.Stack) {
		admin := stack.API{URL: s.URL, Token: s.TokenFor(t, "admin")}
		s.AddLot(t, "mine", "mine-1")
		s.AddLot(t, "other", "other-1")
		var key, unused struct{ ID, Secret string }
		admin.Do(t, 201, "POST", "/api/v1/keys", map[string]any{"name": "sign", "scopes": []string{"read"}, "lots": []string{"mine"}}, &key)

		gateways, instances := []string{s.URL}, []string{s.URL}
		if s.One == nil {
			gateways, instances = nil, nil
			for _, n := range s.Gateways {
				gateways = append(gateways, n.URL)
			}
			for _, n := range s.Live {
				instances = append(instances, n.URL)
			}
		}
		status := func(base, secret, path string) int {
			a, err := stack.API{URL: base, Token: secret}.Try("GET", path, nil)
			if err != nil {
				return 0
			}
			return a.Status
		}
		answers := func(what string, bases []string, secret, path string, want int) {
			t.Helper()
			for _, base := range bases {
				for deadline := time.Now().Add(time.Minute); status(base, secret, path) != want; time.Sleep(10 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("%s: %s answers %d to GET %s, not %d", what, base, status(base, secret, path), path, want)
					}
				}
			}
		}
		answers("a new key", gateways, key.Secret, "/api/v1/lots/mine", 200)
		answers("a lot that is not its own", gateways, key.Secret, "/api/v1/lots/other", 403)
		answers("a new key", instances, key.Secret, "/api/v1/events", 200)

		var listeners []*stack.Listener
		for _, base := range instances {
			listeners = append(listeners, stack.ListenWebSocket(t, base, url.Values{"access_token": {key.Secret}}))
		}
		s.Act(t, "other-1", "occupy")
		s.Act(t, "mine-1", "occupy")
		for _, l := range listeners {
			if frames := l.Spot(t, "mine-1", 2); len(frames) != 1 {
				t.Errorf("a key for one lot heard %v", frames)
			}
		}

		if s.One == nil {
			for _, n := range s.Parking {
				n.Kill(t)
			}
			answers("a known key while the parking part is away", gateways, key.Secret, "/api/v1/events", 200)
			answers("a key that may have been made meanwhile", gateways, "pw_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/api/v1/events", 503)
			for _, n := range s.Parking {
				n.Restart(t)
			}
			answers("a key that was never made", gateways, "pw_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/api/v1/events", 401)
			admin.Do(t, 201, "POST", "/api/v1/keys", map[string]any{"name": "later", "scopes": []string{"read"}}, &unused)
		}

		began := time.Now()
		admin.Do(t, 204, "DELETE", "/api/v1/keys/"+key.ID, nil, nil)
		for _, l := range listeners {
			if err := l.Ended(t, time.Minute); websocket.CloseStatus(err) != 4401 {
				t.Errorf("who listens by it is ended with %v", err)
			}
		}
		answers("a revoked key", gateways, key.Secret, "/api/v1/lots/mine", 401)
		answers("a revoked key", instances, key.Secret, "/api/v1/events", 401)
		t.Logf("after %v it held nowhere", time.Since(began).Round(time.Millisecond))
	})
}
