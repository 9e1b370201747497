package app

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"parkwire/internal/problem"
)

func TestNobodyIsReadyWhoLetsNoRequestIn(t *testing.T) {
	var g gate
	var trouble error
	ready := g.ready(func() error { return trouble })
	handler := g.wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), problem.New(http.StatusServiceUnavailable, "closed", "Not yet."))
	status := func() int {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		return answer.Code
	}
	if ready() == nil || status() != 503 {
		t.Errorf("before it is opened: %v, status %d", ready(), status())
	}
	_ = g.open(t.Context())
	if ready() != nil || status() != 200 {
		t.Errorf("once it is open: %v, status %d", ready(), status())
	}
	if trouble = errors.New("the database is away"); ready() != trouble {
		t.Errorf("what is behind it has trouble: %v", ready())
	}
}
