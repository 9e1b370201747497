//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
)

// A visit is a way to come and to leave.
type visit struct {
	name string
	make func(*net.TCPConn) error
}

// A leaving is how a connection ends. Where the client is the first to close, TIME_WAIT keeps its port for a minute: with
// reset it does not, and with orderly the process closes first.
type leaving func(*net.TCPConn) error

func reset(conn *net.TCPConn) error { return conn.SetLinger(0) } // whoever called for the visit closes

// vanish ends the connection in order, without a word of WebSocket, and waits for the other side to do so too.
func vanish(conn *net.TCPConn) error {
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	return untilEnd(conn)
}

// farewell is the close handshake. The process closes first, and the reset that follows leaves it no TIME_WAIT either.
func farewell(conn *net.TCPConn) error {
	if _, err := conn.Write(masked(0x8, []byte{0x03, 0xe8})); err != nil {
		return err
	}
	if err := untilEnd(conn); err != nil {
		return err
	}
	return conn.SetLinger(0)
}

func untilEnd(conn *net.TCPConn) error {
	_, err := io.Copy(io.Discard, conn)
	return err
}

func visits(server string, cursor func() string) []visit {
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	get := func(query, headers string) string {
		return "GET /notifications" + query + " HTTP/1.1\r\nHost: " + server + "\r\n" + headers + "\r\n"
	}
	const webSocket, sse = "HTTP/1.1 101 ", "HTTP/1.1 200 "
	plain, all := get("", upgrade), get("?snapshot=1", upgrade)
	back := func(steps ...leaving) leaving {
		return func(conn *net.TCPConn) error {
			return upgraded(get("?after="+cursor(), upgrade), webSocket, steps...)(conn)
		}
	}
	stream := get("", "Accept: text/event-stream\r\n")
	streamAll := get("?snapshot=1", "Accept: text/event-stream\r\n")
	v1 := get("", upgrade+"Sec-WebSocket-Protocol: parkwire.v1\r\n")
	subscribe := masked(0x1, []byte(`{"type":"Subscribe","id":"a","lot":["leak"],"snapshot":true}`))

	return []visit{
		{"close handshake", upgraded(plain, webSocket, farewell)},
		{"reset", upgraded(plain, webSocket, reset)},
		{"vanished", upgraded(plain, webSocket, vanish)},
		{"reset in a snapshot", upgraded(all, webSocket, sip, reset)},
		{"close handshake in a snapshot", upgraded(all, webSocket, sip, farewell)},
		{"reset before the answer", func(conn *net.TCPConn) error { return errors.Join(say(conn, all), reset(conn)) }},
		{"back with a cursor, reset", back(sip, reset)},
		{"back with a cursor, close handshake", back(farewell)},
		{"half a handshake, reset", func(conn *net.TCPConn) error { return errors.Join(say(conn, plain[:60]), reset(conn)) }},
		{"half a handshake, vanished", func(conn *net.TCPConn) error { return errors.Join(say(conn, plain[:60]), vanish(conn)) }},
		{"nothing said, reset", reset},
		{"refused", upgraded(get("?after=nonsense", upgrade), "HTTP/1.1 400 ", reset)},
		{"half a frame, reset", upgraded(plain, webSocket, func(conn *net.TCPConn) error { return say(conn, "\x81\xfe\x01") }, reset)},
		{"no WebSocket frame", upgraded(plain, webSocket, func(conn *net.TCPConn) error { return say(conn, "\xff\xff\xff\xff") }, sip, reset)},
		{"SSE, reset", upgraded(stream, sse, reset)},
		{"SSE, vanished", upgraded(stream, sse, vanish)},
		{"SSE, reset in a snapshot", upgraded(streamAll, sse, sip, reset)},
		{"v1, close handshake", upgraded(v1, webSocket, farewell)},
		{"v1, subscribed, reset", upgraded(v1, webSocket, func(conn *net.TCPConn) error { return say(conn, string(subscribe)) }, sip, reset)},
		{"v1, subscribed, close handshake", upgraded(v1, webSocket, func(conn *net.TCPConn) error { return say(conn, string(subscribe)) }, sip, farewell)},
		{"v1, reset before the answer", upgraded(v1, webSocket, func(conn *net.TCPConn) error { return say(conn, string(subscribe)) }, reset)},
	}
}

func say(conn *net.TCPConn, text string) error {
	_, err := io.WriteString(conn, text)
	return err
}

// upgraded asks, waits for the head of the answer, and then does the steps.
func upgraded(request, want string, steps ...leaving) func(*net.TCPConn) error {
	return func(conn *net.TCPConn) error {
		if err := say(conn, request); err != nil {
			return err
		}
		head := make([]byte, 0, 2<<10)
		for !bytes.Contains(head, []byte("\r\n\r\n")) {
			n, err := conn.Read(head[len(head):cap(head)])
			if err != nil {
				return fmt.Errorf("reading the answer: %w", err)
			}
			head = head[:len(head)+n]
		}
		if !bytes.HasPrefix(head, []byte(want)) {
			line, _, _ := bytes.Cut(head, []byte("\r\n"))
			return fmt.Errorf("the answer is %s", line)
		}
		for _, step := range steps {
			if err := step(conn); err != nil {
				return err
			}
		}
		return nil
	}
}

// sip reads a little of what comes.
func sip(conn *net.TCPConn) error {
	_, err := conn.Read(make([]byte, 64))
	return err
}

// masked is a frame of a client, shorter than 126 bytes, with a mask of zeros.
func masked(opcode byte, payload []byte) []byte {
	return append([]byte{0x80 | opcode, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}
