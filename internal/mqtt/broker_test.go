package mqtt

import (
	"log/slog"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// broker is one in this process.
type broker struct {
	*mochi.Server
	address string
	stop    func()
}

// door lets clients in and to topics, or not.
type door struct {
	mochi.HookBase
	closed atomic.Bool // to subscriptions
	picky  atomic.Bool // it lets in nobody by a name but those that every broker must take
}

var plain = regexp.MustCompile(`^[0-9A-Za-z]{1,23}$`) // MQTT 3.1.1, 3.1.3.1

func (*door) Provides(what byte) bool {
	return what == mochi.OnConnectAuthenticate || what == mochi.OnACLCheck
}

func (d *door) OnConnectAuthenticate(client *mochi.Client, _ packets.Packet) bool {
	return !d.picky.Load() || plain.MatchString(client.ID)
}

func (d *door) OnACLCheck(_ *mochi.Client, _ string, write bool) bool {
	return write || !d.closed.Load()
}

// startBroker starts a broker; at "" it chooses an address.
func startBroker(t *testing.T, address string) (*broker, *door) {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	s := mochi.New(&mochi.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler), SysTopicResendInterval: 3600})
	d := &door{}
	if err := s.AddHook(d, nil); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: address})
	if err := s.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(); err != nil {
		t.Fatal(err)
	}
	b := &broker{s, l.Address(), sync.OnceFunc(func() { s.Close() })}
	t.Cleanup(b.stop)
	return b, d
}

func (b *broker) publish(t *testing.T, topic, payload string, qos byte) {
	t.Helper()
	if err := b.Publish(topic, []byte(payload), false, qos); err != nil {
		t.Error(err)
	}
}

// unacknowledged is how many messages the broker would send again to a client.
func (b *broker) unacknowledged(id string) int {
	cl, there := b.Clients.Get(id)
	if !there {
		return 0
	}
	return cl.State.Inflight.Len()
}

// freeAddress is one at which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}
