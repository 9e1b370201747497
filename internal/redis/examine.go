package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Estate is how a server is set up, for whoever judges that. What the user may not ask is empty.
type Estate struct {
	Version, Mode   string // "7.2.4"; standalone, cluster or sentinel
	Leads           error  // why it is no server to publish on; nil: it is one
	Time            time.Time
	Asked, Answered time.Time // the time of the server lies between them
	// Clients are connected now, of at most MaxClients; 0: not known.
	Clients, MaxClients   int
	UsedMemory, MaxMemory int64
	// PubSubBuffer is the setting client-output-buffer-limit for subscribers: hard limit, soft limit, seconds.
	PubSubBuffer string
	// Denied is what the user may not do on the channels and keys that are asked for, with what the server says.
	Denied []error
}

// examineWait is how long one answer may take.
const examineWait = 3 * time.Second

// Examine asks the server how it is set up. On channel, where it has a name, the user must be allowed what the bus does: it publishes one message on the probe
// of "doctor", which nobody hears, and changes nothing. key, where it is not empty, is one that the user must be allowed to read. The error is why the server
// cannot be used at all.
func (s *Server) Examine(ctx context.Context, channel Channel, key string) (Estate, error) {
	client, err := s.Connect(examineWait)
	if err != nil {
		if client != nil {
			client.Close()
		}
		return Estate{}, err
	}
	defer client.Close()
	e := Estate{Asked: time.Now()}
	now, err := client.Do(ctx, client.B().Time().Build()).AsStrSlice()
	if err != nil {
		if _, refused := rueidis.IsRedisErr(err); !refused {
			return e, err
		}
	}
	e.Answered = time.Now()
	if len(now) == 2 {
		seconds, _ := strconv.ParseInt(now[0], 10, 64)
		micros, _ := strconv.ParseInt(now[1], 10, 64)
		e.Time = time.UnixMicro(seconds*1e6 + micros)
	}
	hello := client.Do(ctx, client.B().Hello().Build())
	if answer, err := hello.AsMap(); err == nil {
		text := func(name string) string { m := answer[name]; t, _ := m.ToString(); return t }
		e.Version, e.Mode = text("version"), text("mode")
	}
	e.Leads = s.Leads(hello)
	info, _ := client.Do(ctx, client.B().Info().Build()).ToString()
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch name {
		case "connected_clients":
			e.Clients = int(n)
		case "maxclients":
			e.MaxClients = int(n)
		case "used_memory":
			e.UsedMemory = n
		case "maxmemory":
			e.MaxMemory = n
		}
	}
	if settings, err := client.Do(ctx, client.B().ConfigGet().Parameter("client-output-buffer-limit").Build()).AsStrMap(); err == nil {
		if _, of, ok := strings.Cut(settings["client-output-buffer-limit"], "pubsub "); ok {
			e.PubSubBuffer = of
		}
	}
	if key != "" && !s.cluster { // there the keys are on another node than the channel
		e.deny("read "+key, client.Do(ctx, client.B().Get().Key(key).Build()).Error())
	}
	if channel.Name == "" {
		return e, nil
	}
	probe := channel.Probe("doctor")
	e.deny("publish on "+probe.Name, client.Do(ctx, probe.Publish(client, "")).Error())
	brief, cancel := context.WithTimeout(ctx, refusedWithin)
	defer cancel()
	e.deny("subscribe to "+channel.Name, client.Receive(brief, channel.Subscribe(client), func(rueidis.PubSubMessage) {}))
	return e, nil
}

// refusedWithin is how soon a subscription that is not allowed is refused; one that is lasts.
const refusedWithin = time.Second

// deny keeps what the server answers to what the user may not do.
func (e *Estate) deny(what string, err error) {
	if refusal, ok := rueidis.IsRedisErr(err); ok && !refusal.IsNil() {
		e.Denied = append(e.Denied, fmt.Errorf("%s: %w", what, refusal))
	}
}
