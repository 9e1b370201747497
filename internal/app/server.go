package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Bounds of every HTTP server of the platform. How long an answer may take is not among them: notification
// streams have no end.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 60 * time.Second // to read a request with its body
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 64 << 10
)

// httpServer is a part that serves one address.
type httpServer struct {
	setting string // that names the address
	address string
	grace   time.Duration // for requests under way at the end
	logger  *slog.Logger

	listener net.Listener
	server   *http.Server
}

func newHTTPServer(setting, address string, grace time.Duration, handler http.Handler, logger *slog.Logger) *httpServer {
	return &httpServer{setting: setting, address: address, grace: grace, logger: logger, server: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug), // clients that speak no HTTP
	}}
}

func (s *httpServer) part() part {
	return part{start: s.start, run: s.run, close: s.close}
}

func (s *httpServer) start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.address)
	if err != nil {
		return listenError(s.setting, s.address, err)
	}
	s.listener = listener
	s.logger.Info("serving", "setting", s.setting, "address", listener.Addr().String())
	return nil
}

// listenError names the setting to change.
func listenError(setting, address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("the address %s is in use by another program: end that, or choose another one with --%s", address, setting)
	}
	return fmt.Errorf("--%s %s: %w", setting, address, err)
}

func (s *httpServer) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- s.server.Serve(s.listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	if err := s.server.Shutdown(grace); err != nil {
		s.server.Close() // what is left does not end by itself
	}
	<-failed
	return nil
}

func (s *httpServer) close() error {
	if s.listener == nil {
		return nil
	}
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
