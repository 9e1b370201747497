package main

import (
	"encoding/binary"
	"net/http"

	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

// nbio serves all clients by its poller. Its WriteMessage would frame a message anew for each of them: here it is framed once.
type nbio struct {
	upgrader *websocket.Upgrader
	clients  *shards[*websocket.Conn]
}

func newNBIO() server {
	s := &nbio{upgrader: websocket.NewUpgrader()}
	s.clients = newShards(func(c *websocket.Conn, m any) {
		if _, err := c.UnderlayerConn().Write(m.([]byte)); err != nil {
			c.Close()
		}
	})
	s.upgrader.KeepaliveTime = 0 // it would close silent clients
	s.upgrader.OnOpen(s.clients.add)
	s.upgrader.OnClose(func(c *websocket.Conn, _ error) { s.clients.remove(c) })
	return s
}

func (s *nbio) serve(listen string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.upgrader.Upgrade(w, r, nil) })
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp", Addrs: []string{listen}, Handler: mux, IOMod: nbhttp.IOModNonBlocking, MaxLoad: 1 << 20, ReleaseWebsocketPayload: true,
	})
	s.upgrader.Engine = engine
	if err := engine.Start(); err != nil {
		return err
	}
	select {}
}

func (s *nbio) broadcast(message []byte) {
	frame := make([]byte, 0, len(message)+4)
	frame = append(frame, 0x81)
	if len(message) < 126 {
		frame = append(frame, byte(len(message)))
	} else { // what comes here is shorter than 64 KiB
		frame = binary.BigEndian.AppendUint16(append(frame, 126), uint16(len(message)))
	}
	s.clients.broadcast(append(frame, message...))
}
