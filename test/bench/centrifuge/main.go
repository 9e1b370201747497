// Centrifuge is a server made with the library under Centrifugo, as its README shows: JSON over WebSocket, with the
// broker in memory, fed with what comes on a Redis channel. Clients subscribe to the channel "notifications", or, with -by-lot, to one
// that is named as a lot.
//
//	centrifuge -listen HOST:PORT -redis HOST:PORT -channel NAME [-by-lot] [-write-delay 10ms]
//
// With -write-delay 0 everything is as it is by default, but pings are rarer. With a delay, everything else that the library's documentation offers
// for throughput and memory is set too: frames without a bound on their messages, a timer instead of a waiting goroutine,
// pooled buffers, commands handled off the reading goroutine, replies without the queue.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/centrifugal/centrifuge"
	"github.com/redis/rueidis"
)

const everything = "notifications" // the channel that has everything

type settings struct {
	listen, redis, channel string
	byLot                  bool
	writeDelay             time.Duration
}

func main() {
	var s settings
	flag.StringVar(&s.listen, "listen", "127.0.0.1:5000", "address for clients, who come to /connection/websocket")
	flag.StringVar(&s.redis, "redis", "127.0.0.1:6379", "address of Redis")
	flag.StringVar(&s.channel, "channel", "notifications", "channel of Redis")
	flag.BoolVar(&s.byLot, "by-lot", false, "publish each event on the channel of its lot")
	flag.DurationVar(&s.writeDelay, "write-delay", 0, "how long messages are collected; 0: the library's defaults")
	flag.Parse()
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "centrifuge:", err)
		os.Exit(1)
	}
}

func (s settings) run() error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		reply := centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}
		if s.writeDelay > 0 {
			reply.WriteDelay, reply.WriteWithTimer = s.writeDelay, true
			reply.MaxMessagesInFrame = -1
			reply.ReplyWithoutQueue = true
		}
		return reply, nil
	})
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
			answer(centrifuge.SubscribeReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return err
	}
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.redis}, DisableCache: true})
	if err != nil {
		return fmt.Errorf("connecting to Redis: %w", err)
	}
	defer client.Close()
	ended := make(chan error, 2)
	go func() {
		ended <- client.Receive(context.Background(), client.B().Subscribe().Channel(s.channel).Build(), func(m rueidis.PubSubMessage) {
			if _, err := node.Publish(s.channelOf(m.Message), []byte(m.Message)); err != nil {
				fmt.Fprintln(os.Stderr, "centrifuge: publishing:", err)
			}
		})
	}()
	tuned := s.writeDelay > 0
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		UseWriteBufferPool: tuned, ProcessCommandsOffReadLoop: tuned,
		// By default (25 s and 8 s) clients are closed when all of them get more than the machine can send: their answers are read too late.
		PingPongConfig: centrifuge.PingPongConfig{PingInterval: 2 * time.Minute, PongTimeout: time.Minute},
	}))
	go func() { ended <- http.ListenAndServe(s.listen, nil) }()
	return <-ended
}

// channelOf is the channel that a message goes to.
func (s settings) channelOf(message string) string {
	var event struct {
		LotID string `json:"lotId"`
	}
	if !s.byLot || json.Unmarshal([]byte(message), &event) != nil || event.LotID == "" {
		return everything
	}
	return event.LotID
}
