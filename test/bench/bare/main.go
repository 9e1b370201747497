// Bare is a WebSocket server made with one of three libraries: it subscribes to a Redis channel and broadcasts each message
// to all clients, in the way that the library recommends for that or in a faster one, and does nothing else.
//
//	bare -library gws|nbio|gorilla -listen HOST:PORT -redis HOST:PORT -channel NAME
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/redis/rueidis"
)

// A server keeps clients and sends messages to all of them.
type server interface {
	// serve accepts clients until it fails.
	serve(listen string) error
	// broadcast sends a message to all clients; one call at a time.
	broadcast(message []byte)
}

func main() {
	library := flag.String("library", "", "gws, nbio or gorilla")
	listen := flag.String("listen", "127.0.0.1:5000", "address for clients")
	redis := flag.String("redis", "127.0.0.1:6379", "address of Redis")
	channel := flag.String("channel", "notifications", "channel of Redis")
	flag.Parse()
	if err := run(*library, *listen, *redis, *channel); err != nil {
		fmt.Fprintln(os.Stderr, "bare:", err)
		os.Exit(1)
	}
}

func run(library, listen, redis, channel string) error {
	newServer, ok := map[string]func() server{"gws": newGWS, "nbio": newNBIO, "gorilla": newGorilla}[library]
	if !ok {
		return fmt.Errorf("there is no library %q", library)
	}
	s := newServer()
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{redis}, DisableCache: true})
	if err != nil {
		return fmt.Errorf("connecting to Redis: %w", err)
	}
	defer client.Close()
	ended := make(chan error, 2)
	go func() {
		ended <- client.Receive(context.Background(), client.B().Subscribe().Channel(channel).Build(),
			func(m rueidis.PubSubMessage) { s.broadcast([]byte(m.Message)) })
	}()
	go func() { ended <- s.serve(listen) }()
	return <-ended
}
