package main

import (
	"runtime"

	"github.com/lxzan/gws"
)

// gwsServer broadcasts with the library's Broadcaster, which frames once and writes in goroutines of its own.
type gwsServer struct {
	gws.BuiltinEventHandler
	clients *gws.ConcurrentMap[*gws.Conn, struct{}]
}

func newGWS() server {
	return &gwsServer{clients: gws.NewConcurrentMap[*gws.Conn, struct{}](uint64(16 * runtime.GOMAXPROCS(0)))}
}

func (s *gwsServer) serve(listen string) error {
	return gws.NewServer(s, &gws.ServerOption{ReadBufferSize: 256}).Run(listen)
}

func (s *gwsServer) OnOpen(c *gws.Conn)           { s.clients.Store(c, struct{}{}) }
func (s *gwsServer) OnClose(c *gws.Conn, _ error) { s.clients.Delete(c) }

func (s *gwsServer) broadcast(message []byte) {
	b := gws.NewBroadcaster(gws.OpcodeText, message)
	defer b.Close()
	s.clients.Range(func(c *gws.Conn, _ struct{}) bool {
		b.Broadcast(c)
		return true
	})
}
