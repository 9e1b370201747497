package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Bounds of every HTTP server of the platform. How long an answer may take is not among them, for notification
// streams have no end; how slowly it may be taken is: by answerTimeout for each piece that is written, and by
// answerRate more for a long one.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 60 * time.Second // to read a request with its body
	idleTimeout    = 2 * time.Minute
	answerTimeout  = 30 * time.Second
	answerRate     = 16 << 10 // bytes a second
	maxHeaderBytes = 64 << 10
	maxStreams     = 100 // requests under way on one connection of HTTP/2
)

// httpServer is a part that serves one address.
type httpServer struct {
	setting string // that names the address
	address string
	grace   time.Duration // for requests under way at the end
	tls     *tls.Config   // nil: none
	// sendAway, where set, ends the streams that are served here. Over HTTP/2 they are answers like any other, which the server's end waits
	// for; over HTTP/1 they are connections that the server does not know any more.
	sendAway func(context.Context)
	logger   *slog.Logger
	wrap     func(net.Listener) net.Listener // nil: as it is

	listener net.Listener
	bound    atomic.Pointer[string] // the address that is served; nil: none yet
	server   *http.Server
}

// newHTTPServer makes one that speaks HTTP/1 and, where it has a certificate, over TLS also HTTP/2.
func newHTTPServer(setting, address string, grace time.Duration, handler http.Handler, config *tls.Config, logger *slog.Logger) *httpServer {
	return &httpServer{setting: setting, address: address, grace: grace, logger: logger, tls: config, server: &http.Server{
		Handler:           hurried(handler),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		TLSConfig:         config,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams, SendPingTimeout: idleTimeout / 4, PingTimeout: answerTimeout / 2, WriteByteTimeout: answerTimeout},
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelDebug), // clients that speak no HTTP
	}}
}

func (s *httpServer) part() part {
	return part{start: s.start, run: s.run, ready: s.ready, vital: true, close: s.close}
}

func (s *httpServer) ready() error {
	if s.bound.Load() == nil {
		return fmt.Errorf("%s is not served yet", s.address)
	}
	return nil
}

func (s *httpServer) start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.address)
	if err != nil {
		return listenError(s.setting, s.address, err)
	}
	bound := listener.Addr().String()
	if s.wrap != nil {
		listener = s.wrap(listener)
	}
	s.listener = listener
	s.bound.Store(&bound)
	s.logger.Info("serving", "setting", s.setting, "address", bound)
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
	go func() {
		if s.tls != nil {
			failed <- s.server.ServeTLS(s.listener, "", "") // which the configuration has
		} else {
			failed <- s.server.Serve(s.listener)
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	var leaving sync.WaitGroup
	defer leaving.Wait()
	if s.tls != nil && s.sendAway != nil {
		leaving.Go(func() { s.sendAway(grace) }) // while nobody can connect any more
	}
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

// hurried cuts off clients that do not take their answers, which would hold memory and a goroutine for ever.
func hurried(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := hurriedWriter{w, http.NewResponseController(w), r.ProtoMajor > 1}
		if !h.shared {
			h.extend(0) // what was left by the request before on the connection may be over
		}
		next.ServeHTTP(h, r)
	})
}

// A hurriedWriter gives each piece of an answer time of its own. Who takes the connection over is rid of that.
type hurriedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	// shared says that the connection is that of other requests too (HTTP/2). There a deadline that passes ends the request, also when
	// nothing is being written: so it holds only while something may be.
	shared bool
}

func (h hurriedWriter) extend(bytes int) {
	// What fails here, fails in writing too.
	_ = h.control.SetWriteDeadline(time.Now().Add(answerTimeout + time.Duration(bytes)*time.Second/answerRate))
}

func (h hurriedWriter) WriteHeader(status int) {
	h.extend(0)
	h.ResponseWriter.WriteHeader(status)
}

func (h hurriedWriter) Write(b []byte) (int, error) {
	h.extend(len(b))
	return h.ResponseWriter.Write(b)
}

// FlushError is what handlers call that pause afterwards.
func (h hurriedWriter) FlushError() error {
	err := h.control.Flush()
	if h.shared && err == nil {
		err = h.control.SetWriteDeadline(time.Time{})
	}
	return err
}

// Unwrap is for [http.ResponseController].
func (h hurriedWriter) Unwrap() http.ResponseWriter { return h.ResponseWriter }
