package mqtt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"parkwire/internal/parking"
)

// sink takes messages as the parking part does.
type sink struct {
	mu     sync.Mutex
	got    []string // "topic payload", in order
	answer func(m parking.Message) (refused, failed error)
}

func (s *sink) deliver(ctx context.Context, messages []parking.Message) ([]error, error) {
	refused := make([]error, len(messages))
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for i, m := range messages {
		if s.answer != nil {
			no, failed := s.answer(m)
			if failed != nil {
				return nil, failed
			}
			refused[i] = no
		}
		got = append(got, m.Topic+" "+string(m.Payload))
	}
	s.got = append(s.got, got...)
	return refused, ctx.Err()
}

func (s *sink) is(answer func(m parking.Message) (refused, failed error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *sink) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// logs are what was logged.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

type running struct {
	*Subscriber
	registry *prometheus.Registry
	logs     *logs
	stop     func()
}

// start runs a subscriber until stop is called, or the test ends.
func start(t *testing.T, address string, to *sink, change ...func(*Options)) *running {
	t.Helper()
	r := &running{registry: prometheus.NewRegistry(), logs: &logs{}}
	o := Options{
		URL: "mqtt://" + address, ClientID: "parking-1", Topics: []string{"sensors/#"}, Share: "parkwire", Deliver: to.deliver,
		Pause: 10 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(r.logs, nil)), Registerer: r.registry,
	}
	for _, f := range change {
		f(&o)
	}
	var err error
	if r.Subscriber, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *running) ready(t *testing.T) {
	t.Helper()
	eventually(t, "it takes messages", func() bool { return r.Ready() == nil })
}

func (r *running) counted(outcome string) float64 {
	return testutil.ToFloat64(r.metrics.messages.WithLabelValues(outcome))
}

func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint("sensors/a ", i))
	}
	return all
}

// same compares without order: what this broker kept it sends in any.
func same(got, want []string) bool {
	slices.Sort(got)
	slices.Sort(want)
	return slices.Equal(got, want)
}

func TestMessagesComeInOrderAndAreAcknowledgedWhenTheyAreCommitted(t *testing.T) {
	b, _ := startBroker(t, "")
	to, commit := &sink{}, make(chan struct{})
	to.is(func(parking.Message) (error, error) { <-commit; return nil, nil })
	r := start(t, b.address, to)
	r.ready(t)
	for i := range 50 {
		b.publish(t, "sensors/a", fmt.Sprint(i), 1)
	}
	b.publish(t, "others/a", "x", 1)
	eventually(t, "all are on their way", func() bool { return b.unacknowledged("parking-1") == 50 })
	close(commit)
	eventually(t, "all are acknowledged", func() bool { return b.unacknowledged("parking-1") == 0 })
	if got := to.all(); !slices.Equal(got, numbered(50)) || r.counted(taken) != 50 {
		t.Errorf("%q, %v counted", got, r.counted(taken))
	}
}

func TestNothingIsLostWhileTheProcessIsAway(t *testing.T) {
	b, _ := startBroker(t, "")
	to := &sink{}
	r := start(t, b.address, to)
	r.ready(t)
	r.stop()
	for i := range 50 {
		b.publish(t, "sensors/a", fmt.Sprint(i), 1)
	}
	if n := len(to.all()); n != 0 {
		t.Fatalf("%d messages came to nobody", n)
	}
	start(t, b.address, to)
	eventually(t, "all came", func() bool { return len(to.all()) >= 50 })
	if got := to.all(); !same(got, numbered(50)) {
		t.Errorf("%q", got)
	}
}

// A process that ends between taking and committing gets the same again.
func TestWhatWasNotCommittedComesAgain(t *testing.T) {
	b, _ := startBroker(t, "")
	to := &sink{}
	to.is(func(parking.Message) (error, error) { return nil, parking.ErrUnavailable })
	r := start(t, b.address, to)
	r.ready(t)
	for i := range 20 {
		b.publish(t, "sensors/a", fmt.Sprint(i), 1)
	}
	eventually(t, "it says that they wait", func() bool { err := r.Ready(); return errors.Is(err, parking.ErrUnavailable) })
	r.stop()
	to.is(nil)
	start(t, b.address, to)
	eventually(t, "all came", func() bool { return len(to.all()) >= 20 })
	if got := to.all(); !same(got, numbered(20)) {
		t.Errorf("%q", got)
	}
}

func TestWhileTheDatabaseIsAwayMessagesWait(t *testing.T) {
	b, _ := startBroker(t, "")
	to := &sink{}
	to.is(func(parking.Message) (error, error) { return nil, fmt.Errorf("writing: %w", parking.ErrUnavailable) })
	r := start(t, b.address, to)
	r.ready(t)
	b.publish(t, "sensors/a", "0", 1)
	eventually(t, "it says so", func() bool { return r.Ready() != nil })
	if n := b.unacknowledged("parking-1"); n != 1 {
		t.Errorf("%d are unacknowledged", n)
	}
	to.is(nil)
	r.ready(t)
	eventually(t, "it is acknowledged", func() bool { return b.unacknowledged("parking-1") == 0 })
	if got := to.all(); !slices.Equal(got, numbered(1)) || r.logs.count("no messages are taken") != 1 {
		t.Errorf("%q; logged %d times", got, r.logs.count("no messages are taken"))
	}
}

func TestTheBrokerMayComeLaterAndGo(t *testing.T) {
	address := freeAddress(t)
	to := &sink{}
	r := start(t, address, to)
	eventually(t, "it says that it waits", func() bool {
		err := r.Ready()
		return err != nil && strings.Contains(err.Error(), address) && r.logs.count("no messages are taken") == 1
	})
	b, _ := startBroker(t, address)
	r.ready(t)
	b.publish(t, "sensors/a", "0", 1)
	eventually(t, "a message came", func() bool { return len(to.all()) == 1 })
	b.stop()
	eventually(t, "it says that it is away", func() bool { return r.Ready() != nil })
	b, _ = startBroker(t, address)
	r.ready(t)
	b.publish(t, "sensors/a", "1", 1)
	eventually(t, "the next one came", func() bool { return len(to.all()) == 2 })
	if n := r.logs.count("no messages are taken"); n != 2 {
		t.Errorf("it said %d times that the broker is away", n)
	}
}

func TestBadMessagesAreCountedLoggedABitAndAcknowledged(t *testing.T) {
	b, _ := startBroker(t, "")
	to := &sink{}
	to.is(func(m parking.Message) (error, error) {
		switch string(m.Payload) {
		case "bad":
			return errors.New("nobody understands it"), nil
		case "poison":
			return nil, errors.New("it breaks something")
		}
		return nil, nil
	})
	r := start(t, b.address, to)
	r.ready(t)
	for range 30 {
		b.publish(t, "sensors/a", "bad", 1)
	}
	b.publish(t, "sensors/a", "poison", 1)
	b.publish(t, "sensors/a", "good", 1)
	eventually(t, "all are acknowledged", func() bool { return r.counted(taken) == 1 && b.unacknowledged("parking-1") == 0 })
	if r.counted(rejected) != 31 || r.logs.count("was rejected") != refusalsMost || r.Ready() != nil {
		t.Errorf("%v rejected, %d logged, %v", r.counted(rejected), r.logs.count("was rejected"), r.Ready())
	}
}

func TestSeveralProcessesShareTheMessages(t *testing.T) {
	b, _ := startBroker(t, "")
	to, other := &sink{}, &sink{}
	start(t, b.address, to).ready(t)
	start(t, b.address, other, func(o *Options) { o.ClientID = "parking-2" }).ready(t)
	for i := range 100 {
		b.publish(t, "sensors/a", fmt.Sprint(i), 1)
	}
	eventually(t, "all came", func() bool { return len(to.all())+len(other.all()) >= 100 })
	if all := append(to.all(), other.all()...); len(all) != 100 || len(to.all()) == 0 || len(other.all()) == 0 {
		t.Errorf("%d and %d came", len(to.all()), len(other.all()))
	}
}

func TestWithoutAGroupEachProcessGetsAll(t *testing.T) {
	b, _ := startBroker(t, "")
	to := &sink{}
	start(t, b.address, to, func(o *Options) { o.Share = "" }).ready(t)
	b.publish(t, "sensors/a", "0", 0)
	eventually(t, "it came", func() bool { return len(to.all()) == 1 })
}

func TestARefusedSubscriptionIsSaid(t *testing.T) {
	b, door := startBroker(t, "")
	door.closed.Store(true)
	r := start(t, b.address, &sink{})
	eventually(t, "it says so", func() bool {
		err := r.Ready()
		return err != nil && strings.Contains(err.Error(), "$share/parkwire/sensors/#")
	})
	door.closed.Store(false)
	r.ready(t)
}

func TestWhatIsNoBrokerIsSaidWithoutItsPassword(t *testing.T) {
	for text, want := range map[string]string{
		"mqtt://h": "h:1883", "mqtts://u:p@h": "h:8883", "ws://h/mqtt": "h:80", "wss://h": "h:443", "mqtt://h:1": "h:1", "mqtt://[::1]": "[::1]:1883",
		"http://u:secret@h": "", "mqtt:": "", "h:1883": "", "mqtt://u:secret@": "", "mqtt://%": "",
	} {
		u, err := Broker(text)
		if want == "" && (err == nil || strings.Contains(err.Error(), "secret")) || want != "" && (err != nil || u.Host != want) {
			t.Errorf("%s: %v, %v", text, u, err)
		}
	}
}

func TestWhetherABrokerTakesAUserIsTriedUnderANameThatEveryBrokerTakes(t *testing.T) {
	b, d := startBroker(t, "")
	d.picky.Store(true)
	s, err := New(Options{URL: "mqtt://" + b.address, ClientID: "parking-1", Topics: []string{"sensors/#"}, Deliver: new(sink).deliver})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Try(t.Context()); err != nil {
		t.Error(err)
	}
}
