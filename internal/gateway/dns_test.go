package gateway_test

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// A nameServer answers over UDP what the names of a test mean.
type nameServer struct {
	t    *testing.T
	conn net.PacketConn

	mu        sync.Mutex
	addresses map[string][]netip.Addr // a name that is not there does not exist
	failing   []string                // it says that it cannot answer questions in which one of these words stands
	asked     int
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{t: t, conn: conn, addresses: map[string][]netip.Addr{}}
	var serving sync.WaitGroup
	serving.Go(s.serve)
	t.Cleanup(func() { conn.Close(); serving.Wait() })
	return s
}

// dial leads to this server alone.
func (s *nameServer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "udp", s.conn.LocalAddr().String())
}

// set lets a name mean these addresses; none: the name does not exist.
func (s *nameServer) set(name string, addresses ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.addresses, name)
	for _, a := range addresses {
		s.addresses[name] = append(s.addresses[name], netip.MustParseAddr(a))
	}
}

// setFailing has it fail for questions in which one of the words stands: a name, a kind of address, or "", which is in all.
func (s *nameServer) setFailing(words ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = words
}

// afterLookups waits until names were looked up again, whole.
func (s *nameServer) afterLookups() {
	s.t.Helper()
	times := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.asked
	}
	before := times()
	eventually(s.t, "names are looked up again", func() bool { return times() >= before+12 }) // A, then AAAA where there is none, each twice where it fails
}

func (s *nameServer) serve() {
	packet := make([]byte, 1<<10)
	for {
		n, client, err := s.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		answer, err := s.answer(packet[:n])
		if err != nil {
			s.t.Errorf("a question that cannot be understood: %v", err)
			return
		}
		s.conn.WriteTo(answer, client)
	}
}

func (s *nameServer) answer(packet []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	var parser dnsmessage.Parser
	header, err := parser.Start(packet)
	if err != nil {
		return nil, err
	}
	question, err := parser.Question()
	if err != nil {
		return nil, err
	}
	header.Response, header.Authoritative = true, true
	addresses, exists := s.addresses[strings.TrimSuffix(question.Name.String(), ".")]
	switch {
	case slices.ContainsFunc(s.failing, func(word string) bool {
		return strings.Contains(question.Name.String()+question.Type.String()+"?", word)
	}):
		header.RCode = dnsmessage.RCodeServerFailure
	case !exists:
		header.RCode = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, header)
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	if err := b.Question(question); err != nil {
		return nil, err
	}
	if err := b.StartAnswers(); err != nil {
		return nil, err
	}
	if header.RCode == dnsmessage.RCodeSuccess {
		resource := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 600} // as long as Docker's, and nobody keeps it
		for _, a := range addresses {
			switch {
			case question.Type == dnsmessage.TypeA && a.Is4():
				err = b.AResource(resource, dnsmessage.AResource{A: a.As4()})
			case question.Type == dnsmessage.TypeAAAA && a.Is6():
				err = b.AAAAResource(resource, dnsmessage.AAAAResource{AAAA: a.As16()})
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return b.Finish()
}
