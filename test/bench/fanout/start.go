package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"parkwire/test/e2e/stack"
)

// A group is a contender that runs.
type group struct {
	addresses []string // host:port for clients
	processes []*stack.Process
	front     []int // ids of what stands before it, such as NGINX
}

func (g group) pids() (ids []int) {
	for _, p := range g.processes {
		ids = append(ids, p.PID())
	}
	return ids
}

// each starts n processes, each with an address for clients.
func each(s *site, n int, start func(i int, address string) *stack.Process) (g group) {
	for i := range n {
		address := stack.Address(stack.Port(s))
		g.addresses = append(g.addresses, address)
		g.processes = append(g.processes, start(i, address))
	}
	return g
}

// parkwire starts notification instances, as in production: one consumer group carries Kafka to Redis, and every instance serves.
func parkwire(engine string) func(*site, job) group {
	return func(s *site, j job) group { return notifications(s, j, engine, func(int) []string { return nil }) }
}

// notifications starts them; further are settings of each.
func notifications(s *site, j job, engine string, further func(i int) []string) group {
	var ready, ping []string
	if j.Ping > 0 {
		ping = []string{"--live-ping-interval", j.Ping.String()}
	}
	g := each(s, j.Instances, func(i int, address string) *stack.Process {
		admin := stack.Address(stack.Port(s))
		ready = append(ready, "http://"+admin+"/readyz")
		return stack.Start(s, fmt.Sprint("parkwire ", i+1), nil, filepath.Join(s.work, "parkwire"), append([]string{"notifications",
			"--listen", address, "--admin-listen", admin, "--live-engine", engine, "--log-level", "warn",
			"--kafka-brokers", s.kafka, "--redis-url", "redis://" + s.redis, "--redis-channel", channel,
			"--kafka-topic", s.topic, "--kafka-spots-topic", s.topic + "-spots", "--kafka-rejected-topic", s.topic + "-rejected",
			"--kafka-audit-topic", s.topic + "-audit", "--kafka-access-topic", s.topic + "-access", "--kafka-group", s.topic,
			"--live-handshake-rate", "100000", "--drain-window", "1s"}, append(further(i), ping...)...)...)
	})
	for i, url := range ready {
		awaitReady(s, g.processes[i], url)
	}
	return g
}

// behindNGINX starts them behind NGINX, as deploy/ has it: an HTTP proxy, or a stream.
func behindNGINX(main string) func(*site, job) group {
	return func(s *site, j job) group {
		proxied := make([]string, j.Instances)
		for i := range proxied {
			proxied[i] = stack.Address(stack.Port(s))
		}
		g := notifications(s, j, "auto", func(i int) []string { return []string{"--listen-proxied", proxied[i]} })
		nginx := stack.NGINXFor(s, main, map[string][]string{"parkwire_live": g.addresses, "parkwire_live_l4": proxied})
		nginx.Start(s)
		nginx.WaitReady(s)
		address := nginx.URL
		if main == stack.NGINXL4 {
			address = nginx.L4
		}
		g.addresses = []string{strings.TrimPrefix(address, "http://")}
		g.front = append(childrenOf(nginx.PID()), nginx.PID())
		return g
	}
}

// node starts one of the stacks from npm: its processes are one consumer group, so that each event is published once, and all
// of them hear it by Redis.
func node(name string) func(*site, job) group {
	return func(s *site, j job) group {
		g := each(s, j.Instances, func(i int, address string) *stack.Process {
			host, port, _ := strings.Cut(address, ":")
			return stack.Start(s, fmt.Sprint(name, " ", i+1), []string{
				"NODE_ENV=production", "HOST=" + host, "PORT=" + port, "KAFKA=" + s.kafka, "TOPIC=" + s.topic, "GROUP=" + s.topic,
				"REDIS=redis://" + s.redis, "CHANNEL=" + channel,
			}, "node", filepath.Join(s.work, name, "index.js"))
		})
		for _, p := range g.processes {
			awaitWord(s, p, "listening")
		}
		return g
	}
}

func bare(library string) func(*site, job) group {
	return func(s *site, j job) group {
		return each(s, j.Instances, func(i int, address string) *stack.Process {
			return stack.Start(s, fmt.Sprint(library, " ", i+1), nil, filepath.Join(s.work, "bare"),
				"-library", library, "-listen", address, "-redis", s.redis, "-channel", channel)
		})
	}
}

func centrifugeServer(delay string) func(*site, job) group {
	return func(s *site, j job) group {
		args := []string{"-redis", s.redis, "-channel", channel}
		if delay != "" {
			args = append(args, "-write-delay", delay)
		}
		if j.Lots > 0 {
			args = append(args, "-by-lot")
		}
		return each(s, j.Instances, func(i int, address string) *stack.Process {
			return stack.Start(s, fmt.Sprint("centrifuge ", i+1), nil, filepath.Join(s.work, "centrifuge"), append(args, "-listen", address)...)
		})
	}
}

// behindBridge feeds a contender that takes events from Redis with those of Kafka: by a notification instance without clients, which
// is not counted with the contender.
func behindBridge(start func(*site, job) group) func(*site, job) group {
	return func(s *site, j job) group {
		bridge := j
		bridge.Instances = 1
		notifications(s, bridge, "auto", func(int) []string { return nil })
		return start(s, j)
	}
}

func raw(further ...string) func(*site, job) group {
	return func(s *site, j job) group {
		_, redis, _ := strings.Cut(s.redis, ":")
		g := each(s, j.Instances, func(i int, address string) *stack.Process {
			_, port, _ := strings.Cut(address, ":")
			return stack.Start(s, fmt.Sprint("send ", i+1), nil, filepath.Join(s.work, "send"), append([]string{port, redis, channel}, further...)...)
		})
		for _, p := range g.processes {
			awaitWord(s, p, "listening")
		}
		return g
	}
}

// awaitReady waits until a process says that it is ready.
func awaitReady(t stack.T, p *stack.Process, url string) {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	await(t, p, url, func() bool {
		answer, err := client.Get(url)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
}

func awaitWord(t stack.T, p *stack.Process, word string) {
	await(t, p, strconv.Quote(word), func() bool { return strings.Contains(p.Output(), word) })
}

// await waits for a process, and shows what it said when it does not come.
func await(t stack.T, p *stack.Process, what string, reached func() bool) {
	for began := time.Now(); !reached(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.Exited():
			t.Fatalf("a process ended before %s", what)
		default:
		}
		if time.Since(began) > 90*time.Second {
			t.Fatalf("no %s after 90 s", what)
		}
	}
}
