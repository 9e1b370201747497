package load

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"time"
)

// A task is what a child is to do.
type task struct {
	Child     int // its place among all
	Children  int
	First     int // the number of its first client among those of all children
	Count     int
	Targets   []target
	Protocol  string
	Token     string
	Run       string
	Lots      int
	Ramp      float64 // connections a second, of this child
	Listening bool    // somebody else publishes
	Sched     string
}

// A target is where clients connect.
type target struct {
	Address netip.AddrPort
	Host    string
	Path    string // with what is asked for
}

// lots is how many numbers of lots there are: events for everybody are of lot 1.
func (t *task) lots() int { return max(1, t.Lots) }

// targetOf spreads the clients over the targets, one after the other.
func (t *task) targetOf(i int) *target { return &t.Targets[(t.First+i)%len(t.Targets)] }

// lotOf spreads those of each target over the lots.
func (t *task) lotOf(i int) uint32 { return uint32((t.First+i)/len(t.Targets)%t.lots()) + 1 }

// sourceOf spreads those to this machine over source addresses, of which it has very many, and each only so many ports. The zero address leaves the choice
// to the kernel.
func (t *task) sourceOf(i int) netip.Addr {
	if to := t.targetOf(i).Address.Addr(); !to.Is4() || !to.IsLoopback() {
		return netip.Addr{}
	}
	n := 1 + (t.First+i)/perAddress
	return netip.AddrFrom4([4]byte{127, 0, byte(n / 250), byte(n%250 + 1)})
}

// request is the handshake of a client, after a cursor where it has one.
func (t *task) request(i int, after string) []byte {
	to := t.targetOf(i)
	query := url.Values{}
	name := map[string]string{plain: "lot", sse: "lot", socketIO: "room"}[t.Protocol]
	if t.Lots > 0 && name != "" {
		query.Set(name, lotID(t.Run, int(t.lotOf(i))))
	}
	if after != "" {
		query.Set("after", after)
	}
	var b bytes.Buffer
	path := to.Path
	if len(query) > 0 {
		separator := "?"
		if bytes.ContainsRune([]byte(path), '?') {
			separator = "&"
		}
		path += separator + query.Encode()
	}
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, to.Host)
	if t.Protocol == sse {
		b.WriteString("Accept: text/event-stream\r\n")
	} else {
		// The key is one for all: it guards against caches, not against anybody.
		b.WriteString("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
	}
	if t.Protocol == v1 {
		b.WriteString("Sec-WebSocket-Protocol: parkwire.v1\r\n")
	}
	if t.Token != "" && t.Protocol != centrifuge {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", t.Token)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// resolve finds the addresses of the targets.
func resolve(urls []string, protocol string) ([]target, error) {
	var all []target
	for _, text := range urls {
		u, err := parseURL(text, protocol)
		if err != nil {
			return nil, OptionError("--url: " + err.Error())
		}
		address, err := net.ResolveTCPAddr("tcp", u.Host)
		if err != nil {
			return nil, fmt.Errorf("--url %s: %w", text, err)
		}
		a := address.AddrPort()
		all = append(all, target{netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), u.Host, u.RequestURI()})
	}
	return all, nil
}

// An order is what the parent tells a child later.
type order struct {
	Do     string        // connect, cut, collect, finish
	Share  float64       // of cut
	Abrupt bool          // of cut: without a close, and all come back at once
	Away   time.Duration // of cut
	Upto   []uint64      // of finish: what must have come, of each lot; nil: what is published
}

// A message is what a child tells the parent.
type message struct {
	Ending string  `json:",omitempty"` // why a connection ended, or was refused
	Hello  *hello  `json:",omitempty"`
	Result *result `json:",omitempty"`
	Failed string  `json:",omitempty"` // the child cannot go on
}

type hello struct{ Thread int }

// A result is what a child has found: at the end the tally, and before that the latencies since it was asked last.
type result struct {
	Tally   *tally
	Latency *histogram
}
