package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A model is a server of notifications that can be told to do something wrong, and the publisher of what it serves. A cursor is how
// many events there were.
type model struct {
	t        *testing.T
	listener net.Listener
	protocol string
	wg       sync.WaitGroup

	// What it does wrong; all may be nil. Clients are numbered as they come.
	deliver func(client int, lot string, n int) []int // which events a client gets in the place of event n
	refuse  func(try int) string                      // an answer to a handshake, or a frame to close with
	pieces  bool                                      // frames come in pieces
	forget  bool                                      // cursors mean nothing

	mu      sync.Mutex
	tries   int
	pongs   int
	clients []*modelClient
	events  []outgoing
}

type modelClient struct {
	conn   net.Conn
	number int
	lot    string // empty: all
	ready  bool
	gone   bool
}

func newModel(t *testing.T, protocol string) *model {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &model{t: t, listener: l, protocol: protocol}
	m.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			m.wg.Go(func() { m.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		m.cut()
		m.wg.Wait()
	})
	return m
}

func (m *model) url() string { return "ws://" + m.listener.Addr().String() }

// cut ends all connections.
func (m *model) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.clients {
		c.conn.Close()
	}
}

func (m *model) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	request, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	m.mu.Lock()
	m.tries++
	refusal := ""
	if m.refuse != nil {
		refusal = m.refuse(m.tries)
	}
	m.mu.Unlock()
	if strings.HasPrefix(refusal, "HTTP/") {
		fmt.Fprintf(conn, "%s\r\nContent-Length: 0\r\n\r\n", refusal)
		return
	}
	const accepted = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
	if refusal != "" {
		io.WriteString(conn, accepted)
		conn.Write(serverFrame(0x88, []byte(refusal)))
		io.Copy(io.Discard, in)
		return
	}
	m.mu.Lock()
	if m.protocol == sse {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
	} else {
		io.WriteString(conn, accepted)
	}
	c := &modelClient{conn: conn, number: len(m.clients)}
	m.clients = append(m.clients, c)
	q := request.URL.Query()
	switch m.protocol {
	case plain, sse:
		m.subscribe(c, q.Get("lot"), q.Get("after"))
	case socketIO:
		c.lot = q.Get("room")
		m.write(c, `0{"sid":"x","pingInterval":25000}`)
	}
	m.mu.Unlock()
	for {
		opcode, text, err := clientText(in)
		m.mu.Lock()
		if err != nil || opcode == 8 {
			c.gone = true
			m.mu.Unlock()
			return
		}
		m.answer(c, text)
		m.mu.Unlock()
	}
}

// answer says what the protocol answers to what a client says. The caller holds mu, as for what follows.
func (m *model) answer(c *modelClient, text []byte) {
	var said struct {
		Type      string
		Lot       []string
		After     string
		ID        any
		Connect   *struct{}
		Subscribe *struct{ Channel string }
	}
	_ = json.Unmarshal(text, &said)
	switch {
	case m.protocol == v1 && said.Type == "Subscribe":
		m.write(c, `{"type":"Subscribed","id":"load","cursor":"0"}`)
		m.subscribe(c, strings.Join(said.Lot, ""), said.After)
	case m.protocol == socketIO && string(text) == "40":
		m.write(c, `40{"sid":"y"}`)
		m.subscribe(c, c.lot, "")
		m.write(c, `2`)
	case m.protocol == socketIO && string(text) == "3", m.protocol == centrifuge && string(text) == "{}":
		m.pongs++
	case m.protocol == centrifuge && said.Connect != nil:
		m.write(c, `{"id":1,"connect":{"client":"x","ping":25,"pong":true}}`)
	case m.protocol == centrifuge && said.Subscribe != nil:
		if c.lot = said.Subscribe.Channel; c.lot == centrifugeChannel {
			c.lot = ""
		}
		m.write(c, `{"id":2,"subscribe":{}}`)
		m.subscribe(c, c.lot, "")
		m.write(c, `{}`)
	}
}

func (m *model) subscribe(c *modelClient, lot, after string) {
	c.lot, c.ready = lot, true
	from, err := strconv.Atoi(after)
	if err != nil || m.forget {
		return
	}
	for i := from; i < len(m.events); i++ {
		m.send(c, i)
	}
}

// publish delivers events to those who are there.
func (m *model) publish(_ context.Context, events []outgoing) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		m.events = append(m.events, e)
		for _, c := range m.clients {
			if c.ready && !c.gone {
				m.send(c, len(m.events)-1)
			}
		}
	}
	return nil
}

func (m *model) flush(context.Context) error { return nil }
func (m *model) close()                      {}

func (m *model) send(c *modelClient, i int) {
	if lot := string(m.events[i].key); c.lot != "" && c.lot != lot {
		return
	}
	which := []int{i}
	if m.deliver != nil {
		which = m.deliver(c.number, c.lot, i)
	}
	for _, i := range which {
		event := string(m.events[i].value)
		with := strings.TrimSuffix(event, "}") + fmt.Sprintf(`,"cursor":"%d"}`, i+1)
		switch m.protocol {
		case plain:
			m.write(c, with)
		case v1:
			m.write(c, fmt.Sprintf(`{"type":"Events","events":[%s],"cursor":"%d"}`, event, i+1))
		case socketIO:
			m.write(c, `42["notification",`+event+`]`)
		case centrifuge:
			m.write(c, `{"push":{"channel":"x","pub":{"data":`+event+`,"offset":7}}}`+"\n"+`{"push":{"channel":"x","join":{}}}`)
		case sse:
			fmt.Fprintf(c.conn, "id: %d\ndata: %s\n\n", i+1, with)
		}
	}
}

func (m *model) write(c *modelClient, text string) {
	frame := serverFrame(0x81, []byte(text))
	if !m.pieces {
		c.conn.Write(frame)
		return
	}
	for len(frame) > 0 {
		n := min(len(frame), 41)
		c.conn.Write(frame[:n])
		frame = frame[n:]
	}
}

func serverFrame(first byte, payload []byte) []byte {
	frame := []byte{first}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 127), uint64(n))
	}
	return append(frame, payload...)
}

// clientText reads a frame of a client, which must be masked.
func clientText(in *bufio.Reader) (opcode byte, text []byte, err error) {
	var head [6]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	if head[1]&0x80 == 0 || head[1]&0x7F > 125 {
		return 0, nil, fmt.Errorf("a frame that is not masked, or long: % x", head)
	}
	text = make([]byte, head[1]&0x7F)
	if _, err := io.ReadFull(in, text); err != nil {
		return 0, nil, err
	}
	for i := range text {
		text[i] ^= head[2+i%4]
	}
	return head[0] & 15, bytes.TrimSpace(text), nil
}

func (m *model) answered() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.pongs
}
