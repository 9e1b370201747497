package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/coder/websocket"
)

// speakV1 serves one connection by the subprotocol. Whoever subscribes again gets what the newest subscription asks for.
func (f *fake) speakV1(ctx context.Context, conn *websocket.Conn, connection int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type subscribe struct {
		ID, After string
		Snapshot  bool
	}
	asked := make(chan subscribe)
	go func() {
		defer cancel()
		for {
			_, text, err := conn.Read(ctx)
			var m subscribe
			if err != nil || json.Unmarshal(text, &m) != nil {
				return
			}
			select {
			case asked <- m:
			case <-ctx.Done():
				return
			}
		}
	}()
	write := func(format string, args ...any) {
		if conn.Write(ctx, websocket.MessageText, fmt.Appendf(nil, format, args...)) != nil {
			cancel()
		}
	}
	write(`{"type":"Welcome","protocol":"parkwire.v1","cursor":"c0","heartbeatMs":10000}`)
	at, following := 0, false
	for ctx.Err() == nil {
		f.mu.Lock()
		log, changed := f.log, f.changed
		f.mu.Unlock()
		if following && at < len(log) {
			e := log[at]
			frames, end := []string{e.String()}, false
			if f.send != nil {
				frames, end = f.send(connection, e)
			}
			if at++; len(frames) > 0 {
				write(`{"type":"Events","events":[%s],"cursor":"c%d"}`, strings.Join(frames, ","), at)
			}
			if end && connection%2 == 1 {
				write(`{"type":"Retry","afterMs":20,"reason":"restart"}`)
			} else if end {
				conn.Close(1012, "restart retry-after-ms=20")
			}
			if end {
				return
			}
			select { // between events
			case m := <-asked:
				at, following = f.subscribed(write, connection, m.After, m.Snapshot, len(log)), true
			default:
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case m := <-asked:
			at, following = f.subscribed(write, connection, m.After, m.Snapshot, len(log)), true
		}
	}
}

func (f *fake) subscribed(write func(string, ...any), connection int, after string, snapshot bool, end int) (at int) {
	write(`{"type":"Subscribed","id":"verify","cursor":"c%d"}`, end)
	at, _ = strconv.Atoi(strings.TrimPrefix(after, "c"))
	expired := websocket.StatusCode(0)
	if f.resume != nil && after != "" {
		at, expired = f.resume(connection, at)
	}
	switch {
	case expired != 0 && !snapshot:
		write(`{"type":"Error","id":"verify","code":"cursor-expired","message":"too old"}`)
		return end
	case expired != 0:
		write(`{"type":"Reset","id":"verify","reason":"cursor-expired"}`)
	case after != "":
		return at
	}
	newest := map[string]event1{}
	f.mu.Lock()
	for _, e := range f.log[:end] {
		newest[e.spot] = e
	}
	f.mu.Unlock()
	for _, e := range newest {
		text := strings.Replace(e.String(), fmt.Sprintf(`,"cursor":"c%d"`, e.cursor), "", 1)
		if f.state != nil {
			text = f.state(e, text)
		}
		write(`{"type":"Snapshot","id":"verify","events":[%s]}`, text)
	}
	write(`{"type":"Snapshot","id":"verify","events":[],"complete":true,"cursor":"c%d"}`, end)
	if f.joined != nil {
		end += f.joined(connection)
	}
	return max(end, 0)
}
