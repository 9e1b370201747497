package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"parkwire/test/e2e/stack"
)

// Links are the ways from one process of Parkwire to the servers, a proxy for each, so that any of them fails alone.
// Servers name each other's addresses to their clients: what they say is rewritten, so that nobody finds a way round.
type links struct {
	kafka, redis, sentinels []*stack.Proxy
	database                *stack.Proxy
}

func newLinks(t stack.T, s *servers) *links {
	l := &links{}
	ports := map[int]int{}
	for _, group := range []struct {
		to        *[]*stack.Proxy
		addresses []string
		pipe      stack.Pipe
	}{
		{&l.kafka, s.kafka, kafkaPipe(ports)},
		{&l.redis, s.redis, stack.Unchanged},
		{&l.sentinels, s.sentinels, sentinelPipe(ports)},
	} {
		for _, address := range group.addresses {
			p := stack.NewProxy(t, address, group.pipe)
			*group.to = append(*group.to, p)
			ports[portOf(address)] = portOf(p.Addr) // complete before anything flows
		}
	}
	l.database = stack.NewProxy(t, s.database.Host)
	for _, p := range l.all() {
		p.Open(t)
	}
	return l
}

// bus are the links to Redis and its sentinels.
func (l *links) bus() []*stack.Proxy {
	return append(append([]*stack.Proxy(nil), l.redis...), l.sentinels...)
}

func (l *links) all() []*stack.Proxy { return append(append(l.bus(), l.kafka...), l.database) }

func addresses(proxies []*stack.Proxy) (list []string) {
	for _, p := range proxies {
		list = append(list, p.Addr)
	}
	return list
}

func portOf(address string) int {
	_, text, _ := net.SplitHostPort(address)
	port, _ := strconv.Atoi(text)
	return port
}

// kafkaPipe replaces the ports of brokers in what brokers answer.
func kafkaPipe(ports map[int]int) stack.Pipe {
	return func() (up, down func(io.Writer, io.Reader) error) {
		k := &kafkaAnswers{ports: ports, asked: map[int32]question{}}
		return k.up, k.down
	}
}

// kafkaAnswers knows what was asked on a connection, without which an answer cannot be read.
type kafkaAnswers struct {
	ports map[int]int

	mu    sync.Mutex
	asked map[int32]question // by correlation id
}

type question struct{ key, version int16 }

const (
	keyProduce         = 0
	keyFetch           = 1
	keyMetadata        = 3
	keyFindCoordinator = 10
	keyDescribeCluster = 60
)

func (k *kafkaAnswers) up(to io.Writer, from io.Reader) error {
	return eachMessage(from, func(message []byte) error {
		if len(message) < 12 {
			return errors.New("a request of Kafka is too short")
		}
		q := question{int16(binary.BigEndian.Uint16(message[4:])), int16(binary.BigEndian.Uint16(message[6:]))}
		switch q.key {
		case keyProduce, keyFetch, keyMetadata, keyFindCoordinator, keyDescribeCluster:
			k.mu.Lock()
			k.asked[int32(binary.BigEndian.Uint32(message[8:]))] = q
			k.mu.Unlock()
		}
		_, err := to.Write(message)
		return err
	})
}

func (k *kafkaAnswers) down(to io.Writer, from io.Reader) error {
	return eachMessage(from, func(message []byte) error {
		if len(message) < 8 {
			return errors.New("an answer of Kafka is too short")
		}
		id := int32(binary.BigEndian.Uint32(message[4:]))
		k.mu.Lock()
		q, known := k.asked[id]
		delete(k.asked, id)
		k.mu.Unlock()
		if known {
			var err error
			if message, err = k.rewrite(message, q); err != nil {
				return err
			}
		}
		_, err := to.Write(message)
		return err
	})
}

// rewrite returns an answer with the ports of the proxies in it.
func (k *kafkaAnswers) rewrite(message []byte, q question) ([]byte, error) {
	answer := kmsg.ResponseForKey(q.key)
	answer.SetVersion(q.version)
	body := message[8:]
	if answer.IsFlexible() {
		if len(body) == 0 || body[0] != 0 {
			return nil, errors.New("the head of an answer of Kafka has tags, which nobody has used so far")
		}
		body = body[1:]
	}
	if err := answer.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("reading an answer of Kafka: %w", err)
	}
	changed := false
	replace := func(port *int32) {
		if to, known := k.ports[int(*port)]; known {
			*port, changed = int32(to), true
		}
	}
	switch a := answer.(type) {
	case *kmsg.MetadataResponse:
		for i := range a.Brokers {
			replace(&a.Brokers[i].Port)
		}
	case *kmsg.FindCoordinatorResponse:
		replace(&a.Port)
		for i := range a.Coordinators {
			replace(&a.Coordinators[i].Port)
		}
	case *kmsg.DescribeClusterResponse:
		for i := range a.Brokers {
			replace(&a.Brokers[i].Port)
		}
	case *kmsg.ProduceResponse:
		for i := range a.Brokers {
			replace(&a.Brokers[i].Port)
		}
	case *kmsg.FetchResponse:
		for i := range a.Brokers {
			replace(&a.Brokers[i].Port)
		}
	}
	if !changed {
		return message, nil
	}
	out := message[:8:8]
	if answer.IsFlexible() {
		out = append(out, 0) // no tags
	}
	out = answer.AppendTo(out)
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out, nil
}

// eachMessage reads messages that begin with their length, which is handed over too.
func eachMessage(from io.Reader, do func([]byte) error) error {
	for {
		var size [4]byte
		if _, err := io.ReadFull(from, size[:]); err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(size[:])
		if n > 128<<20 {
			return fmt.Errorf("a message of Kafka has %d bytes", n)
		}
		message := append(make([]byte, 0, 4+n), size[:]...)[:4+n]
		if _, err := io.ReadFull(from, message[4:]); err != nil {
			return err
		}
		if err := do(message); err != nil {
			return err
		}
	}
}

// sentinelPipe replaces ports in what sentinels say. Every port of the tests has five digits, so that no length changes, and
// an answer is short enough to come in one piece.
func sentinelPipe(ports map[int]int) stack.Pipe {
	return func() (up, down func(io.Writer, io.Reader) error) {
		up, _ = stack.Unchanged()
		return up, func(to io.Writer, from io.Reader) error {
			buffer := make([]byte, 64<<10)
			for {
				n, err := from.Read(buffer)
				said := buffer[:n]
				for real, proxied := range ports {
					said = bytes.ReplaceAll(said, strconv.AppendInt(nil, int64(real), 10), strconv.AppendInt(nil, int64(proxied), 10))
				}
				if _, failed := to.Write(said); err != nil || failed != nil {
					return errors.Join(err, failed)
				}
			}
		}
	}
}
