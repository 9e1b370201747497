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
	"time"

	"parkwire/internal/limit"
)

// deadlines remembers those that are set for reading.
type deadlines struct {
	http.ResponseWriter
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.set = append(d.set, t); return nil }

func TestABodyHasTimeAsLongAsItComesAtARate(t *testing.T) {
	began, d := time.Now(), &deadlines{}
	piece := strings.Repeat("x", bodyRate)
	body := &steadyBody{ReadCloser: io.NopCloser(iotest.OneByteReader(strings.NewReader("xx"))), control: http.NewResponseController(d), began: began}
	io.ReadAll(body)
	for _, at := range d.set {
		if late := at.Sub(began); late < bodyPatience || late > bodyPatience+time.Millisecond {
			t.Errorf("a few bytes have until %v", late)
		}
	}
	d.set = nil
	body = &steadyBody{ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat(piece, 100))), control: http.NewResponseController(d), began: began}
	for n := range 100 {
		io.ReadFull(body, make([]byte, bodyRate))
		if got, want := d.set[len(d.set)-1].Sub(began), min(bodyPatience+time.Duration(n)*time.Second, bodyTime); got != want {
			t.Fatalf("after %d seconds' worth the next has until %v, not %v", n, got, want)
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
