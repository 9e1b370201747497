package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A sample is what /proc said at one moment.
type sample struct {
	at     time.Time
	cpu    time.Duration // of the server's processes, user and kernel, since their start
	rss    int64         // bytes of them that are their own (RssAnon)
	front  time.Duration // CPU of what stands before the server,
	ahead  int64         // and its own memory
	kernel int64         // bytes that the kernel has for itself: slab, stacks, page tables, socket buffers
	used   int64         // bytes of the machine that are neither free nor cache nor any process's own
}

const tick = 10 * time.Millisecond // of /proc; 100 a second on every system that Go runs on

// A sampler reads /proc several times a second, so that figures of a phase can be cut out afterwards, when "parkwire load" has said
// when it began and ended.
type sampler struct {
	server, front []int
	stop          chan struct{}
	ended         sync.WaitGroup
	samples       []sample
}

func watch(server, front []int) *sampler {
	s := &sampler{server: server, front: front, stop: make(chan struct{})}
	s.ended.Go(func() {
		for {
			s.samples = append(s.samples, s.take())
			select {
			case <-s.stop:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	return s
}

// end stops it and returns what it saw.
func (s *sampler) end() history {
	close(s.stop)
	s.ended.Wait()
	return s.samples
}

func (s *sampler) take() sample {
	one := sample{at: time.Now()}
	for _, pid := range s.server {
		one.cpu += cpuOf(pid)
		one.rss += ownMemory(pid)
	}
	for _, pid := range s.front {
		one.front += cpuOf(pid)
		one.ahead += ownMemory(pid)
	}
	memory := fields("/proc/meminfo")
	one.kernel = memory["Slab"] + memory["KernelStack"] + memory["PageTables"] + socketBuffers()
	one.used = memory["MemTotal"] - memory["MemFree"] - memory["Buffers"] - memory["Cached"] - memory["AnonPages"]
	return one
}

// A history is what was seen, in order.
type history []sample

// at is what was so at a moment, between two samples in proportion.
func (h history) at(moment time.Time) sample {
	i, _ := slices.BinarySearchFunc(h, moment, func(s sample, t time.Time) int { return s.at.Compare(t) })
	if i == 0 || len(h) == 0 || i == len(h) {
		return h[min(i, len(h)-1)]
	}
	a, b := h[i-1], h[i]
	share := float64(moment.Sub(a.at)) / float64(b.at.Sub(a.at))
	b.cpu = a.cpu + time.Duration(share*float64(b.cpu-a.cpu))
	b.front = a.front + time.Duration(share*float64(b.front-a.front))
	return b
}

// cpuOf is the CPU time of a process, children that it waited for not counted.
func cpuOf(pid int) time.Duration {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, rest, _ := strings.Cut(string(text), ") ")
	of := strings.Fields(rest)
	if len(of) < 13 { // utime and stime are fields 14 and 15, the name ends in field 2
		return 0
	}
	user, _ := strconv.Atoi(of[11])
	kernel, _ := strconv.Atoi(of[12])
	return time.Duration(user+kernel) * tick
}

// childrenOf are the processes that a process has started, and theirs.
func childrenOf(pid int) (ids []int) {
	files, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/children")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for _, word := range strings.Fields(string(text)) {
			if id, err := strconv.Atoi(word); err == nil {
				ids = append(append(ids, id), childrenOf(id)...)
			}
		}
	}
	return ids
}

// fields reads "Name:  123 kB" lines, in bytes.
func fields(path string) map[string]int64 {
	text, _ := os.ReadFile(path)
	values := map[string]int64{}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		number, unit, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			if strings.TrimSpace(unit) == "kB" {
				n <<= 10
			}
			values[name] = n
		}
	}
	return values
}

// ownMemory is the resident memory of a process that it shares with no file.
func ownMemory(pid int) int64 { return fields("/proc/" + strconv.Itoa(pid) + "/status")["RssAnon"] }

// socketBuffers is what TCP says that its buffers take, in bytes.
func socketBuffers() int64 {
	_, pages := sockets()
	return pages * int64(os.Getpagesize())
}

// sockets reads how many TCP connections wait for their names to be free again, and the pages of all sockets' buffers.
func sockets() (waiting int, pages int64) {
	text, _ := os.ReadFile("/proc/net/sockstat")
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "TCP:" {
			continue
		}
		for i := 1; i+1 < len(words); i += 2 {
			n, _ := strconv.ParseInt(words[i+1], 10, 64)
			switch words[i] {
			case "tw":
				waiting = int(n)
			case "mem":
				pages = n
			}
		}
	}
	return waiting, pages
}
