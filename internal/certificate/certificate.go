// Package certificate holds the certificate by which a server proves who it is, and takes over a new one when its files change, so
// that whoever renews it need not end anything.
package certificate

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Options configure [Files]. CertFile and KeyFile are required.
type Options struct {
	CertFile, KeyFile string // PEM
	// Interval is how often the files are read. Default 5 s. They are read rather than watched, because they are replaced in many ways: written
	// again, renamed, or by a symbolic link further up, as Kubernetes does.
	Interval time.Duration

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

// Files are a certificate and its key on disk.
type Files struct {
	options Options
	current atomic.Pointer[tls.Certificate]
	read    [][]byte // what the files held when they were last looked at
	expires prometheus.Gauge
}

// Open reads the files.
func Open(o Options) (*Files, error) {
	o.Interval = cmp.Or(o.Interval, 5*time.Second)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	f := &Files{options: o, expires: prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "parkwire_tls_certificate_expires_seconds", Help: "When the certificate that is served expires, in seconds since 1970.",
	})}
	if _, err := f.load(); err != nil {
		return nil, err
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(f.expires)
	}
	return f, nil
}

// load reads the files, and takes them over where they changed.
func (f *Files) load() (changed bool, err error) {
	var read [][]byte
	for _, name := range []string{f.options.CertFile, f.options.KeyFile} {
		content, err := os.ReadFile(name)
		if err != nil {
			return false, err
		}
		read = append(read, content)
	}
	if f.read != nil && bytes.Equal(read[0], f.read[0]) && bytes.Equal(read[1], f.read[1]) {
		return false, nil
	}
	f.read = read
	pair, err := tls.X509KeyPair(read[0], read[1])
	if err != nil {
		return false, fmt.Errorf("%s and %s: %w", f.options.CertFile, f.options.KeyFile, err)
	}
	f.current.Store(&pair)
	f.expires.Set(float64(pair.Leaf.NotAfter.Unix()))
	return true, nil
}

// Run looks after the files until ctx ends. While they are away, half written or do not belong together, what was read before is served.
func (f *Files) Run(ctx context.Context) error {
	ticker := time.NewTicker(f.options.Interval)
	defer ticker.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		changed, err := f.load()
		switch {
		case err != nil && err.Error() != said:
			said = err.Error()
			f.options.Logger.Warn("the certificate's files cannot be used, and the certificate before goes on", "error", err)
		case changed:
			said = ""
			leaf := f.current.Load().Leaf
			f.options.Logger.Info("another certificate is served", "names", leaf.DNSNames, "expires", leaf.NotAfter)
		}
	}
}

// Ready returns nil unless the certificate has expired.
func (f *Files) Ready() error {
	if expired := f.current.Load().Leaf.NotAfter; time.Now().After(expired) {
		return fmt.Errorf("the certificate expired at %s", expired.Format(time.RFC3339))
	}
	return nil
}

// Config is that of a server: TLS 1.2 or newer, with what Go takes for secure. Connections go on with the certificate with which they
// began; the next one gets the newest.
func (f *Files) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil },
	}
}
