package app

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"

	"parkwire/internal/certificate"
	"parkwire/internal/config"
	"parkwire/internal/limit"
)

// makeLimits counts what clients ask of the gateway: in Redis, together with other gateways, where there is one.
func (a *App) makeLimits() (part, error) {
	c := a.config
	rate := limit.Rate{PerSecond: c.RateLimit, Burst: c.RateBurst}
	switch {
	case c.RateLimit == 0:
		return part{}, nil
	case c.RedisURL == "" || c.RedisURL == config.Memory:
		a.limiter = limit.NewLocal(rate, nil)
		return part{}, nil
	}
	shared, err := limit.NewShared(limit.SharedOptions{
		Location: redisLocation(c), Prefix: c.RedisChannel + ":limit:", Rate: rate, Logger: a.logger("limits"), Registerer: a.registry,
	})
	if err != nil {
		return part{}, fmt.Errorf("--redis-url: %w", err)
	}
	a.limiter = shared
	return part{run: shared.Run, ready: shared.Ready, bridged: true}, nil
}

// makeCertificate has the addresses for clients speak TLS.
func (a *App) makeCertificate() (part, error) {
	c := a.config
	if c.TLSCertFile == "" {
		return part{}, nil
	}
	files, err := certificate.Open(certificate.Options{CertFile: c.TLSCertFile, KeyFile: c.TLSKeyFile, Logger: a.logger("certificate"), Registerer: a.registry})
	if err != nil {
		return part{}, fmt.Errorf("--tls-cert-file, --tls-key-file: %w", err)
	}
	a.certificate = files
	return part{run: files.Run, ready: files.Ready}, nil
}

// clientServer serves clients, by TLS where there is a certificate.
func (a *App) clientServer(setting, address string, handler http.Handler, logger *slog.Logger) *httpServer {
	var secure *tls.Config
	grace := a.config.StopTimeout / 2
	if a.certificate != nil {
		secure, grace = a.certificate.Config(), grace+a.config.DrainWindow
	}
	s := newHTTPServer(setting, address, grace, handler, secure, logger)
	s.sendAway = a.sendAway
	return s
}
