package e2e

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"parkwire/internal/certificate"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/redis"
	"parkwire/test/e2e/stack"
)

// The whole platform on servers that let nobody in but by TLS and with a password, with the rights that docs/servers.md lists and no others:
// nothing is lost, repeated or out of order, and live instances are served by the bus.
func TestThePlatformOnServersThatLetNotEverybodyIn(t *testing.T) {
	kafka := logtest.Servers(t, kafkalog.Scram512)
	folder, plain := filepath.Dir(kafka.Security.TLS.CAFile), stack.RealServers(t)
	logtest.Grant(t, kafka.Open, "User:parkwire", "e2e-")
	ca, password := filepath.Join(folder, "ca.crt"), filepath.Join(folder, "password")
	secret, err := kafka.Security.Password.Read()
	if err != nil {
		t.Fatal(err)
	}
	servers := stack.Servers{
		Kafka: strings.Join(kafka.Brokers, ","), Redis: redisUser(t, os.Getenv("PARKWIRE_TEST_REDIS_TLS_URL"), ca, secret),
		Database: withPassword(t, os.Getenv("PARKWIRE_TEST_DATABASE_TLS_URL"), "", secret),
	}
	settings := []string{
		"PARKWIRE_KAFKA_TLS=true", "PARKWIRE_KAFKA_TLS_CA_FILE=" + ca, "PARKWIRE_KAFKA_SASL=scram-sha-512", "PARKWIRE_KAFKA_USERNAME=parkwire",
		"PARKWIRE_KAFKA_PASSWORD_FILE=" + password, "PARKWIRE_KAFKA_REPLICATION=3", "PARKWIRE_KAFKA_MIN_INSYNC_REPLICAS=2",
		"PARKWIRE_REDIS_TLS_CA_FILE=" + ca, "PARKWIRE_REDIS_PASSWORD_FILE=" + password,
	}
	s := stack.Assemble(t, servers, stack.Layout{
		Gateways: 1, Parking: 2, Live: 2, History: 1, Audit: 1, Alerts: 1, Env: func(string) []string { return settings },
	})
	s.Kafka = plain.Kafka // by which the topics are deleted at the end
	s.StartAll(t)
	s.WaitAllReady(t)
	for _, n := range s.Nodes() {
		if status, reason := n.Readiness(); status != 200 || strings.Contains(reason, "degraded") {
			t.Errorf("%s is not whole: %d %s\n%s", n.Name, status, reason, n.Log())
		}
	}
	args := []string{"verify", "--url", s.URL, "--duration", "5s", "--rate", "60", "--spots", "40", "--clients", "12", "--sse", "2", "--settle", "60s"}
	for _, instance := range s.Instances() {
		args = append(args, "--listen-url", instance)
	}
	verify := stack.Start(t, "verify", []string{"PARKWIRE_TOKEN=" + s.Token}, stack.Binary(t), args...)
	if code := verify.Wait(t, 3*time.Minute); code != 0 {
		t.Fatalf("verify ended with exit code %d:\n%s", code, verify.Output())
	}
	for i, n := range s.Live {
		if metrics := n.Metrics(t); !strings.Contains(metrics, `parkwire_bus_connected{connection="subscribe"} 1`) {
			t.Errorf("instance %d hears nothing of the bus", i)
		}
	}
	if metrics := s.Gateways[0].Metrics(t); !strings.Contains(metrics, "parkwire_gateway_limits_shared 1") {
		t.Error("the gateway counts alone")
	}
}

// withPassword returns a URL with the user, or another one, and a password.
func withPassword(t *testing.T, address, user, password string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if user == "" {
		user = u.User.Username()
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

// redisUser makes a user of Redis with the rights that the documents list, and returns the URL for it, without its password.
func redisUser(t *testing.T, address, ca, password string) string {
	t.Helper()
	server, err := redis.Open(redis.Location{URL: address, TLS: certificate.Client{Setting: "redis-tls", CAFile: ca}}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := server.Connect(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	const user = "e2e"
	do := func(ctx context.Context, c rueidis.Completed) error { return client.Do(ctx, c).Error() }
	err = do(t.Context(), client.B().AclSetuser().Username(user).Rule("on", ">"+password, "resetchannels", "&e2e-*", "~e2e-*",
		"+@pubsub", "+@connection", "+eval", "+evalsha", "+get", "+set", "+time").Build())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = do(context.Background(), client.B().AclDeluser().Username(user).Build()) })
	scheme, rest, _ := strings.Cut(address, "://")
	return scheme + "://" + user + "@" + rest
}
