package machine

import (
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is CPU time that was used: by servers, by this process, and by the whole machine.
type CPU struct{ Servers, Own, Machine time.Duration }

// Since is what was used after before.
func (c CPU) Since(before CPU) CPU {
	return CPU{c.Servers - before.Servers, c.Own - before.Own, c.Machine - before.Machine}
}

// Usage reads how much CPU time the servers, this process and the whole machine have used.
func Usage(servers []int) CPU {
	const tick = 10 * time.Millisecond // of /proc; 100 a second on every system that Go runs on
	var c CPU
	for _, pid := range servers {
		text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		_, rest, _ := strings.Cut(string(text), ") ")
		if fields := strings.Fields(rest); len(fields) > 12 { // utime and stime are fields 14 and 15, the name ends in field 2
			user, _ := strconv.Atoi(fields[11])
			kernel, _ := strconv.Atoi(fields[12])
			c.Servers += time.Duration(user+kernel) * tick
		}
	}
	var own unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &own)
	c.Own = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line)[1:] {
		if ticks, _ := strconv.Atoi(field); i != 3 && i != 4 && i < 8 { // without idle and iowait; guests are in user already
			c.Machine += time.Duration(ticks) * tick
		}
	}
	return c
}
