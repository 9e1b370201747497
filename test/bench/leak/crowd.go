//go:build linux

package main

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"parkwire/test/e2e/stack"
)

// crowd is who connects and leaves.
type crowd struct {
	server  string
	workers int
	sources int
	visits  []visit

	made atomic.Int64

	mu     sync.Mutex
	failed map[string]int           // why, how often
	took   map[string]time.Duration // all visits of a kind together
}

// newCrowd asks for a cursor that some events come after.
func newCrowd(server string, cursor func() string, workers, sources int) *crowd {
	return &crowd{server: server, workers: workers, sources: sources, visits: visits(server, cursor), failed: map[string]int{}, took: map[string]time.Duration{}}
}

func (c *crowd) total() int64 { return c.made.Load() }

// forget begins to count anew.
func (c *crowd) forget() {
	c.made.Store(0)
	clear(c.took)
}

// run makes n connections and returns how many there were a second.
func (c *crowd) run(t stack.T, n int) float64 {
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range c.workers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				began := time.Now()
				err := c.visit(int(i))
				c.note(c.visits[int(i)%len(c.visits)].name, time.Since(began), err)
			}
		})
	}
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	most := 0
	for _, n := range c.failed {
		most += n
	}
	if int64(most)*1000 > c.made.Load()+1000 {
		t.Fatalf("%d of %d connections did not go as they should: %v", most, c.made.Load(), c.failed)
	}
	return float64(n) / time.Since(began).Seconds()
}

const patience = 30 * time.Second

func (c *crowd) visit(i int) error {
	conn, err := dial(c.server, net.IPv4(127, 0, 1, byte(1+i/len(c.visits)%c.sources)))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return c.visits[i%len(c.visits)].make(conn)
}

func (c *crowd) note(name string, took time.Duration, err error) {
	c.made.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took[name] += took
	if err != nil {
		c.failed[fmt.Sprintf("%s: %v", name, reasonOf(err))]++
	}
}

// reasonOf leaves the addresses out, so that equal failures are counted together.
func reasonOf(err error) error {
	if op, ok := err.(*net.OpError); ok {
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}

// report tells how long each kind of visit took, and what did not go as it should.
func (c *crowd) report() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.visits {
		each := float64(c.took[v.name]) / float64(time.Millisecond) / float64(c.total()) * float64(len(c.visits))
		fmt.Printf("%7.1f ms  %s\n", each, v.name)
	}
	for _, why := range slices.Sorted(maps.Keys(c.failed)) {
		fmt.Printf("%d times: %s\n", c.failed[why], why)
	}
}

// dial connects from an address of this machine whose port the kernel chooses when it knows both ends, so that
// each address has all its ports for every server.
func dial(server string, from net.IP) (*net.TCPConn, error) {
	d := net.Dialer{
		Timeout: patience, LocalAddr: &net.TCPAddr{IP: from}, KeepAlive: -1,
		Control: func(_, _ string, raw syscall.RawConn) (err error) {
			failed := raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) })
			if failed != nil {
				return failed
			}
			return err
		},
	}
	conn, err := d.Dial("tcp", server)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}
