package client_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/client"
	"parkwire/internal/client/clienttest"
	"parkwire/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, address := range []string{"", "localhost:5000", "ftp://localhost", "http://", "http://localhost?x=1"} {
		if _, err := client.New(client.Options{URL: address}); err == nil || !strings.Contains(err.Error(), "http://localhost:5000") {
			t.Errorf("%q: %v; it should be refused with an example", address, err)
		}
	}
}

func TestARequestIsTriedAgainWhileThePlatformIsBusyOrAway(t *testing.T) {
	for name, status := range map[string]int{"too many requests": 429, "not ready": 503, "a proxy without a server": 502} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, tries := clienttest.New(), 0
				p.Refuse = func(*http.Request) *problem.Problem {
					if tries++; tries < 4 {
						no := problem.New(status, "busy", "Later.").With("retryAfter", "2")
						return &no
					}
					return nil
				}
				began, told := time.Now(), 0
				if err := p.Client(client.Options{Waiting: func(error) { told++ }}).AddLot(t.Context(), client.Lot{ID: "a", Name: "A"}); err != nil {
					t.Fatal(err)
				}
				if told != 1 {
					t.Errorf("it was told %d times that something is waited for", told)
				}
				if took := time.Since(began); took < 6*time.Second || took > 8*time.Second {
					t.Errorf("three tries that were asked to wait for 2 s took %v", took)
				}
			})
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := clienttest.New()
		p.Swallow = func(*http.Request) bool { return true }
		began := time.Now()
		_, err := p.Client(client.Options{Patience: 10 * time.Second}).Lot(t.Context(), "a")
		if err == nil || !strings.Contains(err.Error(), "reset") {
			t.Errorf("the error is %v; it should say why the platform cannot be reached", err)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %v with a patience of 10 s", took)
		}
	})
}

func TestWhatIsRefusedIsNotTriedAgain(t *testing.T) {
	p := clienttest.New()
	err := p.Client(client.Options{Token: "another"}).AddLot(t.Context(), client.Lot{ID: "a", Name: "A"})
	if client.Status(err) != 401 || len(p.Requests("")) != 1 {
		t.Errorf("after %q: %v; one request refused with 401 was expected", p.Requests(""), err)
	}
	advice := client.Advise(err, "operate").Error()
	for _, needed := range []string{"PARKWIRE_TOKEN", "parkwire token", "operate", "key"} {
		if !strings.Contains(advice, needed) {
			t.Errorf("the advice does not name %q: %s", needed, advice)
		}
	}
}

func TestARefusalThatIsNoProblemIsToldAsItCame(t *testing.T) {
	plain := roundTripper(func(r *http.Request) (*http.Response, error) {
		answer := http.Response{StatusCode: 404, Body: http.NoBody, Header: http.Header{}}
		return &answer, nil
	})
	c, err := client.New(client.Options{URL: "http://elsewhere.test", Transport: plain})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Lot(t.Context(), "a"); client.Status(err) != 404 || !strings.Contains(err.Error(), "404 Not Found") {
		t.Errorf("%v; it should say 404 Not Found", err)
	}
}

func TestAnEndedContextEndsTheTrying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := clienttest.New()
		p.Swallow = func(*http.Request) bool { return true }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := p.Client(client.Options{}).Lot(ctx, "a"); err == nil || time.Since(began) > time.Second {
			t.Errorf("%v after %v; an error at the end of the context was expected", err, time.Since(began))
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
