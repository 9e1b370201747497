//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A sweep is one request again and again: readings of the same spots, as a controller of a garage sends them. Its bytes are made once; then
// only times and states change in their places, so that the generator costs little beside what it measures.
type sweep struct {
	head, body []byte
	times      []int // where observedAt begins in each reading
	states     []int // where "true " or "false" does
	occupied   bool
	at         time.Time
}

const (
	layout = "2006-01-02T15:04:05.000Z"
	free   = "false"
	taken  = "true " // as long as the other; JSON has space anywhere
)

// newSweep makes the request for spots that are free.
func newSweep(spots []string, path, token string, at time.Time) *sweep {
	s := &sweep{at: at}
	for _, id := range spots {
		s.body = fmt.Appendf(s.body, `{"spotId":%q,"occupied":`, id)
		s.states = append(s.states, len(s.body))
		s.body = append(s.body, free+`,"observedAt":"`...)
		s.times = append(s.times, len(s.body))
		s.body = at.AppendFormat(s.body, layout)
		s.body = fmt.Appendf(s.body, `","sensorId":"sensor-of-%s"}`+"\n", id)
	}
	s.head = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: parking.example.org\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n",
		path, token, len(s.body))
	return s
}

// next makes the readings a millisecond newer, and the opposite of the last ones where they are to change something.
func (s *sweep) next(change bool) {
	s.at = s.at.Add(time.Millisecond)
	text := s.at.Format(layout)
	for _, i := range s.times {
		copy(s.body[i:], text)
	}
	if !change {
		return
	}
	s.occupied = !s.occupied
	state := free
	if s.occupied {
		state = taken
	}
	for _, i := range s.states {
		copy(s.body[i:], state)
	}
}

// A line is one connection with the sweeps that it alone sends, one after the other.
type line struct {
	address string
	sweeps  []*sweep
	conn    net.Conn
	answers *bufio.Reader
	request net.Buffers
}

func (l *line) open() (err error) {
	if l.conn, err = net.Dial("tcp", l.address); err != nil {
		return err
	}
	l.answers = bufio.NewReader(l.conn)
	return nil
}

// post sends a request and takes its answer, which must be 200 and contain what is wanted.
func (l *line) post(s *sweep, want []byte) error {
	l.request = append(l.request[:0], s.head, s.body)
	if _, err := l.request.WriteTo(l.conn); err != nil {
		return err
	}
	status, err := l.answers.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok := bytes.HasPrefix(status, []byte("HTTP/1.1 200"))
	size := 0
	for {
		header, err := l.answers.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(header) <= 2 {
			break
		}
		if value, found := bytes.CutPrefix(header, []byte("Content-Length: ")); found {
			if size, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	answer, err := l.answers.Peek(size)
	if err != nil {
		return fmt.Errorf("an answer of %d bytes: %w", size, err)
	}
	if !ok || !bytes.Contains(answer, want) {
		return fmt.Errorf("answered: %s", answer)
	}
	_, err = l.answers.Discard(size)
	return err
}

// A crowd is the connections to one server.
type crowd []*line

// newCrowd shares out the spots: each connection has its own, in requests of size readings.
func newCrowd(address, path, token string, spots [][]string, connections, size int, at time.Time) (crowd, error) {
	c := make(crowd, connections)
	for i := range c {
		c[i] = &line{address: address}
		if err := c[i].open(); err != nil {
			c.close()
			return nil, err
		}
	}
	n := 0
	for _, lot := range spots {
		for from := 0; from < len(lot); from += size {
			l := c[n%connections]
			l.sweeps = append(l.sweeps, newSweep(lot[from:min(from+size, len(lot))], path, token, at))
			n++
		}
	}
	return c, nil
}

func (c crowd) close() {
	for _, l := range c {
		if l.conn != nil {
			l.conn.Close()
		}
	}
}

// send sends readings on all connections for a while and returns how many were acknowledged, and how long that took.
// want is what an answer to n readings must contain.
func (c crowd) send(length time.Duration, change bool, want func(n int) string) (readings int64, took time.Duration, err error) {
	var acknowledged atomic.Int64
	var wait sync.WaitGroup
	failures := make([]error, len(c))
	began := time.Now()
	for i, l := range c {
		wait.Go(func() {
			for n := 0; time.Since(began) < length; n++ {
				s := l.sweeps[n%len(l.sweeps)]
				s.next(change)
				if failures[i] = l.post(s, []byte(want(len(s.times)))); failures[i] != nil {
					return
				}
				acknowledged.Add(int64(len(s.times)))
			}
		})
	}
	wait.Wait()
	return acknowledged.Load(), time.Since(began), errors.Join(failures...)
}

// release leaves all spots free, as they were found.
func (c crowd) release() error {
	for _, l := range c {
		for _, s := range l.sweeps {
			if !s.occupied {
				continue
			}
			s.next(true)
			if err := l.post(s, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
