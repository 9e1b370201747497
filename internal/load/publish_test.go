package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"parkwire/internal/kafkalog/logtest"
)

func TestEventsStandInKafkaInTheirOrder(t *testing.T) {
	broker := logtest.Broker(t, "")
	log := logtest.Log(t, []string{broker.Addr()})
	p, err := newPublisher(t.Context(), "kafka://"+broker.Addr()+"/"+log.Topic())
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	var events []outgoing
	for n := range 20 {
		events = append(events, outgoing{[]byte("lot"), fmt.Append(nil, n)})
	}
	if err := p.publish(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	if err := p.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range logtest.All(t, log) {
		got = append(got, string(r.Value))
		if string(r.Key) != "lot" {
			t.Errorf("the key is %q", r.Key)
		}
	}
	if want := "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19"; strings.Join(got, " ") != want {
		t.Errorf("in the log stand %v", got)
	}
}

// TestEventsArePublishedOnTheChannel has a server that knows as much of Redis as is needed.
func TestEventsArePublishedOnTheChannel(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	published := make(chan string, 10)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		answerRedis(conn, published)
	}()
	p, err := newPublisher(t.Context(), "redis://"+l.Addr().String()+"/notifications")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.publish(t.Context(), []outgoing{{nil, []byte("one")}, {nil, []byte("two")}}); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"notifications one", "notifications two"} {
		if got := <-published; got != want {
			t.Errorf("published is %q", got)
		}
	}
	p.close()
	<-done
}

func answerRedis(conn net.Conn, published chan<- string) {
	in := bufio.NewReader(conn)
	line := func() (text string, n int) {
		text, _ = in.ReadString('\n')
		text = strings.TrimSpace(text)
		if len(text) > 1 {
			fmt.Sscan(text[1:], &n)
		}
		return text, n
	}
	for {
		text, n := line()
		if text == "" {
			return
		}
		args := make([]string, n)
		for i := range args {
			_, length := line()
			arg := make([]byte, length+2)
			if _, err := io.ReadFull(in, arg); err != nil {
				return
			}
			args[i] = string(arg[:length])
		}
		switch strings.ToUpper(args[0]) {
		case "HELLO":
			io.WriteString(conn, "%1\r\n$5\r\nproto\r\n:3\r\n")
		case "PUBLISH":
			published <- args[1] + " " + args[2]
			io.WriteString(conn, ":1\r\n")
		default:
			io.WriteString(conn, "+OK\r\n")
		}
	}
}

func TestNobodyToPublishToIsAnError(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	for _, scheme := range []string{"kafka", "redis"} {
		if p, err := newPublisher(ctx, scheme+"://"+address+"/x"); err == nil || !strings.Contains(err.Error(), "publishing to") {
			t.Errorf("%s: %v, %v", scheme, p, err)
		}
	}
}
