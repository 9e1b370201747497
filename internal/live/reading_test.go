package live

import (
	"bytes"
	"testing"
	"time"

	"parkwire/internal/websocket"
)

// Others have their turn between, and nothing tells once more that there is something to read.
func TestAClientThatSaysVeryMuchIsHeardToTheEnd(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		s := start(t, func(o *Options) { o.PingInterval = time.Hour })
		c := s.raw()
		word := append(websocket.AppendHeader(nil, websocket.Text, 1), 0, 0, 0, 0, 'x')
		word[1] |= 0x80
		all := bytes.Repeat(word, (8<<20)/len(word))
		if _, err := c.Write(all); err != nil {
			t.Fatal(err)
		}
		c.send(websocket.Ping, "end")
		for {
			op, payload, err := c.frame()
			if err != nil {
				t.Fatalf("it was not heard: %v", err)
			}
			if op == websocket.Pong && string(payload) == "end" {
				return
			}
		}
	})
}
