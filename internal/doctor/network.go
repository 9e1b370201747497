package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"parkwire/internal/gateway"
)

// A Target is a process that is asked what it says of itself.
type Target struct {
	URL string
	// At is where it is connected to, where the name in the URL stands for others too, HOST:PORT; empty: where the URL leads.
	At string
}

func (t Target) String() string {
	if t.At == "" {
		return t.URL
	}
	return t.URL + " at " + t.At
}

// answered is what a process said to a question.
type answered struct {
	status        int
	text          string
	date          time.Time
	before, after time.Time
}

// ask asks as the gateway does: by no proxy, and with certificates that are for the name, whatever the address. It follows no redirections, which no process
// of Parkwire gives.
func (t Target) ask(ctx context.Context, path string, header http.Header) (a answered, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL+path, nil)
	if err != nil {
		return a, err
	}
	maps.Copy(request.Header, header)
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, cmp.Or(t.At, address))
	}}
	a.before = time.Now()
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return a, err
	}
	defer answer.Body.Close()
	a.after, a.status = time.Now(), answer.StatusCode
	a.date, _ = http.ParseTime(answer.Header.Get("Date"))
	if answer.Header.Get("Content-Type") != "text/event-stream" { // which does not end
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
		a.text = strings.TrimSpace(string(text))
	}
	return a, nil
}

// ready reports whether an answer is that of /readyz of Parkwire.
func (a answered) ready() (fit, ours bool) {
	switch {
	case a.status == http.StatusOK && (a.text == "ready" || strings.HasPrefix(a.text, "ready\n")):
		return true, true
	case a.status == http.StatusServiceUnavailable && strings.HasPrefix(a.text, "not ready"):
		return false, true
	}
	return false, false
}

// Running says whether a process of Parkwire serves operators at an address, and what it says of itself.
func Running(ctx context.Context, admin string) (says string, runs bool) {
	a, err := Target{URL: "http://" + admin}.ask(ctx, "/readyz", nil)
	if err != nil {
		return "", false
	}
	_, ours := a.ready()
	return strings.ReplaceAll(a.text, "\n", "; "), ours
}

// Address judges whether an address can be served. running says that our own process runs already.
func Address(ctx context.Context, f *Findings, setting, address string, running bool) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		listener.Close()
	case errors.Is(err, syscall.EADDRINUSE) && running: // by it, as it seems
	case errors.Is(err, syscall.EADDRINUSE):
		f.Break("end that, or choose another one with --"+setting, "the address %s (%s) is in use by another program", address, setting)
	case errors.Is(err, syscall.EACCES):
		f.Break("AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or a port above 1023", "this user may not serve %s (%s)", address, setting)
	default:
		f.Break("correct "+setting, "%s %s: %v", setting, address, err)
	}
}

// Instances are those that a gateway has by its addresses of instances: one that begins with prefix stands for every address of its name.
func Instances(ctx context.Context, f *Findings, setting, prefix string, urls []string) (all []Target) {
	for _, text := range urls {
		address, named := strings.CutPrefix(text, prefix)
		if !named {
			all = append(all, Target{URL: text})
			continue
		}
		u, err := url.Parse(address)
		var found []netip.Addr
		if err == nil {
			found, err = gateway.LookUp(ctx, u.Hostname(), nil)
		}
		if err != nil {
			f.Break("correct "+setting+", or see to the name server: the name must stand for every instance (a headless Service, the name of a service of compose)", "%s: %v", text, err)
			continue
		}
		f.Note("%s has %d addresses", text, len(found))
		for _, one := range found {
			all = append(all, Target{address, gateway.At(u, one)})
		}
	}
	return all
}

// Instance judges a process behind the gateway. Its clock is told by the second.
func Instance(ctx context.Context, f *Findings, setting string, t Target) (reached bool) {
	a, err := t.ask(ctx, "/readyz", nil)
	if err != nil {
		f.Break("start it, or correct "+setting, "%s: nothing answers: %v", t, reason(err))
		return false
	}
	switch fit, ours := a.ready(); {
	case fit:
		f.OK("%s is ready", t)
	case ours:
		f.Break("see what it waits for: `parkwire doctor` with its settings", "%s is there, and %s", t, strings.ReplaceAll(a.text, "\n", "; "))
	default:
		f.Break("correct "+setting+": it must be the address (listen) of a process of Parkwire", "%s is another program: it answers /readyz with %d %.60q", t, a.status, a.text)
		return false
	}
	f.Clock(t.String(), a.date, a.before.Add(-time.Second), a.after) // a date is cut to the second
	return true
}

// Token judges whether an instance takes a token of ours.
func Token(ctx context.Context, f *Findings, setting string, t Target, token string) {
	a, err := t.ask(ctx, "/notifications?spot=doctor", http.Header{"Authorization": {"Bearer " + token}, "Accept": {"text/event-stream"}})
	if err == nil && a.status == http.StatusUnauthorized {
		f.Break("give it the same jwt-key-file (and jwt-audience) as this gateway", "%s (%s) refuses a token by the key of this process: %s", t, setting, detail(a.text))
	}
}

// detail is that of a problem, or the whole answer.
func detail(text string) string {
	if _, rest, ok := strings.Cut(text, `"detail":"`); ok {
		if said, _, ok := strings.Cut(rest, `"`); ok {
			return said
		}
	}
	return fmt.Sprintf("%.200s", text)
}

// reason leaves out what the address says already.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op
	}
	return err
}
