package load

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// usage is what was used of the machine, up to a moment or between two.
type usage struct {
	at            time.Time
	wall          time.Duration
	own           time.Duration // CPU time of this and the children
	loops         []loopUsage
	machine, idle uint64 // ticks of all cores
}

type loopUsage struct {
	cpu, asleep   time.Duration
	waits, atOnce uint64
}

func (r *runner) use() usage {
	u := usage{at: time.Now(), own: processTime(os.Getpid())}
	for i, c := range r.pool.children {
		counts := r.board.counts[i]
		one := loopUsage{c.cpu(), time.Duration(counts.asleep.Load()), counts.waits.Load(), counts.atOnce.Load()}
		u.own += one.cpu
		u.loops = append(u.loops, one)
	}
	text, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line) {
		var ticks uint64
		if _, err := fmt.Sscan(field, &ticks); err != nil || i > 8 { // guests are in the time of users already
			continue
		}
		u.machine += ticks
		if i == 4 || i == 5 { // idle, and waiting for disks
			u.idle += ticks
		}
	}
	return u
}

func (u usage) since(before usage) usage {
	d := usage{at: u.at, wall: u.at.Sub(before.at), own: u.own - before.own, machine: u.machine - before.machine, idle: u.idle - before.idle}
	for i, one := range u.loops {
		b := before.loops[i]
		d.loops = append(d.loops, loopUsage{one.cpu - b.cpu, one.asleep - b.asleep, one.waits - b.waits, one.atOnce - b.atOnce})
	}
	return d
}

// judge says whether what was measured is about load itself, and why.
func (u usage) judge() CPU {
	if u.wall <= 0 {
		return CPU{Why: "nothing was measured"}
	}
	c := CPU{Cores: runtime.NumCPU(), Seconds: u.own.Seconds(), AsleepShare: 1}
	c.Share = u.own.Seconds() / u.wall.Seconds() / float64(c.Cores)
	var waits, atOnce uint64
	for _, l := range u.loops {
		c.BusiestLoop = max(c.BusiestLoop, l.cpu.Seconds()/u.wall.Seconds())
		c.AsleepShare = min(c.AsleepShare, l.asleep.Seconds()/u.wall.Seconds())
		waits += l.waits
		atOnce += l.atOnce
	}
	c.FoundAtOnce = float64(atOnce) / float64(max(waits, 1))
	if u.machine > 0 {
		c.Machine = 1 - float64(u.idle)/float64(u.machine)
	}
	percent := func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
	loops := fmt.Sprintf("its busiest loop used %s of a core, the least idle one slept %s of the time, and %s of their looks found something at once",
		percent(c.BusiestLoop), percent(c.AsleepShare), percent(c.FoundAtOnce))
	switch {
	case c.BusiestLoop >= 0.9:
		c.Bottleneck, c.Why = true, "a loop was busy all the time: "+loops+"; more --processes may help"
	case c.AsleepShare < 0.05:
		c.Bottleneck, c.Why = true, "frames waited for it, not it for frames: "+loops
	case c.Machine > 0.95 && c.Share > 0.5:
		c.Bottleneck, c.Why = true, "the machine was full, and most of it went to the clients: "+loops
	case c.Machine > 0.95:
		c.Why = "it waited for frames, though on a full machine, of which it took " + percent(c.Share) + ": " + loops
	default:
		c.Why = "it waited for frames: " + loops
	}
	return c
}
