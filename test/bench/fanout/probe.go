package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// probe publishes events until a client of each process has got one: then consumer groups have settled, and everything works.
func probe(s *site, c contender, g group) {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	id := "probe" + strings.ToLower(rand.Text()[:8])
	arrived := make(chan error, len(g.addresses))
	for _, address := range g.addresses {
		go func() { arrived <- hear(ctx, c, address, id) }()
	}
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for left := len(g.addresses); left > 0; {
		select {
		case err := <-arrived:
			if err != nil {
				s.Fatalf("a first event did not arrive from %s: %v", c.name, err)
			}
			left--
		case <-again.C:
			event := fmt.Sprintf(`{"type":"ParkingSpotUpdated","spotId":"%s","status":"free","timestamp":"%s","lotId":"%[1]s","zoneId":"%[1]s","room":"%[1]s"}`,
				id, time.Now().UTC().Format(time.RFC3339))
			if err := s.publish(ctx, c, event); err != nil {
				s.Fatalf("publishing a first event: %v", err)
			}
		}
	}
}

// hear connects a client, as soon as the server takes one, and returns when an event with the id has come.
func hear(ctx context.Context, c contender, address, id string) error {
	path := c.path
	if c.protocol == "socketio" {
		path += "&room=" + id
	}
	conn, _, err := websocket.Dial(ctx, "ws://"+address+path, nil)
	for err != nil && ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
		conn, _, err = websocket.Dial(ctx, "ws://"+address+path, nil)
	}
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	for _, text := range map[string][]string{
		"socketio":   {"40"},
		"centrifuge": {`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"notifications"}}`, fmt.Sprintf(`{"id":3,"subscribe":{"channel":"%s"}}`, id)},
	}[c.protocol] {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return err
		}
	}
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		if text := string(message); strings.Contains(text, id) && strings.Contains(text, "ParkingSpotUpdated") {
			return nil
		}
	}
}
