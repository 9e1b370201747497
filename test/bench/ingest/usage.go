//go:build linux

package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpu is CPU time that was used.
type cpu struct{ servers, own, machine time.Duration }

func (c cpu) since(before cpu) cpu {
	return cpu{c.servers - before.servers, c.own - before.own, c.machine - before.machine}
}

// usage reads how much CPU time the processes, this one and the whole machine have used.
func usage(pids []int) cpu {
	const tick = 10 * time.Millisecond // of /proc; 100 a second on every system that Go runs on
	var c cpu
	for _, pid := range pids {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 12 { // utime and stime are fields 14 and 15, the name ends in field 2
			user, _ := strconv.Atoi(fields[11])
			kernel, _ := strconv.Atoi(fields[12])
			c.servers += time.Duration(user+kernel) * tick
		}
	}
	var own unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &own)
	c.own = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line)[1:] {
		if ticks, _ := strconv.Atoi(field); i != 3 && i != 4 && i < 8 { // without idle and iowait; guests are in user already
			c.machine += time.Duration(ticks) * tick
		}
	}
	return c
}
