package doctor

import (
	"context"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAMachineThatDoesNotSufficeIsTold(t *testing.T) {
	well := Machine{Files: 200_000, Memory: 8 << 30, PortsFrom: 1024, PortsTo: 65535,
		Sysctls: map[string]int64{"net.core.somaxconn": 4096, "net.netfilter.nf_conntrack_max": 1 << 20, "net.ipv4.tcp_mem": 1 << 20}}
	load := Load{Clients: 100_000, OwnFiles: 200, LiveMemory: 64 << 20}
	for _, c := range []struct {
		what string
		make func(*Machine, *Load)
		says string // "": nothing
	}{
		{"one that suffices", func(*Machine, *Load) {}, ""},
		{"few files", func(m *Machine, _ *Load) { m.Files = 20_000 }, "may open 20000 files, and 100000 clients need 100200: it takes 19800"},
		{"little memory", func(m *Machine, _ *Load) { m.Memory = 256 << 20 }, "may use 256 MiB of memory, and 100000 clients with live-memory need about 493 MiB"},
		{"a short queue", func(m *Machine, _ *Load) { m.Sysctls["net.core.somaxconn"] = 128 }, "net.core.somaxconn is 128"},
		{"connections that are tracked", func(m *Machine, _ *Load) { m.Sysctls["net.netfilter.nf_conntrack_max"] = 65536 }, "nf_conntrack_max is 65536"},
		{"little memory for sockets", func(m *Machine, _ *Load) { m.Sysctls["net.ipv4.tcp_mem"] = 50_000 }, "all sockets have 50000 pages, and 100000 clients need 114000"},
		{"memory for sockets that are idle, and for no others", func(m *Machine, _ *Load) { m.Sysctls["net.ipv4.tcp_mem"] = 98_304 }, "all sockets have 98304 pages"},
		{"few files for all processes", func(m *Machine, _ *Load) { m.Sysctls["fs.file-max"] = 65_536 }, "all processes together open 65536 files, and 100000 clients need 100200"},
		{"a clock of its own", func(m *Machine, _ *Load) { m.Unsynchronised = true }, "not synchronised"},
		{"a part without clients", func(m *Machine, l *Load) {
			*l = Load{OwnFiles: 200}
			m.Sysctls["net.core.somaxconn"] = 1
			m.Memory = 1 << 20
		}, ""},
		{"a system of which nothing is known", func(m *Machine, _ *Load) { *m = Machine{} }, ""},
	} {
		m, l := well, load
		m.Sysctls = map[string]int64{}
		for key, value := range well.Sysctls {
			m.Sysctls[key] = value
		}
		c.make(&m, &l)
		f := &Findings{check: "machine"}
		m.Judge(f, l)
		switch {
		case c.says == "" && len(f.all) > 0:
			t.Errorf("%s: %+v", c.what, f.all)
		case c.says != "" && (len(f.all) != 1 || !strings.Contains(f.all[0].Says, c.says) || f.all[0].Mend == ""):
			t.Errorf("%s: %+v", c.what, f.all)
		}
	}
}

// How many streams a gateway is to pass on is not configured: it is told how many it can, by what bounds them first.
func TestAGatewayIsToldHowManyStreamsCanPass(t *testing.T) {
	for _, c := range []struct {
		what string
		make func(*Machine)
		says string
	}{
		{"two files each", func(m *Machine) { m.Files = 20_200 }, "10000 streams at once can pass through here to other processes: this process may open 20200 files"},
		{"two files each of all processes", func(m *Machine) { m.Sysctls["fs.file-max"] = 20_000 }, "10000 streams at once can pass through here to other processes: fs.file-max"},
		{"a port of each instance", func(m *Machine) { m.PortsFrom = 60_536 }, "15000 streams at once can pass through here to other processes: net.ipv4.ip_local_port_range has 5000 ports, for each of 3 instances"},
		{"two places of what is tracked, and some to spare", func(m *Machine) { m.Sysctls["net.netfilter.nf_conntrack_max"] = 65_536 }, "26214 streams at once can pass through here to other processes: net.netfilter"},
		{"memory of two sockets", func(m *Machine) { m.Sysctls["net.ipv4.tcp_mem"] = 98_304 }, "28743 streams at once can pass through here to other processes: net.ipv4.tcp_mem"},
		{"fewer files than it needs itself", func(m *Machine) { m.Files = 100 }, "0 streams"},
	} {
		m := Machine{Files: math.MaxUint64, PortsFrom: 1024, PortsTo: 65_535, Sysctls: map[string]int64{"fs.file-max": math.MaxInt64}}
		c.make(&m)
		f := &Findings{check: "machine"}
		m.Judge(f, Load{OwnFiles: 200, Passes: true, Targets: 3})
		told := f.all[len(f.all)-1]
		if told.State != Note || !strings.HasPrefix(told.Says, c.says) {
			t.Errorf("%s: %+v", c.what, f.all)
		}
	}
}

// A limit of the process above that of the kernel would be refused, or cut to it.
func TestTheKernelsBoundOfFilesIsRaisedBeforeThatOfTheProcess(t *testing.T) {
	f := &Findings{check: "machine"}
	Machine{Files: 65_536, Sysctls: map[string]int64{"fs.nr_open": 65_536}}.Judge(f, Load{Clients: 100_000, OwnFiles: 200})
	if len(f.all) != 1 || !strings.HasPrefix(f.all[0].Mend, "sysctl -w fs.nr_open=100200") || !strings.Contains(f.all[0].Mend, "LimitNOFILE=100200") {
		t.Errorf("%+v", f.all)
	}
}

func TestAClockIsJudgedByWhatTheNetworkCannotExplain(t *testing.T) {
	before := time.Date(2026, 11, 24, 3, 35, 0, 0, time.UTC)
	after := before.Add(2 * time.Second) // a slow answer
	for _, c := range []struct {
		there time.Time
		want  State // "": nothing is said
	}{
		{before, ""}, {after, ""}, {time.Time{}, ""},
		{before.Add(-900 * time.Millisecond), ""}, {before.Add(-5 * time.Second), Warning}, {after.Add(20 * time.Second), Warning},
		{after.Add(31 * time.Second), Broken}, {before.Add(-time.Hour), Broken},
	} {
		f := &Findings{}
		f.Clock("a server", c.there, before, after)
		if got := len(f.all); (got == 0) != (c.want == "") || got > 0 && f.all[0].State != c.want {
			t.Errorf("%v is judged %+v, and not %q", c.there, f.all, c.want)
		}
	}
}

// However long each takes, the order is that of the checks, and each has a time of its own.
func TestFindingsAreToldInTheOrderOfTheChecks(t *testing.T) {
	quickDone := make(chan struct{})
	r := Report{Target: "all", Version: "1.0"}
	r.Examine(t.Context(), time.Minute,
		Check{Name: "slow", Within: time.Millisecond, Look: func(ctx context.Context, f *Findings) {
			<-quickDone
			<-ctx.Done()
			f.Break("hurry", "it took\ntoo long: %v", ctx.Err())
		}},
		Check{Name: "quick", Look: func(_ context.Context, f *Findings) { f.OK("here"); close(quickDone) }})
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	const want = "BROKEN   slow   it took too long: context deadline exceeded\n" +
		"                to mend: hurry\n" +
		"ok       quick  here\n\nall, version 1.0: 1 broken, 0 warnings, 1 fine\n"
	if b.String() != want || r.Failure() == nil {
		t.Errorf("it prints\n%s", b.String())
	}
}

// A disk that does not answer holds whoever asks it, whatever time there is.
func TestWhatHangsIsFoundAndKeepsNothingElseFromBeingTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, hung := Report{}, make(chan struct{})
		r.Examine(t.Context(), 15*time.Second,
			Check{Name: "data-dir", Look: func(_ context.Context, f *Findings) { f.Note("it is on NFS"); <-hung }},
			Check{Name: "kafka", Look: func(_ context.Context, f *Findings) { f.OK("3 of 3 servers answer") }})
		close(hung)
		if len(r.Findings) != 3 || r.Findings[1].Check != "data-dir" || r.Findings[1].State != Broken || r.Findings[1].Mend == "" || r.Findings[2].Check != "kafka" {
			t.Errorf("it tells %+v", r.Findings)
		}
	})
}
