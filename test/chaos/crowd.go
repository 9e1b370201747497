package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A crowd is very many plain WebSocket clients, each a goroutine with a socket, that come back with their cursor as a browser's
// page should: after a fully jittered pause, or the one that they were told. They check that the versions of every spot follow each
// other.
type crowd struct {
	ctx       context.Context
	addresses atomic.Pointer[[]string] // "host:port"; everybody begins at the first, and goes on to the next one when a connection ends
	people    []*person
	wg        sync.WaitGroup

	connected atomic.Int64
	expired   atomic.Int64 // cursors that were too old

	mu      sync.Mutex // of the writing to spots
	spots   atomic.Pointer[map[string]int]
	pausing chan struct{} // closed when those who were sent away may come back; nil: at once
}

// person is one client. Its goroutine alone uses it, but for what is atomic.
type person struct {
	*crowd
	pace   int // bytes a second that it reads; 0: all
	cursor []byte
	seen   []uint32 // the newest version, by number of the spot

	connMu sync.Mutex
	conn   net.Conn

	delivered, lost, repeated atomic.Int64
	lostAt                    atomic.Int64 // when it lost its connection, in Unix nanoseconds; 0 while it has one
	gap                       atomic.Int64 // the longest
}

const (
	backoffBase = time.Second // of the first retry too
	backoffCap  = 15 * time.Second
)

func newCrowd(t *trial, n int, addresses []string, pace int) *crowd {
	ctx, stop := context.WithCancel(t.ctx)
	c := &crowd{ctx: ctx}
	c.addresses.Store(&addresses)
	c.spots.Store(&map[string]int{})
	after := t.p.position(t)
	for range n {
		c.people = append(c.people, &person{crowd: c, pace: pace, cursor: []byte(after)})
	}
	var first sync.WaitGroup
	turn := make(chan struct{}, 64)
	for _, p := range c.people {
		first.Add(1)
		c.wg.Go(func() {
			turn <- struct{}{}
			var once sync.Once
			p.live(func() { once.Do(func() { <-turn; first.Done() }) })
		})
	}
	t.Cleanup(func() {
		stop()
		for _, p := range c.people {
			p.hangUp()
		}
		c.wg.Wait()
	})
	t.until(time.Minute+time.Duration(n)*20*time.Millisecond, fmt.Sprintf("%d clients of the crowd to be connected", n), func() bool { return c.connected.Load() == int64(n) })
	return c
}

func (p *person) hangUp() {
	p.connMu.Lock()
	defer p.connMu.Unlock()
	if p.conn != nil {
		p.conn.Close()
	}
}

// sendAway ends every connection, and lets nobody come back until the returned function is called.
func (c *crowd) sendAway() (back func()) {
	gate := make(chan struct{})
	c.mu.Lock()
	c.pausing = gate
	c.mu.Unlock()
	for _, p := range c.people {
		p.hangUp()
	}
	return func() { close(gate) }
}

// live keeps a person connected until the crowd ends. first is called when its first try is over.
func (p *person) live(first func()) {
	for at, try := 0, 0; p.ctx.Err() == nil; at++ {
		addresses := *p.addresses.Load()
		reader, err := p.connect(addresses[at%len(addresses)])
		if err == nil {
			try = 0
			if lostAt := p.lostAt.Swap(0); lostAt > 0 {
				p.gap.Store(max(p.gap.Load(), time.Now().UnixNano()-lostAt))
			}
			p.connected.Add(1)
			first()
			err = p.listen(reader)
			p.hangUp()
			p.lostAt.Store(time.Now().UnixNano())
			p.connected.Add(-1)
		}
		first()
		pause := mrand.N(min(backoffBase<<min(try, 10), backoffCap))
		try++
		if ended, ok := errors.AsType[closed](err); ok {
			if ended.retryAfter > 0 {
				pause = ended.retryAfter
			}
			if ended.code == closeExpired {
				p.expired.Add(1)
			}
		}
		p.mu.Lock()
		pausing := p.pausing
		p.mu.Unlock()
		if pausing != nil {
			select {
			case <-pausing:
			case <-p.ctx.Done():
			}
		}
		select {
		case <-p.ctx.Done():
		case <-time.After(pause):
		}
	}
}

const closeExpired = 4410

// closed is the end of a connection as the server said it.
type closed struct {
	code       int
	reason     string
	retryAfter time.Duration
}

func (c closed) Error() string { return fmt.Sprintf("closed with %d %s", c.code, c.reason) }

func (p *person) connect(address string) (*bufio.Reader, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if p.pace > 0 { // what it does not read must not hide in a buffer of the kernel
		dialer.Control = func(_, _ string, raw syscall.RawConn) error {
			return raw.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
		}
	}
	conn, err := dialer.DialContext(p.ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	p.connMu.Lock()
	p.conn = conn
	p.connMu.Unlock()
	var key [16]byte
	rand.Read(key[:])
	conn.SetDeadline(time.Now().Add(15 * time.Second))
	_, err = fmt.Fprintf(conn, "GET /notifications?after=%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n", url.QueryEscape(string(p.cursor)), address, base64.StdEncoding.EncodeToString(key[:]))
	reader := bufio.NewReaderSize(conn, 2048)
	if err == nil {
		err = switched(reader)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return reader, nil
}

// switched reads the answer to the handshake.
func switched(reader *bufio.Reader) error {
	status, err := reader.ReadString('\n')
	if err == nil && !strings.HasPrefix(status, "HTTP/1.1 101 ") {
		return fmt.Errorf("the handshake was answered with %q", strings.TrimSpace(status))
	}
	for line := status; err == nil && strings.TrimSpace(line) != ""; {
		line, err = reader.ReadString('\n')
	}
	return err
}

// The kinds of frames of a WebSocket.
const (
	frameText  = 0x1
	frameClose = 0x8
	framePing  = 0x9
	framePong  = 0xA
)

func (p *person) listen(reader *bufio.Reader) error {
	var head [10]byte
	var body []byte
	for {
		if _, err := io.ReadFull(reader, head[:2]); err != nil {
			return err
		}
		n, more := int(head[1]&0x7f), 0
		if n >= 126 {
			more = map[int]int{126: 2, 127: 8}[n]
			if _, err := io.ReadFull(reader, head[2:2+more]); err != nil {
				return err
			}
			n = 0
			for _, b := range head[2 : 2+more] {
				n = n<<8 | int(b)
			}
		}
		if n > 1<<20 {
			return fmt.Errorf("a frame of %d bytes", n)
		}
		body = slices.Grow(body[:0], n)[:n]
		if _, err := io.ReadFull(reader, body); err != nil {
			return err
		}
		if p.pace > 0 {
			select {
			case <-p.ctx.Done():
			case <-time.After(time.Duration(2+more+n) * time.Second / time.Duration(p.pace)):
			}
		}
		switch head[0] & 0xf {
		case frameText:
			p.check(body)
		case framePing:
			p.conn.SetWriteDeadline(time.Now().Add(5 * time.Second))
			if _, err := p.conn.Write(append([]byte{0x80 | framePong, 0x80 | byte(n), 0, 0, 0, 0}, body...)); err != nil {
				return err
			}
		case frameClose:
			return closing(body)
		}
	}
}

// closing reads a close frame. Its reason may end with how long to wait.
func closing(body []byte) error {
	if len(body) < 2 {
		return closed{code: 1005}
	}
	c := closed{code: int(binary.BigEndian.Uint16(body)), reason: string(body[2:])}
	if _, text, found := strings.Cut(c.reason, "retry-after-ms="); found {
		if ms, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
			c.retryAfter = time.Duration(ms) * time.Millisecond
		}
	}
	return c
}

// check looks at an event without decoding it: ten thousand clients get the same one.
func (p *person) check(event []byte) {
	if cursor := field(event, `"cursor":"`, '"'); cursor != nil {
		p.cursor = append(p.cursor[:0], cursor...)
	}
	version, err := strconv.ParseUint(string(field(event, `"version":`, ',')), 10, 32)
	spot := field(event, `"spotId":"`, '"')
	if err != nil || spot == nil {
		return
	}
	number := p.number(spot)
	for len(p.seen) <= number {
		p.seen = append(p.seen, 0)
	}
	newest, v := p.seen[number], uint32(version)
	switch {
	case newest > 0 && v <= newest:
		p.repeated.Add(1)
		return
	case newest > 0 && v > newest+1:
		p.lost.Add(int64(v - newest - 1))
	}
	p.seen[number] = v
	p.delivered.Add(1)
}

func field(event []byte, name string, end byte) []byte {
	i := bytes.Index(event, []byte(name))
	if i < 0 {
		return nil
	}
	rest := event[i+len(name):]
	if j := bytes.IndexByte(rest, end); j >= 0 {
		return rest[:j]
	}
	return bytes.TrimRight(rest, "}")
}

// number is a small number for each spot.
func (c *crowd) number(spot []byte) int {
	if n, known := (*c.spots.Load())[string(spot)]; known {
		return n
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	old := *c.spots.Load()
	if n, known := old[string(spot)]; known {
		return n
	}
	next := make(map[string]int, len(old)+1)
	for k, v := range old {
		next[k] = v
	}
	next[string(spot)] = len(old)
	c.spots.Store(&next)
	return len(old)
}

// gaps are for how long each client that lost its connection had none, in order. Those without one now count until now.
func (c *crowd) gaps() (all []time.Duration) {
	now := time.Now().UnixNano()
	for _, p := range c.people {
		gap := p.gap.Load()
		if lostAt := p.lostAt.Load(); lostAt > 0 {
			gap = max(gap, now-lostAt)
		}
		if gap > 0 {
			all = append(all, time.Duration(gap))
		}
	}
	slices.Sort(all)
	return all
}

// delivered is how many events its clients got.
func (c *crowd) delivered() (n int64) {
	for _, p := range c.people {
		n += p.delivered.Load()
	}
	return n
}

// complete waits until every client has seen as much as the one that saw most, and adds what is amiss to the row. Nothing may
// be written any more.
func (c *crowd) complete(t *trial) {
	most := func() (most, least int64) {
		least = 1 << 62
		for _, p := range c.people {
			n := p.delivered.Load() + p.lost.Load()
			most, least = max(most, n), min(least, n)
		}
		return most, least
	}
	deadline := time.Now().Add(time.Minute)
	for {
		high, low := most()
		if high == low || time.Now().After(deadline) {
			break
		}
		t.wait(50 * time.Millisecond)
	}
	high, _ := most()
	var lost, repeated int64
	for _, p := range c.people {
		lost += high - p.delivered.Load()
		repeated += p.repeated.Load()
	}
	if lost+repeated > 0 {
		t.Errorf("the crowd: %d lost, %d repeated", lost, repeated)
	}
	t.row.Lost += lost
	t.row.Repeated += repeated
	t.row.Clients += int64(len(c.people))
	t.row.Delivered += c.delivered()
	if gaps := c.gaps(); len(gaps) > 0 {
		t.row.WorstGap = max(t.row.WorstGap, gaps[len(gaps)-1].Seconds())
	}
}

// crowdsAreComplete checks every crowd of a scenario.
func crowdsAreComplete(t *trial) {
	for _, c := range t.crowds {
		c.complete(t)
	}
}
