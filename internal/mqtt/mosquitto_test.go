package mqtt

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// mosquitto starts the broker that most people use, and returns its address. It sends 20 messages ahead of their acknowledgement.
func mosquitto(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("mosquitto")
	if err != nil {
		path = "/usr/sbin/mosquitto"
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
			t.Fatal("mosquitto is not installed, although PARKWIRE_TEST_DISTRIBUTED=1 promises it")
		}
		t.Skip("skipped: mosquitto is not installed")
	}
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	file := filepath.Join(t.TempDir(), "mosquitto.conf")
	// As root it would become another user, who may not read the file.
	if err := os.WriteFile(file, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\nuser root\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	cmd := exec.Command(path, "-c", file)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	eventually(t, "mosquitto listens", func() bool {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return address
}

func TestMosquittoKeepsMessagesInOrderWhileTheProcessIsAway(t *testing.T) {
	address := mosquitto(t)
	to := &sink{}
	r := start(t, address, to)
	r.ready(t)

	publisher := paho.NewClient(paho.NewClientOptions().AddBroker("mqtt://" + address).SetClientID("sensors").SetAutoReconnect(false))
	if err := await(publisher.Connect()); err != nil {
		t.Fatal(err)
	}
	defer publisher.Disconnect(250)
	publish := func(from, to int) {
		for i := from; i < to; i++ {
			if err := await(publisher.Publish("sensors/a", 1, false, fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish(0, 200)
	eventually(t, "all of the first came", func() bool { return len(to.all()) >= 200 })
	r.stop()
	publish(200, 400)
	start(t, address, to)
	eventually(t, "all came", func() bool { return len(to.all()) >= 400 })
	if got := to.all(); !slices.Equal(got, numbered(400)) {
		t.Errorf("%d came: %q", len(got), got)
	}
}
