package kafkalog_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/test/e2e/stack"
)

func start(t *testing.T, o kafkalog.BrokerOptions) *kafkalog.Broker {
	t.Helper()
	o.Logger = logtest.Logger()
	b, err := kafkalog.StartBroker(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestASecondBrokerIsKeptOffTheFolder(t *testing.T) {
	dir := t.TempDir()
	first := start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0"})
	_, err := kafkalog.StartBroker(t.Context(), kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0", Logger: logtest.Logger()})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Fatalf("got %v; the error must name the folder", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0"})
}

func TestAPortInUseIsToldAsThat(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	_, err = kafkalog.StartBroker(t.Context(), kafkalog.BrokerOptions{Dir: dir, Listen: l.Addr().String(), Logger: logtest.Logger()})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("got %v", err)
	}
	start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0"}) // the folder is free again
}

func TestABrokerTellsClientsAnAddressThatTheyCanReach(t *testing.T) {
	for _, c := range []struct{ listen, advertise, want string }{
		{"127.0.0.1:0", "", "127.0.0.1"},
		{"0.0.0.0:0", "", "127.0.0.1"},
		{":0", "", "localhost"},
		{"[::]:0", "", "localhost"},
		{"localhost:0", "", "localhost"},
	} {
		b := start(t, kafkalog.BrokerOptions{Dir: t.TempDir(), Listen: c.listen, Advertise: c.advertise})
		if host, _, _ := net.SplitHostPort(b.Addr()); host != c.want {
			t.Errorf("listening at %s it advertises %s, want host %s", c.listen, b.Addr(), c.want)
		}
		l := logtest.Log(t, []string{b.Addr()})
		if len(lines(t, []string{b.Addr()}, l, 1)) != 3 {
			t.Error("records cannot be written")
		}
		b.Close()
	}
	b := start(t, kafkalog.BrokerOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0", Advertise: "parking.example:9092"})
	if b.Addr() != "parking.example:9092" {
		t.Errorf("it advertises %s", b.Addr())
	}
	for _, o := range []kafkalog.BrokerOptions{
		{Listen: "127.0.0.1:0"},
		{Dir: t.TempDir(), Listen: "nonsense"},
		{Dir: t.TempDir(), Listen: "127.0.0.1:0", Advertise: "parking.example"},
	} {
		o.Logger = logtest.Logger()
		if b, err := kafkalog.StartBroker(t.Context(), o); err == nil {
			t.Errorf("%+v was accepted", o)
			b.Close()
		}
	}
}

// What a program of another language sees first is what the broker says of itself.
func TestKcatWritesAndReads(t *testing.T) {
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		t.Skip("kcat is not installed: apt-get install kcat")
	}
	broker := logtest.Broker(t, "0.0.0.0:0")
	l := logtest.Log(t, []string{broker.Addr()})
	ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
	defer cancel()
	write := exec.CommandContext(ctx, kcat, "-P", "-b", broker.Addr(), "-t", l.Topic(), "-k", "A", "-z", "gzip")
	write.Stdin = strings.NewReader(`{"spotId":"A"}` + "\n")
	if out, err := write.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.CommandContext(ctx, kcat, "-C", "-e", "-q", "-b", broker.Addr(), "-t", l.Topic(), "-f", "%k=%s").CombinedOutput()
	if err != nil || string(out) != `A={"spotId":"A"}` {
		t.Errorf("kcat reads %q, %v", out, err)
	}
}

func TestOffsetsGoOnWhenRetentionHasEmptiedAPartition(t *testing.T) {
	for name, closing := range map[string]func(*testing.T, *kafkalog.Broker, string) string{
		"after an orderly end": func(_ *testing.T, b *kafkalog.Broker, dir string) string { b.Close(); return dir },
		// The folder as it is while the broker runs is what a crash leaves.
		"after a crash": func(t *testing.T, _ *kafkalog.Broker, dir string) string {
			for {
				copied := t.TempDir()
				err := os.CopyFS(copied, os.DirFS(dir))
				if err == nil {
					return copied
				}
				if !errors.Is(err, fs.ErrNotExist) { // a file that the broker writes aside was renamed meanwhile
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0", SweepInterval: 20 * time.Millisecond})
			o := logtest.Options(t, []string{b.Addr()})
			o.Retention = time.Millisecond
			l := logtest.Open(t, o)
			logtest.Ensure(t, l)
			lines(t, []string{b.Addr()}, l, 10)
			full := event.Offsets{9, 9, 9}
			logtest.Eventually(t, "the records to expire", func() bool {
				_, tails := ends(t, l)
				return tails.Contains(full)
			})
			time.Sleep(50 * time.Millisecond) // the ends are written down before each sweep, so at the next one at the latest
			dir = closing(t, b, dir)
			b = start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0"})
			for round := range 2 { // and again, with one record in it
				o.Brokers = []string{b.Addr()}
				l = logtest.Open(t, o)
				logtest.Ensure(t, l)
				heads, tails := ends(t, l)
				want := int64(9 + round)
				if heads.At(0) != want || tails.At(0) != 9 || heads.At(1) != 9 {
					t.Fatalf("restarted, the log ends at %v and begins behind %v", heads, tails)
				}
				if round == 0 {
					r := producer(t, l).Send(t.Context(), logtest.Patience, kafkalog.Message{Topic: l.Topic(), Key: []byte("21"), Value: []byte("x")})[0]
					if r.Err != nil || r.Offset != 10 {
						t.Fatalf("the next record stands at %d (%v), want 10", r.Offset, r.Err)
					}
					if r.Partition != 0 {
						t.Fatalf("the key goes to partition %d", r.Partition)
					}
					b.Close()
					b = start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0"})
				}
			}
		})
	}
}

func TestTheNewestRecordOfEachSpotIsKeptForEver(t *testing.T) {
	dir := t.TempDir()
	b := start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0", SweepInterval: 20 * time.Millisecond})
	o := logtest.Options(t, []string{b.Addr()})
	o.Retention = time.Millisecond
	// The twin is read as a log of its own here.
	logtest.Ensure(t, logtest.Open(t, o))
	o.Topic, o.SpotsTopic = o.SpotsTopic, o.Topic
	l := logtest.Open(t, o)
	logtest.Ensure(t, l)
	p := producer(t, l)
	for i := range 20 {
		r := p.Send(t.Context(), logtest.Patience, kafkalog.Message{Topic: l.Topic(), Key: []byte{byte('a' + i%2)}, Value: fmt.Appendf(nil, "%d", i)})
		if r[0].Err != nil {
			t.Fatal(r[0].Err)
		}
	}
	logtest.Eventually(t, "what is superseded to go", func() bool { return len(logtest.All(t, l)) <= 4 }) // the last batch is left alone
	time.Sleep(100 * time.Millisecond)
	newest := map[string]string{}
	for _, r := range logtest.All(t, l) {
		newest[string(r.Key)] = string(r.Value)
	}
	if newest["a"] != "18" || newest["b"] != "19" {
		t.Errorf("left are %v", newest)
	}
}

// A compaction deletes the files of a partition and writes them anew. The folder is made what a crash leaves of it.
func TestACrashInTheMiddleOfACompactionLosesNothing(t *testing.T) {
	for name, crash := range map[string]func(t *testing.T, current string){
		"before it deleted anything": func(*testing.T, string) {},
		"when the old files were deleted": func(t *testing.T, current string) {
			remove(t, current, ".dat")
			remove(t, current, ".idx")
		},
		"when a part was written": func(t *testing.T, current string) {
			rewrite(t, current, func(data []byte) []byte { return data[:len(data)-10] })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0"})
			o := logtest.Options(t, []string{b.Addr()})
			o.Partitions = 1
			l := logtest.Open(t, o)
			logtest.Ensure(t, l)
			var want []string
			for i := range 20 {
				r := producer(t, l).Send(t.Context(), logtest.Patience, kafkalog.Message{Topic: l.Topic(), Key: []byte("k"), Value: fmt.Appendf(nil, "%d", i)})
				if r[0].Err != nil {
					t.Fatal(r[0].Err)
				}
				want = append(want, fmt.Sprintf("0@%d=%d", i, i))
			}
			b.Close()
			current := filepath.Join(dir, "partitions", o.Topic+"-0")
			saved := filepath.Join(dir, "before-compaction", o.Topic+"-0")
			link(t, current, saved)
			crash(t, current)
			start(t, kafkalog.BrokerOptions{Dir: dir, Listen: b.Addr()})
			slices.Sort(want)
			if got := read(t, l, nil, event.Offsets{19}); !slices.Equal(got, want) {
				t.Errorf("left are %v", got)
			}
			if _, err := os.Stat(saved); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("what was saved is still there: %v", err)
			}
		})
	}
}

func TestWhatWasWrittenBehindACompactionIsNotTakenBack(t *testing.T) {
	dir := t.TempDir()
	b := start(t, kafkalog.BrokerOptions{Dir: dir, Listen: "127.0.0.1:0"})
	o := logtest.Options(t, []string{b.Addr()})
	o.Partitions = 1
	l := logtest.Open(t, o)
	logtest.Ensure(t, l)
	lines(t, []string{b.Addr()}, l, 5)
	b.Close()
	current := filepath.Join(dir, "partitions", o.Topic+"-0")
	link(t, current, filepath.Join(dir, "before-compaction", o.Topic+"-0"))
	rewrite(t, current, func(data []byte) []byte { return data }) // a compaction that found nothing
	saved := filepath.Join(dir, "before-compaction")
	if err := os.Rename(saved, saved+".later"); err != nil {
		t.Fatal(err)
	}
	b = start(t, kafkalog.BrokerOptions{Dir: dir, Listen: b.Addr()})
	lines(t, []string{b.Addr()}, l, 5)
	b.Close()
	if err := os.Rename(saved+".later", saved); err != nil {
		t.Fatal(err)
	}
	start(t, kafkalog.BrokerOptions{Dir: dir, Listen: b.Addr()})
	if got := read(t, l, nil, event.Offsets{9}); len(got) != 10 {
		t.Errorf("%d records are left of 10", len(got))
	}
}

func link(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".json") {
			continue
		}
		if err := os.Link(filepath.Join(from, f.Name()), filepath.Join(to, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

func remove(t *testing.T, folder, suffix string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"+suffix))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no files to remove: %v", err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

// rewrite replaces the files with records by new ones.
func rewrite(t *testing.T, folder string, change func([]byte) []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(f, ".dat") {
			data = change(data)
		}
		if err := os.WriteFile(f, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const childDir, childAddr = "KAFKALOG_TEST_DIR", "KAFKALOG_TEST_ADDR"

// serveUntilKilled is the child process of TestWhatIsAcknowledgedOutlivesKill9.
func serveUntilKilled() {
	b, err := kafkalog.StartBroker(context.Background(), kafkalog.BrokerOptions{
		Dir: os.Getenv(childDir), Listen: os.Getenv(childAddr), Logger: logtest.Logger(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(b.Addr())
	select {}
}

func TestWhatIsAcknowledgedOutlivesKill9(t *testing.T) {
	dir, addr := t.TempDir(), stack.Address(stack.Port(t))
	spawn := func() *exec.Cmd {
		t.Helper()
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), childDir+"="+dir, childAddr+"="+addr)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal("the child did not start")
		}
		addr = strings.TrimSpace(line)
		return cmd
	}
	child := spawn()
	defer func() { child.Process.Kill(); child.Wait() }()
	l := logtest.Log(t, []string{addr})
	p := producer(t, l)

	const rounds, perRound, batch = 4, 5000, 100
	n := 0
	for range rounds {
		killed := make(chan *exec.Cmd)
		go func() {
			time.Sleep(150 * time.Millisecond) // in the middle of writing
			child.Process.Kill()
			child.Wait()
			killed <- spawn()
		}()
		for range perRound / batch {
			messages := make([]kafkalog.Message, batch)
			for i := range messages {
				messages[i] = kafkalog.Message{Topic: l.Topic(), Key: []byte("k"), Value: fmt.Appendf(nil, "%d", n)}
				n++
			}
			for _, r := range p.Send(t.Context(), logtest.Patience, messages...) {
				if r.Err != nil {
					t.Fatal(r.Err)
				}
			}
			time.Sleep(5 * time.Millisecond)
		}
		child = <-killed
	}
	// kfake writes down what it knows of its producers only when it is closed. So what it had taken and not
	// acknowledged when it was killed is there twice, the second time right behind the first.
	next := 0
	for _, r := range logtest.All(t, l) {
		v, err := strconv.Atoi(string(r.Value))
		switch {
		case err != nil || v > next || v < next-batch:
			t.Fatalf("behind record %d comes %s", next-1, r.Value)
		case v == next:
			next++
		}
	}
	if next != n {
		t.Errorf("%d records are there of %d that were acknowledged", next, n)
	}
}
