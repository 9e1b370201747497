package main

import (
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// gorilla prepares each message once, and writes it to the clients directly: the goroutine and the channel a client of its
// chat example would cost more. Its buffers are as small as its documentation advises.
type gorilla struct {
	upgrader websocket.Upgrader
	clients  *shards[*websocket.Conn]
}

func newGorilla() server {
	return &gorilla{
		upgrader: websocket.Upgrader{ReadBufferSize: 256, WriteBufferPool: &sync.Pool{}},
		clients: newShards(func(c *websocket.Conn, m any) {
			if c.WritePreparedMessage(m.(*websocket.PreparedMessage)) != nil {
				c.Close()
			}
		}),
	}
}

func (g *gorilla) serve(listen string) error { return http.ListenAndServe(listen, g) }

func (g *gorilla) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := g.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	g.clients.add(c)
	go func() { // so that what net/http has on the stack is not kept
		defer g.clients.remove(c)
		defer c.Close()
		for {
			if _, _, err := c.NextReader(); err != nil {
				return
			}
		}
	}()
}

func (g *gorilla) broadcast(message []byte) {
	if m, err := websocket.NewPreparedMessage(websocket.TextMessage, message); err == nil {
		g.clients.broadcast(m)
	}
}
