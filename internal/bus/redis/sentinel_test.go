package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parkwire/internal/bus"
	"parkwire/internal/bus/bustest"
)

// set is a master, a replica and three sentinels of the test's own.
type set struct {
	t   *testing.T
	dir string
	env []string
	url string
}

func newSet(t *testing.T, env ...string) *set {
	t.Helper()
	for _, program := range []string{"bash", "redis-server", "redis-cli", "setsid"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
				t.Fatal(program, " is not installed")
			}
			t.Skip(program, " is not installed")
		}
	}
	s := &set{t: t, dir: t.TempDir(), env: env}
	t.Cleanup(func() { _, _ = s.try("wipe") })
	s.url = s.do("start")
	return s
}

func (s *set) try(args ...string) (string, error) {
	command := exec.Command("../../../test/kit/sentinel.sh", args...)
	command.Env = append(append(os.Environ(), "KIT_DIR="+s.dir), s.env...)
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// do runs the script of the kit.
func (s *set) do(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("sentinel.sh %v: %v\n%s", args, err, out)
	}
	return out
}

// masterAfter waits until the sentinels name another master than before, and returns it.
func (s *set) masterAfter(before string) string {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if now, err := s.try("master"); err == nil && now != before {
			return now
		}
	}
	s.t.Fatalf("%s remains the master", before)
	return ""
}

// subscribers is how many hear the channel on a server.
func (s *set) subscribers(node, channel string) string {
	s.t.Helper()
	lines := strings.Fields(s.do("cli", node, "pubsub", "numsub", channel))
	return lines[len(lines)-1]
}

// patience is for what has to happen sooner or later, however slow the machine: sentinels that notice that they are slow do nothing
// for half a minute.
const patience = 3 * time.Minute

// heard publishes until something of it arrives, and fails where nothing does.
func heard(t *testing.T, b *Bus, l *bustest.Listener, prefix string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_ = b.Publish(ctx, []byte(prefix))
		cancel()
		if l.Has(prefix) {
			return
		}
	}
	t.Fatalf("%q does not arrive", prefix)
}

func TestTheBusOverSentinels(t *testing.T) {
	address := os.Getenv("PARKWIRE_TEST_SENTINEL_URL")
	if address == "" {
		if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
			t.Fatal("PARKWIRE_TEST_DISTRIBUTED=1, but PARKWIRE_TEST_SENTINEL_URL names no sentinels")
		}
		t.Skip("PARKWIRE_TEST_SENTINEL_URL names no sentinels")
	}
	channels := map[*testing.T]string{}
	bustest.Run(t, func(t *testing.T) bus.Bus {
		if channels[t] == "" {
			channels[t] = "test:" + rand.Text()
		}
		return openBus(t, address, channels[t])
	})
}

// Whatever happens to the master, messages flow over the next one by themselves, and never over a replica.
func TestPublishersAndSubscribersFollowTheMaster(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	const channel = "followed"
	b := openBus(t, s.url, channel)
	defer b.Close()
	l := bustest.Listen(t, b)
	heard(t, b, l, "at first")

	master := s.do("master")
	s.do("failover") // the old one lives, and its connections with it
	moved := s.masterAfter(master)
	heard(t, b, l, "after a failover by hand")
	waitFor(t, "the subscription at the new master", func() bool { return s.subscribers(moved, channel) == "1" })
	heard(t, b, l, "from the new master")
	s.do("start") // waits until the old one is its replica: before, there is nobody who could follow it

	s.do("kill", moved)
	l.Connected(false)
	killed := s.masterAfter(moved)
	heard(t, b, l, "after the master was killed")
	s.do("start", moved) // it calls itself master until the sentinels find it
	for range 20 {
		heard(t, b, l, "with two that call themselves master")
		if n := s.subscribers(moved, channel); n != "0" {
			t.Fatalf("%s subscribe at the one that came back", n)
		}
	}

	s.do("start") // waits for it to be the replica
	s.do("cli", killed, "flushall")
	heard(t, b, l, "after it was emptied")

	s.do("pause", killed)
	began := time.Now()
	l.Connected(false)
	if took := time.Since(began); took > 15*time.Second { // 4 s, and what a busy machine may add
		t.Errorf("that the master is dead was found after %v", took)
	}
	s.masterAfter(killed)
	heard(t, b, l, "after the master stood still")
	s.do("resume", killed)
	heard(t, b, l, "after it went on")
	waitFor(t, "readiness", func() bool { return b.Ready() == nil })
}

func TestSentinelsThatComeAndGoChangeNothing(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	s.do("stop")
	b := openBus(t, s.url, "")
	defer b.Close()
	l := bustest.Start(t, b)
	waitFor(t, "readiness to tell why", func() bool {
		err := b.Ready()
		return err != nil && strings.Contains(err.Error(), "the sentinel at ")
	})
	s.do("start")
	heard(t, b, l, "when they had come")
	s.do("kill", "sentinel-1")
	s.do("pause", "sentinel-2")
	heard(t, b, l, "with one of three")
	s.do("kill", "sentinel-3")
	heard(t, b, l, "without any")
	s.do("resume", "sentinel-2")
	s.do("start")
	master := s.do("master")
	s.do("kill", master)
	s.masterAfter(master)
	heard(t, b, l, "after a failover by those who came back")
}

func TestWhatIsNotTheMasterIsRefused(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	port := func(node string) string {
		for line := range strings.Lines(s.do("nodes")) {
			if name, address, _ := strings.Cut(strings.TrimSpace(line), " "); name == node {
				return address
			}
		}
		t.Fatalf("there is no %s", node)
		return ""
	}
	for what, c := range map[string]struct{ url, want string }{
		"a replica":      {"redis://" + port(s.do("replica")), "the server is a replica"},
		"a sentinel":     {"redis://" + port("sentinel-1"), "the server is a sentinel"},
		"an unknown set": {"redis://" + port("sentinel-1") + "?master_set=theirs", `it watches no master named "theirs"`},
		"no sentinels":   {"redis://" + port("redis-1") + "?master_set=parkwire", "the sentinel at " + port("redis-1")},
	} {
		b := openBus(t, c.url, "")
		l := bustest.Start(t, b)
		waitFor(t, what+" to be found out", func() bool {
			err := b.Ready()
			return err != nil && strings.Contains(err.Error(), c.want)
		})
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if err := b.Publish(ctx, []byte("x")); err == nil {
			t.Errorf("%s takes messages", what)
		}
		cancel()
		if got := l.Statuses(); len(got) != 0 {
			t.Errorf("at %s the statuses are %v", what, got)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	// A master that is made a replica behind everybody's back, as by a name that leads to another server now.
	b := openBus(t, "redis://"+port(s.do("master")), "")
	defer b.Close()
	l := bustest.Listen(t, b)
	heard(t, b, l, "from the master")
	s.do("failover")
	waitFor(t, "the replica to be refused", func() bool {
		return fmt.Sprint(b.Ready()) == "the bus on Redis: "+"the server is a replica: what is published there does not reach everybody"
	})
	l.Connected(false)
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waiting for %s", what)
		}
	}
}
