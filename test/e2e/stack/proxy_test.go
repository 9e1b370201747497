package stack

import (
	"io"
	"net"
	"testing"
	"time"
)

// The proxy is what faults are made of, so what it says of itself is checked: silence holds back and keeps, a cut loses.
func TestAProxyHoldsBackWhatItSays(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	heard := make(chan string, 100)
	go func() {
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			go func() { // an echo
				buffer := make([]byte, 100)
				for {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					heard <- string(buffer[:n])
					conn.Write(buffer[:n])
				}
			}()
		}
	}()
	p := NewProxy(t, server.Addr().String())
	if conn, err := net.Dial("tcp", p.Addr); err == nil {
		conn.Close()
		t.Fatal("a proxy that was not opened takes connections")
	}
	p.Open(t)
	dial := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", p.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	hears := func(what string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != what {
				t.Fatalf("the server heard %q instead of %q", got, what)
			}
		case <-time.After(time.Minute):
			t.Fatalf("the server never heard %q", what)
		}
	}
	conn := dial()
	answers := func(what string) {
		t.Helper()
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		got := make([]byte, len(what))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != what {
			t.Fatalf("the client heard %q (%v) instead of %q", got, err, what)
		}
	}
	io.WriteString(conn, "one")
	hears("one")
	answers("one")

	p.Silence()
	io.WriteString(conn, "two")
	conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatalf("%d bytes came through silence", n)
	}
	other := dial() // is taken, and nobody hears it
	io.WriteString(other, "three")
	if len(heard) > 0 {
		t.Fatalf("the server heard %q through silence", <-heard)
	}
	p.Open(t)
	for range 2 {
		select {
		case got := <-heard:
			if got != "two" && got != "three" {
				t.Fatalf("the server heard %q", got)
			}
		case <-time.After(time.Minute):
			t.Fatal("what was said in silence never came")
		}
	}
	answers("two")

	p.Deafen()
	io.WriteString(conn, "four")
	p.Cut()
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatal("a connection outlives a cut")
	}
	p.Open(t)
	conn = dial()
	io.WriteString(conn, "five")
	hears("five") // and not what was held back before the cut
	answers("five")
}
