package load

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// greet says what a protocol says first, when HTTP is done with.
func (l *loop) greet(i int32, c *client) {
	c.state = greeting
	switch l.task.Protocol {
	case plain, sse:
		l.isSubscribed(i, c)
	case v1:
		request := map[string]any{"type": "Subscribe", "id": "load"}
		if c.ever {
			if after := l.cursorFor(c); after != "" {
				request["after"] = after
			}
		}
		if l.task.Lots > 0 {
			request["lot"] = []string{lotID(l.task.Run, int(c.lot))}
		}
		l.say(i, c, request)
	case centrifuge:
		connect := map[string]any{}
		if l.task.Token != "" {
			connect["token"] = l.task.Token
		}
		l.say(i, c, map[string]any{"id": 1, "connect": connect})
	}
}

func (l *loop) say(i int32, c *client, what any) {
	text, _ := json.Marshal(what)
	l.send(i, c, clientFrame(1, text))
}

// text serves a text frame.
func (l *loop) text(i int32, c *client, text []byte) {
	switch l.task.Protocol {
	case v1:
		l.v1Text(i, c, text)
	case socketIO:
		l.socketIOText(i, c, text)
	case centrifuge:
		l.centrifugeText(i, c, text)
	default:
		l.takeEvents(i, c, text)
	}
}

func (l *loop) v1Text(i int32, c *client, text []byte) {
	if c.state == open {
		l.takeEvents(i, c, text)
		if bytes.HasPrefix(text, []byte(`{"type":"Re`)) { // Reset, Retry
			l.v1Notice(text)
		}
		return
	}
	var m struct{ Type, Code string }
	switch _ = json.Unmarshal(text, &m); m.Type {
	case "Subscribed":
		l.isSubscribed(i, c)
	case "Error":
		c.stale = c.stale || m.Code == "cursor-expired"
		l.fail(i, c, "error "+m.Code, 0)
	case "Events": // of what is behind the cursor
		l.takeEvents(i, c, text)
	}
}

func (l *loop) v1Notice(text []byte) {
	var m struct{ Type, Reason string }
	_ = json.Unmarshal(text, &m)
	l.report(message{Ending: "told: " + m.Type + " " + m.Reason})
}

// socketIOText serves Engine.IO 4: 0 open, 2 ping, 3 pong, 4 message, of which 40 is connect, 42 an event and 44 an error.
func (l *loop) socketIOText(i int32, c *client, text []byte) {
	switch {
	case bytes.HasPrefix(text, []byte("42")):
		l.takeEvents(i, c, text)
	case bytes.HasPrefix(text, []byte("2")):
		l.send(i, c, clientFrame(1, []byte("3")))
	case bytes.HasPrefix(text, []byte("0")):
		l.send(i, c, clientFrame(1, []byte("40")))
	case bytes.HasPrefix(text, []byte("40")) && c.state == greeting:
		l.isSubscribed(i, c)
	case bytes.HasPrefix(text, []byte("44")):
		l.fail(i, c, fmt.Sprintf("error %.100s", text[2:]), 0)
	case bytes.HasPrefix(text, []byte("41")), bytes.HasPrefix(text, []byte("1")):
		l.fail(i, c, "closed by Socket.IO", 0)
	}
}

// centrifugeChannel is where the events of all lots are.
const centrifugeChannel = "notifications"

func (l *loop) centrifugeText(i int32, c *client, text []byte) {
	if string(text) == "{}" {
		l.send(i, c, clientFrame(1, []byte("{}")))
		return
	}
	if c.state == open {
		l.takeEvents(i, c, text)
		return
	}
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		var m struct {
			ID    int
			Error *struct {
				Code    int
				Message string
			}
		}
		switch err := json.Unmarshal(line, &m); {
		case err != nil || m.ID == 0:
			l.takeEvents(i, c, line)
		case m.Error != nil:
			l.fail(i, c, fmt.Sprintf("error %d %s", m.Error.Code, m.Error.Message), 0)
			return
		case m.ID == 1:
			channel := centrifugeChannel
			if l.task.Lots > 0 {
				channel = lotID(l.task.Run, int(c.lot))
			}
			if l.say(i, c, map[string]any{"id": 2, "subscribe": map[string]any{"channel": channel}}); c.fd < 0 {
				return
			}
		case m.ID == 2:
			l.isSubscribed(i, c)
		}
	}
}

// takeEvents checks the events of a message, which may be several.
func (l *loop) takeEvents(i int32, c *client, text []byte) {
	newest := uint32(0)
	for rest := text; len(rest) > 0; {
		m, behind, ok := l.finder.next(rest)
		if !ok {
			break
		}
		rest = behind
		l.moved = true
		if m.lot != uint64(c.lot) || !c.ever {
			l.book.Strange++
			continue
		}
		if l.task.Listening {
			l.board.sawPublished(c.lot, m.n)
		}
		if newest = uint32(m.n); l.book.seen(i, &c.place, newest) && l.measuring {
			l.latency.add(l.now - m.at)
		}
	}
	// The cursor of a message is that of its last event.
	if newest > 0 && l.cursors.wants(c.lot, newest) {
		l.cursors.put(c.lot, newest, cursorOf(text))
	}
}
