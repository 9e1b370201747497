package main

import (
	"fmt"
	"slices"
	"strings"

	"parkwire/test/e2e/stack"
)

// A contender is a server to measure, and how its clients talk to it.
type contender struct {
	name, title string
	protocol    string // of "parkwire load"
	path        string // of the clients' address
	kafka       bool   // its events are published to Kafka, as the platform does; else to Redis
	start       func(*site, job) group
	lots        bool   // clients can subscribe to a lot
	noLots      string // why not
}

// The contenders against which ratios are taken.
const (
	limit      = "raw"
	nodeWS     = "ws"
	centrifuge = "centrifuge"
)

// contenders are all that there are, in the order of the tables.
func contenders() []contender {
	all := []contender{
		{name: "parkwire-io_uring", title: "Parkwire, io_uring", start: parkwire("io_uring"), kafka: true, lots: true},
		{name: "parkwire-epoll", title: "Parkwire, epoll", start: parkwire("epoll"), kafka: true, lots: true},
		{name: "parkwire-goroutines", title: "Parkwire, goroutines", start: parkwire("goroutines"), kafka: true, lots: true},
		{name: limit, title: "C, `send` in a loop", start: raw(), noLots: "it sends everything to all"},
		{name: "raw-gather", title: "C, `send` of what came together", start: raw("gather"), noLots: "it sends everything to all"},
		{name: "nbio", title: "nbio", start: bare("nbio"), noLots: "a library without subscriptions"},
		{name: "gws", title: "gws", start: bare("gws"), noLots: "a library without subscriptions"},
		{name: "gorilla", title: "gorilla", start: bare("gorilla"), noLots: "a library without subscriptions"},
		{name: nodeWS, title: "Node `ws`, Redis", start: node("seedstack"), kafka: true, noLots: "it broadcasts everything to all clients"},
		{name: "socketio", title: "Socket.IO, Redis Streams", protocol: "socketio", path: "/socket.io/?EIO=4&transport=websocket", start: node("socketio"), kafka: true, lots: true},
		{name: centrifuge, title: "centrifuge, defaults", protocol: "centrifuge", path: "/connection/websocket", start: centrifugeServer(""), lots: true},
		{name: "centrifuge-tuned", title: "centrifuge, `WriteDelay` 10 ms", protocol: "centrifuge", path: "/connection/websocket", start: centrifugeServer("10ms"), lots: true},
		// Only of single measurements.
		{name: "parkwire", title: "Parkwire", start: parkwire("auto"), kafka: true, lots: true},
		{name: "centrifuge-kafka", title: "centrifuge, defaults, fed by Parkwire's bridge", protocol: "centrifuge", path: "/connection/websocket", start: behindBridge(centrifugeServer("")), kafka: true, lots: true},
		{name: "nginx-http", title: "Parkwire behind NGINX, HTTP", start: behindNGINX(stack.NGINXHTTP), kafka: true, lots: true},
		{name: "nginx-stream", title: "Parkwire behind NGINX, `stream`", start: behindNGINX(stack.NGINXL4), kafka: true, lots: true},
	}
	for i := range all {
		c := &all[i]
		if c.protocol == "" {
			c.protocol = "plain"
		}
		if c.path == "" {
			c.path = "/notifications"
		}
	}
	return all
}

// beside are the names of those that are compared with each other.
func beside() (names []string) {
	for _, c := range contenders() {
		if c.name == "parkwire" {
			break
		}
		names = append(names, c.name)
	}
	return names
}

func contenderNamed(name string) contender {
	all := contenders()
	i := slices.IndexFunc(all, func(c contender) bool { return c.name == name })
	if i < 0 {
		return contender{name: name, title: name}
	}
	return all[i]
}

// chosen reports whether a contender is wanted: -only lists names or their beginnings.
func chosen(only, name string) bool {
	if only == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(only, ","), func(w string) bool {
		return w == name || strings.HasSuffix(w, "*") && strings.HasPrefix(name, w[:len(w)-1])
	})
}

// checkOnly refuses names that nobody has.
func checkOnly(only string) error {
	if only == "" {
		return nil
	}
	for _, w := range strings.Split(only, ",") {
		if !slices.ContainsFunc(contenders(), func(c contender) bool { return chosen(w, c.name) }) {
			return fmt.Errorf("-only: there is no contender %q; there are %s", w, strings.Join(beside(), ", "))
		}
	}
	return nil
}
