package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"parkwire/internal/limit"
)

// deadlines remembers those that are set for reading.
type deadlines struct {
	http.ResponseWriter
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.set = append(d.set, t); return nil }

// last is for how long from now whoever reads is waited for.
func (d *deadlines) last() time.Duration { return time.Until(d.set[len(d.set)-1]) }

// A slow body comes a piece at a time, each after a pause.
type slow struct {
	io.Reader
	pause time.Duration
}

func (s *slow) Read(p []byte) (int, error) {
	time.Sleep(s.pause)
	return s.Reader.Read(p)
}

func (s *slow) Close() error { return nil }

func TestABodyHasTimeAsLongAsItComesAtARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, d := time.Now(), &deadlines{}
		body := &steadyBody{ReadCloser: &slow{iotest.OneByteReader(strings.NewReader("xxxxx")), time.Second}, control: http.NewResponseController(d)}
		io.ReadAll(body)
		for _, at := range d.set {
			if late := at.Sub(began); late < bodyPatience || late > bodyPatience+time.Millisecond {
				t.Errorf("a few bytes have until %v", late)
			}
		}
		d.set = nil
		body = &steadyBody{ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat("x", 100*bodyRate))), control: http.NewResponseController(d)}
		for n := range 100 {
			io.ReadFull(body, make([]byte, bodyRate))
			if got, want := d.last(), min(bodyPatience+time.Duration(n)*time.Second, bodyTime); got != want {
				t.Fatalf("after %d seconds' worth the next has %v, not %v", n, got, want)
			}
		}
	})
}

func TestABodyIsNotLateWhileNobodyReadsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, shared := range []bool{false, true} {
			d := &deadlines{}
			body := &steadyBody{ReadCloser: &slow{iotest.OneByteReader(strings.NewReader("xxx")), time.Second}, control: http.NewResponseController(d), shared: shared}
			for n := range 3 {
				time.Sleep(time.Hour) // waiting for a buffer, or for an instance
				d.set = nil
				body.Read(make([]byte, 1))
				if got, want := time.Until(d.set[0]), bodyPatience-time.Duration(n+1)*time.Second; got < want || got > want+time.Millisecond {
					t.Errorf("after %d s of waiting for it and hours of not reading it, it had %v more", n+1, got)
				}
				if cleared := d.set[len(d.set)-1].IsZero(); cleared != shared {
					t.Errorf("shared connection: %v; no deadline while nobody reads: %v", shared, cleared)
				}
			}
		}
	})
}

// From the end of a body on the server reads the connection to hear whether the client leaves, and what it reads must not run into a deadline.
func TestABodyThatHasEndedSetsNoDeadline(t *testing.T) {
	for name, content := range map[string]io.Reader{"whole": strings.NewReader("xx"), "torn": iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("xx")))} {
		d := &deadlines{}
		body := &steadyBody{ReadCloser: io.NopCloser(content), control: http.NewResponseController(d)}
		_, first := io.ReadAll(body)
		set := len(d.set)
		if _, again := io.ReadAll(body); again != first || len(d.set) != set {
			t.Errorf("%s: read again it sets %d deadlines and ends with %v, not %v", name, len(d.set)-set, again, first)
		}
	}
}

func TestOneClientDoesNotTakeEveryBuffer(t *testing.T) {
	b := newBuffers()
	key := func(subject string) limit.Key { return limit.KeyOf(subject, netip.Addr{}) }
	var taken []func()
	for range maxBufferedOwn {
		release, err := b.take(t.Context(), key("greedy"))
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, release)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.take(over, key("greedy")); !errors.Is(err, context.Canceled) {
		t.Errorf("one more is to be had: %v", err)
	}
	release, err := b.take(t.Context(), key("modest"))
	if err != nil {
		t.Fatal(err)
	}
	release()
	for _, release := range taken {
		release()
	}
	if len(b.users) != 0 || len(b.all) != 0 {
		t.Errorf("%d users and %d buffers are left", len(b.users), len(b.all))
	}
}
