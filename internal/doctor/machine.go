package doctor

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// Machine is what an operating system says of itself. What it does not say is zero.
type Machine struct {
	Files   uint64 // that this process may open
	Memory  int64  // bytes that this process may use: of its group, or of the machine
	Kernel  string
	Sysctls map[string]int64
	// PortsFrom and PortsTo are what outgoing connections have.
	PortsFrom, PortsTo int
	// Unsynchronised says that the kernel does not take its clock for right.
	Unsynchronised bool
}

// Load is what a part may have to carry.
type Load struct {
	Clients    int   // at once; 0: the part has none
	OwnFiles   int   // files that are for no client
	LiveMemory int64 // bytes for recent events
	Passes     bool  // streams of clients go on to other processes; how many is not configured anywhere
	Targets    int   // such processes
}

// clientMemory is what an idle client costs with what the kernel keeps for it. See docs/scaling.md.
const clientMemory = 4500

// pagesOfHundred is what the kernel counts for the sockets of a hundred clients, in pages of 4 KiB: half a page for each, and 128 KiB for each of two that do not read.
// See docs/kernel.md.
const pagesOfHundred = 100/2 + 2*32

// Judge says for what the machine does not suffice.
func (m Machine) Judge(f *Findings, l Load) {
	if m.Unsynchronised {
		f.addOf("clock", Warning, "let the machine follow time servers (chrony, systemd-timesyncd)", "the kernel says that the clock of this machine is not synchronised")
	}
	m.judgeFiles(f, l)
	if m.Files > 0 && m.Files < 1024 && l.Clients == 0 {
		f.Warn("raise the limit of open files (LimitNOFILE, ulimit -n) to 4096 at least", "this process may open %d files", m.Files)
	}
	if needed := l.LiveMemory + int64(l.Clients)*clientMemory; m.Memory > 0 && l.Clients > 0 && m.Memory < needed {
		f.Warn("give it more memory, or lower live-max-clients or live-memory", "it may use %s of memory, and %d clients with live-memory need about %s", mebibytes(m.Memory), l.Clients, mebibytes(needed))
	}
	if l.Clients == 0 && !l.Passes {
		return
	}
	if n, ok := m.Sysctls["net.core.somaxconn"]; ok && n < 4096 {
		f.Warn("sysctl -w net.core.somaxconn=4096", "net.core.somaxconn is %d: when very many clients come at once, connections are refused", n)
	}
	if n, ok := m.Sysctls["net.netfilter.nf_conntrack_max"]; ok && n < int64(l.Clients)*5/4 {
		f.Warn("sysctl -w net.netfilter.nf_conntrack_max="+strconv.Itoa(l.Clients*3/2)+", or do not track these connections", "net.netfilter.nf_conntrack_max is %d, and %d clients may come", n, l.Clients)
	}
	// As docs/kernel.md has it, without a proxy on the same machine: the third value is half as much again as is needed.
	pages := l.Clients * pagesOfHundred / 100
	if n, ok := m.Sysctls["net.ipv4.tcp_mem"]; ok && n < int64(pages*3/2) {
		f.Warn(fmt.Sprintf("sysctl -w net.ipv4.tcp_mem='%d %d %d'", pages, pages*5/4, pages*3/2),
			"net.ipv4.tcp_mem lets all sockets have %d pages, and %d clients need %d, half a page each and what waits for those who do not read: at its bound the kernel lets nobody in", n, l.Clients, pages)
	}
	if l.Passes {
		m.tellPassing(f, l)
	}
}

// tellPassing says how many streams can pass through this process, and what bounds that. Each is two connections: the client's, and one that goes on.
func (m Machine) tellPassing(f *Findings, l Load) {
	most, by := int64(math.MaxInt64), ""
	bound := func(n int64, format string, args ...any) {
		if n < most {
			most, by = max(n, 0), fmt.Sprintf(format, args...)
		}
	}
	if m.Files > 0 {
		files := int64(min(m.Files, math.MaxInt64))
		bound((files-int64(l.OwnFiles))/2, "this process may open %d files", files)
	}
	if n, ok := m.Sysctls["fs.file-max"]; ok {
		bound(n/2, "fs.file-max lets all processes together open %d files", n)
	}
	if ports := m.PortsTo - m.PortsFrom + 1; m.PortsTo > 0 {
		bound(int64(ports)*int64(max(l.Targets, 1)), "net.ipv4.ip_local_port_range has %d ports, for each of %d instances", ports, max(l.Targets, 1))
	}
	if n, ok := m.Sysctls["net.netfilter.nf_conntrack_max"]; ok {
		bound(n*4/5/2, "net.netfilter.nf_conntrack_max is %d", n)
	}
	if n, ok := m.Sysctls["net.ipv4.tcp_mem"]; ok {
		bound(n*2/3*100/pagesOfHundred/2, "net.ipv4.tcp_mem lets all sockets have %d pages", n)
	}
	if by != "" {
		f.Note("%d streams at once can pass through here to other processes: %s", most, by)
	}
}

// judgeFiles says whether this process may open as many files as it may have clients. What the kernel allows a process, and all of them, stands above its own limit.
func (m Machine) judgeFiles(f *Findings, l Load) {
	needed := int64(l.Clients + l.OwnFiles)
	if l.Clients == 0 || m.Files == 0 {
		return
	}
	if m.Files < uint64(needed) {
		mend := "LimitNOFILE=" + strconv.FormatInt(needed, 10) + " in the unit, nofile in limits.conf, or --ulimit nofile=… of the container; or lower live-max-clients"
		if most, ok := m.Sysctls["fs.nr_open"]; ok && most < needed {
			mend = fmt.Sprintf("sysctl -w fs.nr_open=%d, which bounds each process and is %d, and then %s", needed, most, mend)
		}
		f.Warn(mend, "this process may open %d files, and %d clients need %d: it takes %d", m.Files, l.Clients, needed, max(int64(m.Files)-int64(l.OwnFiles), 1))
	}
	if all, ok := m.Sysctls["fs.file-max"]; ok && all < needed {
		f.Warn(fmt.Sprintf("sysctl -w fs.file-max=%d, or more where other processes have many", needed), "fs.file-max lets all processes together open %d files, and %d clients need %d", all, l.Clients, needed)
	}
}

func mebibytes(n int64) string { return strconv.FormatInt(n>>20, 10) + " MiB" }

// readNumber reads a file that holds a number, as those of /proc and /sys do.
func readNumber(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
