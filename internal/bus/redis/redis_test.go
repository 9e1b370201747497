package redis

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"parkwire/internal/bus"
	"parkwire/internal/bus/bustest"
	"parkwire/internal/redis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheBusOverRedis(t *testing.T) {
	address := os.Getenv("PARKWIRE_TEST_REDIS_URL")
	if address == "" {
		if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
			t.Fatal("PARKWIRE_TEST_DISTRIBUTED=1, but PARKWIRE_TEST_REDIS_URL names no server")
		}
		t.Skip("PARKWIRE_TEST_REDIS_URL names no server")
	}
	channels := map[*testing.T]string{}
	bustest.Run(t, func(t *testing.T) bus.Bus {
		if channels[t] == "" {
			channels[t] = "test:" + rand.Text()
		}
		return openBus(t, address, channels[t])
	})
}

func openBus(t *testing.T, address, channel string) *Bus {
	t.Helper()
	b, err := Open(Options{Location: redis.Location{URL: address}, Channel: channel})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAnAddressThatIsNoneIsRefusedWithoutItsPassword(t *testing.T) {
	for _, address := range []string{"", "localhost:6379", "http://localhost", "redis://user:s3cret@host:6379/x", "redis://user:s3cret@host:port", "redis://user:s3cret@[::1"} {
		_, err := Open(Options{Location: redis.Location{URL: address}})
		if err == nil {
			t.Errorf("%q is taken", address)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: the error shows the password: %v", address, err)
		}
	}
}

func TestAddressesOfAllKindsAreTaken(t *testing.T) {
	for _, address := range []string{"redis://127.0.0.1:1", "redis://user:password@127.0.0.1:1/2", "rediss://127.0.0.1:1", "unix:///nonexistent/redis.sock"} {
		b, err := Open(Options{Location: redis.Location{URL: address}})
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if err := b.Ready(); err == nil || !strings.Contains(fmt.Sprint(err), "Redis") {
			t.Errorf("%s: without a server it says %v", address, err)
		}
		b.Close()
	}
}
