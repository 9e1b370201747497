package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"parkwire/test/e2e/stack"
)

// A client that goes from gateway to gateway has one allowance at all of them, and while Redis is away no less a limit at each.
func TestALimitHoldsAtAllGatewaysTogether(t *testing.T) {
	const burst = 10
	redis := os.Getenv(stack.EnvRedis)
	if redis == "" {
		if os.Getenv(stack.EnvDistributed) == "1" {
			t.Fatalf("%s is not set, although %s=1 promises it", stack.EnvRedis, stack.EnvDistributed)
		}
		t.Skipf("%s is not set", stack.EnvRedis)
	}
	behind := stack.Embedded(t) // the event log, and what serves notifications
	way := stack.ProxyTo(t, redis)
	way.Open(t)
	s := stack.Assemble(t, stack.Servers{Kafka: behind.Kafka, Redis: redis}, stack.Layout{Gateways: 2, Parking: 1, Redis: way},
		"--rate-limit", "0.001", "--rate-burst", "10", "--live-urls", behind.URL)
	s.StartAll(t)
	s.WaitAllReady(t)
	together := func(want bool) {
		t.Helper()
		for _, gateway := range s.Gateways {
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
				if _, said := gateway.Readiness(); strings.Contains(said, "counted by this gateway alone") == !want {
					break
				}
				if time.Now().After(deadline) {
					_, said := gateway.Readiness()
					t.Fatalf("it says %q", said)
				}
			}
		}
	}
	passed := func() (served, refused int) {
		t.Helper()
		for range 2 * burst {
			for _, gateway := range s.Gateways {
				answer, err := stack.API{URL: gateway.URL}.Try("GET", "/api/v1/lots", nil)
				if err != nil {
					t.Fatal(err)
				}
				switch answer.Status {
				case 200:
					served++
				case 429:
					refused++
				}
			}
		}
		return served, refused
	}
	together(true)
	if served, refused := passed(); served != burst || refused != 3*burst {
		t.Errorf("%d requests were served and %d refused, with an allowance of %d", served, refused, burst)
	}
	way.Silence()
	together(false)
	began := time.Now()
	if served, _ := passed(); served != 0 { // each gateway goes on from what it counted
		t.Errorf("without Redis %d requests were served beyond the allowance", served)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("they took %v", took)
	}
	way.Open(t)
	together(true)
}
