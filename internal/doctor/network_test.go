package doctor

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A certificate is for a name, and the name stands for several processes.
func TestAnInstanceIsAskedAtItsAddressByTheNameOfAll(t *testing.T) {
	var name atomic.Value
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // its certificate is of no authority
	s.TLS = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		name.Store(hello.ServerName)
		return nil, nil
	}}
	s.StartTLS()
	defer s.Close()
	f := &Findings{}
	if Instance(t.Context(), f, "live-urls", Target{"https://example.com", s.Listener.Addr().String()}) || name.Load() != "example.com" {
		t.Errorf("it is asked by the name %v: %+v", name.Load(), f.all)
	}
	if len(f.all) != 1 || !strings.HasPrefix(f.all[0].Says, "https://example.com at 127.0.0.1:") || !strings.Contains(f.all[0].Says, "unknown authority") {
		t.Errorf("it tells %+v", f.all)
	}
}

func TestANameIsTheInstancesThatAGatewayHas(t *testing.T) {
	f := &Findings{}
	all := Instances(t.Context(), f, "live-urls", "dns+", []string{"http://live-1:5000", "dns+http://localhost:5000"})
	// As for a gateway, the address of IPv6 that localhost commonly has besides is no other instance.
	if len(all) != 2 || all[0] != (Target{URL: "http://live-1:5000"}) || all[1] != (Target{"http://localhost:5000", "127.0.0.1:5000"}) {
		t.Errorf("they are %+v: %+v", all, f.all)
	}
}
