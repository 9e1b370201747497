package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	readyPath    = "/readyz"
	readyTimeout = 2 * time.Second
)

// watch keeps an instance's condition up to date until ctx ends.
func (p *Proxy) watch(ctx context.Context, in *instance) {
	ticker := time.NewTicker(p.options.ReadyInterval)
	defer ticker.Stop()
	answered := time.Now()
	for {
		answers := in.answers.Load()
		c, err := p.probe(ctx, in)
		if ctx.Err() != nil {
			return
		}
		if c == unreachable && isTimeout(err) && in.answers.Load() > answers {
			c, err = in.state() // it, or this process, is only slow
		}
		p.found(in, c, err)
		if c != unreachable {
			answered = time.Now()
		} else if time.Since(answered) > p.options.LostAfter && p.Ready() == nil {
			p.abandon(ctx, in)
			answered = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// found records an instance's condition and tells when it changes.
func (p *Proxy) found(in *instance, c condition, reason error) {
	switch before := in.set(c, reason); {
	case c == before, c == ready && before == unasked:
		return
	case c == ready:
		p.options.Logger.Info("an instance is ready again", "to", p.options.Name, "instance", in.name)
		return
	}
	p.options.Logger.Warn("an instance is not used while there are better ones", "to", p.options.Name, "instance", in.name, "reason", reason)
}

// abandon ends the streams that come from an instance which stopped, or lost its way, without closing them. Their clients find
// another one.
func (p *Proxy) abandon(ctx context.Context, in *instance) {
	if n := p.streams.endFrom(ctx, in, p.options.DrainWindow); n > 0 {
		p.options.Logger.Warn("streams of an instance that does not answer were ended", "to", p.options.Name, "instance", in.name, "streams", n)
	}
}

// probe asks an instance whether it is ready.
func (p *Proxy) probe(ctx context.Context, in *instance) (condition, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, in.url.JoinPath(readyPath).String(), nil)
	if err != nil {
		return unreachable, err
	}
	response, err := in.transport.RoundTrip(r)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("no answer to %s within %v: %w", readyPath, readyTimeout, os.ErrDeadlineExceeded)
		}
		return unreachable, err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	switch {
	case err != nil:
		return unreachable, err
	case response.StatusCode != http.StatusOK:
		return notReady, fmt.Errorf("it answers %s with %d: %s", readyPath, response.StatusCode, strings.Join(strings.Fields(string(said)), " "))
	}
	return ready, nil
}
