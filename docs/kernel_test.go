package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What was measured (docs/scaling.md), and what is assumed.
const (
	kernelEnd    = 4.5e3     // bytes of the kernel for one end of an idle connection
	userClient   = 0.5e3     // of a live instance for a client
	nginxClient  = 14e3      // of NGINX for a client, by HTTP
	slowShare    = 0.02      // of the clients do not read
	slowBytes    = 128 << 10 // wait for such a client, in each of two buffers
	frame        = 400 + 66  // bytes of a change to a client, with the headers of TCP and IP
	ping         = 30        // seconds
	comeBack     = 10.0      // seconds in which all come back after a crash
	stall        = 0.5       // seconds in which a process does not accept
	ports        = 32_000    // that are found quickly, of 64,512
	tracked      = 300       // bytes of a tracked connection
	idlePages    = 0.5       // that an idle socket counts in tcp_mem
	small        = 98_304    // the third value of tcp_mem by default with 4 GiB of memory
	page         = 4 << 10   // bytes
	nrOpen       = 1_048_576 // the kernel's own
	twBuckets    = 262_144   // the same
	trackedLeast = 262_144   // the kernel's own with 4 GiB of memory or more
	longest      = 65_535    // queue that makes sense
	shortest     = 4_096     // the kernel's own
)

// reserved are the ports that no connection takes: of Grafana, parts, OpenTelemetry, PostgreSQL, Redis, NGINX, Prometheus and Kafka, and of parts for operators.
const reserved = "3000,4318,5000-5099,5432,6379,8080-8081,8443,9090-9093,9500-9599"

// needs is what a machine needs for so many clients.
type needs struct {
	clients, instanceFiles, nginxFiles, fileMax, nrOpen, queue, portPairs, twBuckets, tracked, pages int
	memory, buffers                                                                                  float64
	tcpMem                                                                                           string // "" where the default will do
}

func needsOf(clients int) needs {
	n := float64(clients)
	w := needs{clients: clients, instanceFiles: clients*6/5 + 200, nginxFiles: 2*clients*6/5 + 200}
	w.fileMax = w.instanceFiles + w.nginxFiles
	w.nrOpen = max(nrOpen, roundUp(w.nginxFiles, 1<<18))
	w.queue = shortest
	for w.queue < int(n*stall/comeBack) {
		w.queue *= 2
	}
	w.queue = min(w.queue, longest)
	w.portPairs = (clients + ports - 1) / ports
	w.twBuckets = max(twBuckets, 2*clients)
	w.tracked = max(trackedLeast, 2*clients*6/5)
	w.memory = n * (3*kernelEnd + userClient + nginxClient) // NGINX has two ends, the instance one
	w.buffers = slowShare * n * 2 * slowBytes
	w.pages = int(3*n*idlePages + w.buffers/page)
	if w.pages*3/2 > small {
		w.tcpMem = fmt.Sprintf("%d %d %d", w.pages, w.pages*5/4, w.pages*3/2)
	}
	return w
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// sysctl is the file for the machine.
func (w needs) sysctl() string {
	var b strings.Builder
	line := func(comment, setting string) { fmt.Fprintf(&b, "# %s\n%s\n", comment, setting) }
	fmt.Fprintf(&b, "# For %s clients of notifications through NGINX and instances on this machine: docs/kernel.md says why. Made by go test ./docs -update.\n", grouped(w.clients))
	line("how many files a process may have at most (LimitNOFILE)", fmt.Sprintf("fs.nr_open = %d", w.nrOpen))
	line("those who knock and were not let in yet, and whose handshake is not done", fmt.Sprintf("net.core.somaxconn = %d\nnet.ipv4.tcp_max_syn_backlog = %[1]d", w.queue))
	line("ports of proxies towards instances, free again a second after they were used", "net.ipv4.ip_local_port_range = 1024 65535\nnet.ipv4.tcp_tw_reuse = 1")
	line("but for those at which Parkwire and the servers beside it listen, or are to listen again after a restart; add those of your other servers", "net.ipv4.ip_local_reserved_ports = "+reserved)
	line("closed connections that are remembered for a minute", fmt.Sprintf("net.ipv4.tcp_max_tw_buckets = %d", w.twBuckets))
	line("notifications are small; the largest is what a client that does not read may hold", "net.ipv4.tcp_rmem = 4096 16384 262144\nnet.ipv4.tcp_wmem = 4096 16384 131072")
	if w.tcpMem != "" {
		line(fmt.Sprintf("pages that all sockets together may hold: more than is there by default with less than %d GiB of memory; with more leave this out", w.pages*3/2*4/small),
			"net.ipv4.tcp_mem = "+w.tcpMem)
	}
	line("where connections are tracked; the - is for where they are not", fmt.Sprintf("-net.netfilter.nf_conntrack_max = %d\n-net.netfilter.nf_conntrack_tcp_timeout_established = 600", w.tracked))
	return b.String()
}

func TestTheKernelsSettingsAreThoseOfTheArithmetic(t *testing.T) {
	var columns []needs
	for _, clients := range []int{10_000, 100_000, 1_000_000} {
		columns = append(columns, needsOf(clients))
	}
	var table strings.Builder
	table.WriteString("| clients, *N* | | 10,000 | 100,000 | 1,000,000 |\n|---|---|---|---|---|\n")
	row := func(what, how string, cell func(needs) string) {
		fmt.Fprintf(&table, "| %s | %s |", what, how)
		for _, w := range columns {
			fmt.Fprintf(&table, " %s |", cell(w))
		}
		table.WriteString("\n")
	}
	row("files of the instances (`LimitNOFILE`)", "1.2 *N* + 200", func(w needs) string { return grouped(w.instanceFiles) })
	row("files of all workers of NGINX (`worker_rlimit_nofile` × workers)", "2 × 1.2 *N* + 200", func(w needs) string { return grouped(w.nginxFiles) })
	row("`fs.nr_open`", "as many, if one process had them all; at least 1,048,576", func(w needs) string { return grouped(w.nrOpen) })
	row("`fs.file-max`", "the sum", func(w needs) string { return grouped(w.fileMax) })
	row("`net.core.somaxconn`, `net.ipv4.tcp_max_syn_backlog`", "*N* × 0.5 s / 10 s, the next power of two; 4,096 to 65,535", func(w needs) string { return grouped(w.queue) })
	row("pairs of an address of NGINX and an instance", "*N* / 32,000", func(w needs) string { return grouped(w.portPairs) })
	row("`net.ipv4.tcp_max_tw_buckets`", "2 *N*, at least 262,144; 0.25 KB each", func(w needs) string { return grouped(w.twBuckets) })
	row("`net.netfilter.nf_conntrack_max`", "2 × 1.2 *N*, at least 262,144; 0.3 KB each", func(w needs) string {
		return fmt.Sprintf("%s (%s)", grouped(w.tracked), size(float64(w.tracked*tracked)))
	})
	row("buffers of those who do not read", "2 % of *N* × 2 × 128 KiB", func(w needs) string { return size(w.buffers) })
	row("`net.ipv4.tcp_mem`, third value, pages of 4 KiB", "1.5 × (3 *N* / 2 + those buffers)", func(w needs) string { return grouped(w.pages * 3 / 2) })
	row("memory of the idle, kernel and processes", "(3 × 4.5 + 0.5 + 14) KB × *N*", func(w needs) string { return size(w.memory) })
	row("the same without NGINX", "(4.5 + 0.5) KB × *N*", func(w needs) string { return size(float64(w.clients) * (kernelEnd + userClient)) })
	row("pings, packets a second each way", "*N* / 30 s", func(w needs) string { return grouped(w.clients / ping) })
	row("one change to everybody", "466 bytes × *N*", func(w needs) string { return size(float64(w.clients * frame)) })
	row("six of them a second", "", func(w needs) string { return fmt.Sprintf("%.3g Gbit/s", float64(w.clients*frame*6*8)/1e9) })
	generated(t, "kernel.md", table.String())

	for _, w := range columns {
		file := filepath.Join("..", "deploy", "sysctl.d", fmt.Sprintf("parkwire-%d.conf", w.clients))
		if *update {
			if err := os.WriteFile(file, []byte(w.sysctl()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if read(t, file) != w.sysctl() {
			t.Errorf("%s is not up to date: go test ./docs -update", file)
		}
		known(t, file)
	}

	// What bounds the same elsewhere is not below.
	most := columns[len(columns)-1]
	nginx, err := filepath.Glob("../deploy/nginx/site*/listen*.conf")
	if err != nil || len(nginx) == 0 {
		t.Fatal(nginx, err)
	}
	for _, file := range append(nginx, "../deploy/nginx/tls.conf") {
		if want := fmt.Sprintf(" backlog=%d ", most.queue); !strings.Contains(read(t, file), want) {
			t.Errorf("%s has no%s", file, want)
		}
	}
	if want := fmt.Sprintf("\nLimitNOFILE=%d\n", most.instanceFiles); !strings.Contains(read(t, "../deploy/systemd/parkwire@.service"), want) {
		t.Errorf("the unit has no %s", strings.TrimSpace(want))
	}
}

// Whatever listens on a machine as deploy/ and the manual have it keeps its port.
func TestPortsOfServersAreNotTakenByConnections(t *testing.T) {
	listening := regexp.MustCompile(`(?:listen :|127\.0\.0\.1:|_LISTEN=:|_PORT:-)(\d{4,5})`)
	for _, pattern := range []string{"../deploy/nginx/site-host/*", "../deploy/systemd/*.env", "../deploy/compose*.yaml", "operating.md"} {
		files, err := filepath.Glob(pattern)
		found := 0
		for _, file := range files {
			for _, match := range listening.FindAllStringSubmatch(read(t, file), -1) {
				found++
				if !isReserved(match[1]) {
					t.Errorf("%s: %s is not among the ports that are reserved", file, match[1])
				}
			}
		}
		if err != nil || found == 0 {
			t.Errorf("%s: %d ports in %v, %v", pattern, found, files, err)
		}
	}
}

func isReserved(port string) bool {
	for some := range strings.SplitSeq(reserved, ",") {
		from, to, isRange := strings.Cut(some, "-")
		if port == some || isRange && len(port) == len(from) && from <= port && port <= to {
			return true
		}
	}
	return false
}

// known holds the settings of a file against those that the kernel has on which the test runs.
func known(t *testing.T, file string) {
	t.Helper()
	if _, err := os.Stat("/proc/sys/net/core/somaxconn"); err != nil {
		t.Skip("no kernel of Linux, or one that shows no settings")
	}
	for line := range strings.Lines(read(t, file)) {
		name, _, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok || strings.HasPrefix(name, "#") || strings.HasPrefix(name, "-") {
			continue
		}
		if _, err := os.Stat("/proc/sys/" + strings.ReplaceAll(name, ".", "/")); err != nil {
			t.Errorf("%s: the kernel has no setting %s", file, name)
		}
	}
}

func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func size(bytes float64) string {
	for _, unit := range []struct {
		name string
		of   float64
	}{{"GB", 1e9}, {"MB", 1e6}} {
		if bytes >= unit.of {
			return fmt.Sprintf("%.3g %s", bytes/unit.of, unit.name)
		}
	}
	return fmt.Sprintf("%.3g KB", bytes/1e3)
}
