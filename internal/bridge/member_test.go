package bridge_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"parkwire/internal/bridge"
	"parkwire/internal/bus"
	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
)

// A member is a bridge in a process of its own, so that it can be killed in the middle of anything. It is this test's binary. It publishes
// to its parent: writes a batch and an empty line to its standard output, and waits for a byte that says that it was taken.
const (
	memberBrokers = "PARKWIRE_TEST_MEMBER_BROKERS"
	memberTopics  = "PARKWIRE_TEST_MEMBER_TOPICS"
)

// runMember is what such a process does.
func runMember(brokers string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	topics := strings.Split(os.Getenv(memberTopics), ",")
	l, err := kafkalog.Open(kafkalog.Options{
		Brokers: strings.Split(brokers, ","), Topic: topics[0], SpotsTopic: topics[1], RejectedTopic: topics[2], Logger: logtest.Logger(),
	})
	if err != nil {
		return err
	}
	defer l.Close()
	return bridge.New(bridge.Options{Log: l, Bus: pipe{}, Group: l.Topic() + "-group", Logger: logtest.Logger()}).Run(ctx)
}

type pipe struct{ bus.Bus }

func (pipe) Publish(_ context.Context, messages ...[]byte) error {
	_, err := fmt.Printf("%s\n\n", bytes.Join(messages, []byte("\n")))
	if err == nil {
		_, err = os.Stdin.Read(make([]byte, 1))
	}
	return err
}

type member struct {
	t       *testing.T
	command *exec.Cmd
	read    sync.WaitGroup
}

// startMember starts one whose messages r gets.
func startMember(t *testing.T, brokers []string, l *kafkalog.Log, r *recorder) *member {
	t.Helper()
	m := &member{t: t, command: exec.Command(os.Args[0])}
	m.command.Env = append(os.Environ(), memberBrokers+"="+strings.Join(brokers, ","),
		memberTopics+"="+strings.Join([]string{l.Topic(), l.SpotsTopic(), l.RejectedTopic()}, ","))
	m.command.Stderr = os.Stderr
	out, err := m.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	taken, err := m.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.kill() })
	m.read.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() == "" {
				_, _ = taken.Write([]byte{'.'})
				continue
			}
			_ = r.Publish(context.Background(), bytes.Clone(lines.Bytes()))
		}
	})
	return m
}

func (m *member) kill() { _ = m.command.Process.Kill(); m.read.Wait(); _ = m.command.Wait() }

func (m *member) stop() {
	_ = m.command.Process.Signal(syscall.SIGTERM)
	m.read.Wait()
	_ = m.command.Wait()
}

// Bridges are killed with SIGKILL and others join while events flow, and nothing waits for anything.
func TestNothingIsMissedWhenMembersAreKilled(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		l, r := setUp(t, brokers), &recorder{}
		client := logtest.Client(t, brokers)
		defer client.Close()
		admin, group := kadm.NewClient(client), l.Topic()+"-group"
		// A group without a position begins with what is written from then on, which here would be a hole.
		begin := kadm.Offsets{}
		for p := range 3 {
			begin.AddOffset(l.Topic(), int32(p), 0, -1)
		}
		if err := admin.CommitAllOffsets(t.Context(), group, begin); err != nil {
			t.Fatal(err)
		}
		written := 0
		// writeUntil writes until a group of so many members has settled and publishes what was written last.
		writeUntil := func(members int) {
			t.Helper()
			deadline := time.Now().Add(4 * logtest.Patience)
			for last := written; ; written++ {
				described, err := admin.DescribeGroups(t.Context(), group)
				g := described[group]
				if err != nil || g.State != "Stable" || len(g.Members) != members {
					last = written
				}
				if _, _, heads := receive(t, r.all()); written > last && heads.Contains(event.Offsets{int64(last), int64(last), int64(last)}) {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("%d members do not settle, or publish nothing: %+v, %v", members, g, err)
				}
				logtest.Write(t, brokers, at(l, 0, value(0, written)), at(l, 1, value(1, written)), at(l, 2, value(2, written)))
				time.Sleep(20 * time.Millisecond) // each round looks at all that was written
			}
		}
		first := startMember(t, brokers, l, r)
		writeUntil(1)
		second := startMember(t, brokers, l, r)
		writeUntil(2)
		first.kill()
		third := startMember(t, brokers, l, r)
		writeUntil(2)
		second.stop()
		writeUntil(1)
		fourth := startMember(t, brokers, l, r)
		third.kill()
		writeUntil(1)
		logtest.Eventually(t, "all events", func() bool {
			_, _, heads := receive(t, r.all())
			return heads.Contains(event.Offsets{int64(written - 1), int64(written - 1), int64(written - 1)})
		})
		fourth.stop()
		got, holes, _ := receive(t, r.all())
		if len(got) != 3*written || holes != 0 {
			t.Errorf("got %d events with %d holes, want %d", len(got), holes, 3*written)
		}
	})
}
