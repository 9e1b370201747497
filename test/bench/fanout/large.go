package main

import (
	"fmt"
	"math"
	"strings"
)

// growth is the section of more and more clients, and more and more lots.
func (p *page) growth() {
	if clients := p.of("growth-clients", ""); len(clients) > 0 {
		p.line("## Growth\n")
		p.line("Parkwire with more and more clients, 16,700 a process at most, and with more and more lots. A broken line grows as the clients or lots do, so that what stays on it or under it is no worse than linear. What the processes do while idle (pings every 30 s) is taken off the CPU time of events, and in a column of its own.\n")
		lone, burst, user, kernel := curve{label: "CPU of the server for one event to all, ms"}, curve{label: "for ten events to all, ms"}, curve{label: "user, MB"}, curve{label: "kernel, both ends, MB"}
		var rows [][]string
		for _, r := range clients {
			n := float64(r.Clients)
			one, ten := beyondIdle("lone")(r), beyondIdle("burst")(r)
			lone.add(n, one*n/1000)
			burst.add(n, ten*n*float64(r.Burst)/1000)
			user.add(n, float64(r.Memory.User)/1e6)
			kernel.add(n, float64(r.Memory.Kernel)/1e6)
			rows = append(rows, []string{count(n), fmt.Sprint(r.Instances), decimals(one, 2), decimals(ten, 2), count(deliveries("lone")(r)), count(deliveries("burst")(r)),
				count(userMemory(r)), count(perClient(r, r.Memory.Kernel)), decimals(r.idle(), 3)})
		}
		p.picture("growth-cpu", "CPU time by clients", curves("CPU time of the server", "clients", []curve{lone, burst}))
		p.picture("growth-memory", "Memory by clients", curves("Memory", "clients", []curve{user, kernel}))
		p.table([]string{"clients", "processes", "CPU of one event, µs a delivery", "of ten", "lone, deliveries/s", "bursts, deliveries/s", "user, bytes a client", "kernel, both ends", "while idle, cores"}, rows)
	}
	if lots := p.of("growth-lots", ""); len(lots) > 0 {
		p.line("%s clients, each on one lot, and as many events at once as there are lots, so that each client gets one.\n", count(float64(lots[0].Clients)))
		cpu, user := curve{label: "CPU of the server for an event to each lot, ms"}, curve{label: "user memory, MB"}
		var rows [][]string
		for _, r := range lots {
			n := float64(r.Lots)
			each := cpuPerDelivery("burst")(r)
			cpu.add(n, each*float64(r.Clients)/1000)
			user.add(n, float64(r.Memory.User)/1e6)
			rows = append(rows, []string{count(n), decimals(each, 2), decimals(each*float64(r.Clients)/n, 1), count(deliveries("burst")(r)), count(userMemory(r))})
		}
		p.picture("growth-lots", "CPU and memory by lots", curves("More lots, the same clients", "lots", []curve{cpu, user}))
		p.table([]string{"lots", "CPU, µs a delivery", "CPU, µs an event", "deliveries/s", "user, bytes a client"}, rows)
	}
}

// add adds a point, if it can be drawn on a logarithmic scale.
func (c *curve) add(x, y float64) {
	if x > 0 && y > 0 {
		c.points = append(c.points, [2]float64{x, y})
	}
}

// nginx is the section of what stands in front.
func (p *page) nginx() {
	names := p.names("nginx", deliveries("lone"), true)
	if len(names) == 0 {
		return
	}
	p.line("## NGINX in front\n")
	p.line("As `deploy/nginx` has it, %s clients: through NGINX each takes two of a worker's files.\n", count(float64(p.of("nginx", "")[0].Clients)))
	var rows [][]string
	for _, name := range names {
		row := []string{contenderNamed(name).title}
		for _, pattern := range []string{"lone", "burst"} {
			f := p.figures("nginx", name, deliveries(pattern))
			s := f.spread()
			row = append(row, fmt.Sprintf("%s (%s to %s)", count(s.median), count(s.min), count(s.max)), times(ratio(f, p.figures("nginx", "parkwire", deliveries(pattern))).median))
		}
		front := p.figures("nginx", name, func(r result) float64 { return perClient(r, r.Memory.Front) }).spread().median
		kernel := p.figures("nginx", name, func(r result) float64 { return perClient(r, r.Memory.Kernel) }).spread().median
		share := p.figures("nginx", name, func(r result) float64 {
			u, ok := r.usage("lone")
			if !ok || u.Seconds == 0 {
				return math.NaN()
			}
			return u.Front / u.Seconds
		}).spread().median
		rows = append(rows, append(row, count(front), count(kernel), times(share)))
	}
	p.table([]string{"way", "one event to all, deliveries/s", "of direct", "ten events", "of direct", "NGINX, bytes a client", "kernel, all ends, bytes a client", "NGINX's CPU by Parkwire's"}, rows)
}

// theMillion is the section of as many clients as one machine holds.
func (p *page) theMillion() {
	for _, r := range p.of("million", "") {
		c, e := r.Report.Clients, r.Report.Events
		p.line("## %s clients\n", count(float64(r.Clients)))
		p.line("%d processes of Parkwire and the generator on the one machine: %d connected and subscribed in %.0f s (%s a second). %d frames were due, %d came, %d were lost, %d repeated, %d out of order.\n",
			r.Instances, c.Connected, c.ConnectSeconds, count(c.PerSecond), e.Expected, e.Delivered, e.Lost, e.Repeated, e.OutOfOrder)
		if idle := r.idle(); r.Ping > 0 && !math.IsNaN(idle) {
			p.line("With a ping to each every %v the processes of Parkwire took %s of a core while nothing happened.\n", r.Ping, decimals(idle, 2))
		}
		if lone, ok := r.Report.phase("lone"); ok && lone.DeliveriesPerSecond.Median > 0 {
			p.line("One event reached all in %.1f s (%s deliveries/s).", float64(c.Connected)/lone.DeliveriesPerSecond.Median, count(lone.DeliveriesPerSecond.Median))
		}
		if burst, ok := r.Report.phase("burst"); ok && burst.DeliveriesPerSecond.Median > 0 {
			p.line("Bursts of %d ran at %s deliveries/s.", r.Burst, count(burst.DeliveriesPerSecond.Median))
		}
		gb := func(bytes int64) string { return decimals(float64(bytes)/1e9, 2) }
		p.line("\nMemory, GB: %s of the processes before the first client, %s more with all of them (%s bytes a client), %s of the kernel for both ends (%s bytes a connection).\n",
			gb(r.Memory.Base), gb(r.Memory.User), count(userMemory(r)), gb(r.Memory.Kernel), count(perClient(r, r.Memory.Kernel)))
	}
}

// method is what one has to know to judge the figures, and to take them again.
func (p *page) method(about []string) {
	p.line("## The machine\n")
	for _, line := range about {
		p.line("* %s", line)
	}
	p.line("\n## How it is measured\n")
	p.line("* **Each run** starts a contender afresh (three processes; Parkwire as `parkwire notifications`), publishes until a client of each process has heard of it, connects all clients with `parkwire load`, holds them, and publishes: "+
		"%d lone events and as many bursts of ten, each after warming up. A round is one such run of each contender, in turn; the next waits until TIME_WAIT has drained.", repeats)
	p.line("* **One event** is about 180 bytes of JSON. Its time is from the moment before it is published to the last client's last frame. Each client checks that nothing is missing, repeated or out of order.")
	p.line("* **CPU** is user and kernel time of the server's processes from /proc, of 10 ms resolution. The generator says of itself when it was the bottleneck.")
	p.line("* **Server and generator share the cores.** The generator's part is the same for each delivery of all contenders, and lowers the figures of the fast ones most.\n")
	p.line("## Who is treated how\n")
	for _, line := range []string{
		"**Parkwire, Node `ws` and Socket.IO** take events from Kafka and pass them through Redis, with one consumer group for their processes. **All others** get them from Redis, which spares them the way through Kafka (some milliseconds of every event).",
		"**Parkwire has everything switched on**: cursors, checks for holes, filters, limits for slow clients, pings. The bare servers and the C loop have nothing: a slow client would hold them up, a lost message stay lost.",
		"**nbio, gws, gorilla** frame a message once. nbio's and gorilla's clients are walked by a goroutine a core that writes directly, which is faster than what their examples show; gws has its own broadcaster.",
		"**centrifuge** is used with its memory broker in each process and fed directly, which is less work than its Redis engine. It wraps events (`{\"push\":…}`), about 50 bytes more, and by default already puts up to 16 messages that wait into one frame. Tuned means `WriteDelay` 10 ms, no bound on messages of a frame, `WriteWithTimer`, `ReplyWithoutQueue`, pooled buffers, `ProcessCommandsOffReadLoop`. Its pings are rarer than by default in both, because under this load it closed clients whose answers it had not come to read (3012). With `WriteDelay` a lone event waits these 10 ms, which are part of its figure.",
		"**Node's stacks** run as their authors wrote them, with `NODE_ENV=production`. `ws` frames an event anew for each client. Socket.IO wraps it (`42[\"notification\",…]`).",
		"**The C loop** is one thread a process, three processes: plain blocking `send` for each frame and client. “What came together” sends all that Redis gave in one read with one `send` a client.",
		"**Parkwire's memory limits and Go's garbage collection** are as each program has them by default.",
	} {
		p.line("* %s", line)
	}
	for _, name := range beside() {
		if why := p.absent[name]; why != "" {
			p.line("* **%s** is missing here: %s", contenderNamed(name).title, strings.ReplaceAll(why, "\n", " "))
		}
	}
	p.line("\nNoise: the machine is a virtual one with few cores, so that whatever else runs takes part; the kernel's timer ticks and the places of buffers move figures by some percent between runs, which is why rounds alternate.\n")
	p.line("## Again\n")
	p.line("```sh\nmake bench                                    # lone events, bursts, idle connections, of all\nmake bench ARGS=\"-rounds %d -clients %d all\"    # everything on this page\nmake bench ARGS=-quick                        # does it work here?\nmake bench ARGS=-list\n```\n", p.rounds, p.clients)
	p.line("It needs Linux and what `make test-servers` needs, `cc` and Node. It keeps each result at once and goes on where it was; `-fresh` forgets them.")
}
